import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { resolveAsyncOptions, type JobsModuleAsyncOptions } from './jobs.async-options.js';
import { resolveOptions, type ResolvedIdentity } from './jobs.options.js';
import { partsOf } from './jobs.providers.js';
import {
  aliasesOf,
  getJobClientToken,
  getJobKindsToken,
  getJobEventsToken,
  getJobQueueToken,
  getJobSchedulesToken,
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
  /**
   * The module with its table, its client and, unless `worker` is `false`, its worker. All options have defaults, so
   * `JobsModule.forRoot()` is enough beside one `TypeOrmModule.forRoot(...)`.
   *
   * ```ts
   * JobsModule.forRoot({ worker: { concurrency: 20 } })
   * ```
   *
   * @throws InvalidOptionError naming the option, the value and what is allowed
   */
  static forRoot<Carried = unknown>(options: JobsModuleOptions<Carried> = {}): DynamicModule {
    const resolved = resolveOptions(options);
    const provider = { provide: internalToken('options', resolved.name), useValue: resolved };
    return assemble(resolved, [provider]);
  }

  /**
   * As `forRoot`, with options that other providers make: by `useFactory` with `inject`, by `useClass` or by `useExisting`.
   * `name`, `dataSource` and `isGlobal` stand beside the factory, because Nest must know them before it runs.
   *
   * ```ts
   * JobsModule.forRootAsync({
   *   inject: [ConfigService],
   *   useFactory: (config: ConfigService) => ({ worker: config.get('ROLE') === 'web' ? false : {} }),
   * })
   * ```
   *
   * @throws InvalidOptionError; for what the factory makes, when the application starts
   */
  static forRootAsync<Carried = unknown>(options: JobsModuleAsyncOptions<Carried>): DynamicModule {
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
  const exported = [
    getJobClientToken(name),
    getJobKindsToken(name),
    getJobSchedulesToken(name),
    getJobEventsToken(name),
    getWorkerToken(name),
    getJobQueueToken(name),
    internalToken('events', name),
  ];
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
