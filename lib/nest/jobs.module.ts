import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { resolveAsyncOptions, type JobsModuleAsyncOptions } from './jobs.async-options.js';
import { resolveOptions, type ResolvedIdentity } from './jobs.options.js';
import { partsOf } from './jobs.providers.js';
import {
  aliasesOf,
  getJobClientToken,
  getJobQueueToken,
  getWorkerToken,
  internalToken,
} from './jobs.tokens.js';
import type { JobsModuleOptions } from './module-options.js';

/**
 * Background jobs in the application's own database. Import it once beside `TypeOrmModule.forRoot(...)`, decorate
 * methods with `@JobHandler(kind)`, inject `JobClient` to enqueue.
 */
@Module({})
export class JobsModule {
  /** @throws InvalidOptionError */
  static forRoot(options: JobsModuleOptions = {}): DynamicModule {
    const resolved = resolveOptions(options);
    const provider = { provide: internalToken('options', resolved.name), useValue: resolved };
    return assemble(resolved, [provider]);
  }

  /**
   * As `forRoot`, with options that other providers make.
   * @throws InvalidOptionError; for what the factory makes, when the application starts
   */
  static forRootAsync(options: JobsModuleAsyncOptions): DynamicModule {
    const { identity, providers, imports } = resolveAsyncOptions(options);
    return assemble(identity, providers, imports);
  }
}

function assemble(
  { name, dataSource, isGlobal }: ResolvedIdentity,
  options: readonly Provider[],
  imports: NonNullable<DynamicModule['imports']> = [],
): DynamicModule {
  const parts = [...options, ...partsOf(name, dataSource)];
  const exported = [getJobClientToken(name), getWorkerToken(name), getJobQueueToken(name)];
  return {
    module: JobsModule,
    global: isGlobal,
    imports: [DiscoveryModule, ...imports],
    // Nest reads these when it creates the application. By then every copy of this package that injects is loaded.
    get providers() {
      return [...parts, ...aliasesOf(name)];
    },
    get exports() {
      return [...exported, ...aliasesOf(name).map(({ provide }) => provide)];
    },
  };
}
