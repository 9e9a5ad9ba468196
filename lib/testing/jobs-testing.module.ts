import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import type { JobsModuleAsyncOptions } from '../nest/jobs.async-options.js';
import { JobsModule } from '../nest/jobs.module.js';
import { DEFAULT_NAME } from '../nest/jobs.tokens.js';
import type { JobsModuleIdentity, JobsModuleOptions } from '../nest/module-options.js';
import { testerProvider, testQueueProvider } from './testing.providers.js';

/**
 * `JobsModule` for tests: the queue is in memory, its clock stands still until the test moves it, and a `JobsTester`
 * replaces the worker. It takes the same options, and ignores those that are about the database.
 */
@Module({})
export class JobsTestingModule {
  /** @throws InvalidOptionError */
  static forRoot<Carried = unknown>(options: JobsModuleOptions<Carried> = {}): DynamicModule {
    return forTests(JobsModule.forRoot(options), options);
  }

  /** @throws InvalidOptionError; for what the factory makes, when the module is compiled */
  static forRootAsync<Carried = unknown>(options: JobsModuleAsyncOptions<Carried>): DynamicModule {
    return forTests(JobsModule.forRootAsync(options), options);
  }
}

/** The same module, with other providers under two of its tokens. */
function forTests(
  real: DynamicModule,
  { name = DEFAULT_NAME, dataSource }: JobsModuleIdentity,
): DynamicModule {
  const replacements = [testQueueProvider(name, dataSource), testerProvider(name)];
  const replace = (provider: Provider): Provider =>
    replacements.find(({ provide }) => 'provide' in provider && provide === provider.provide) ?? provider;
  return {
    ...real,
    module: JobsTestingModule,
    // Read as late as those of the real module are.
    get providers() {
      return real.providers!.map(replace);
    },
    get exports() {
      return real.exports;
    },
  };
}
