import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { DEFAULT_NAME } from '../nest/jobs.tokens.js';
import type { JobsModuleAsyncOptions } from '../nest/jobs.async-options.js';
import { JobsModule } from '../nest/jobs.module.js';
import type { JobsModuleOptions } from '../nest/module-options.js';
import { testerProvider, testQueueProvider } from './testing.providers.js';

/**
 * `JobsModule` for tests: the queue is in memory, its clock stands still until the test moves it, and a `JobsTester` is
 * in the place of the worker. Takes the same options; those that are about the database are passed over.
 */
@Module({})
export class JobsTestingModule {
  /** @throws InvalidOptionError */
  static forRoot(options: JobsModuleOptions = {}): DynamicModule {
    return forTests(JobsModule.forRoot(options), options);
  }

  /** @throws InvalidOptionError; for what the factory makes, when the module is compiled */
  static forRootAsync(options: JobsModuleAsyncOptions): DynamicModule {
    return forTests(JobsModule.forRootAsync(options), options);
  }
}

/** The same module, with other providers under two of its tokens. */
function forTests(
  real: DynamicModule,
  { name = DEFAULT_NAME, dataSource }: Pick<JobsModuleOptions, 'name' | 'dataSource'>,
): DynamicModule {
  const replacements = [testQueueProvider(name, dataSource), testerProvider(name)];
  const replace = (provider: Provider): Provider =>
    replacements.find(({ provide }) => 'provide' in provider && provide === provider.provide) ?? provider;
  return { ...real, module: JobsTestingModule, providers: real.providers!.map(replace) };
}
