import { Module, type DynamicModule, type FactoryProvider, type Provider, type Type } from '@nestjs/common';
import { DiscoveryModule, DiscoveryService, ExternalContextCreator, MetadataScanner } from '@nestjs/core';
import { getDataSourceToken } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { InvalidOptionError, UnknownKindError } from '../job/errors.js';
import { HandlerRegistry } from '../execution/handler-registry.js';
import { JobClient } from '../client/job-client.js';
import {
  DEFAULT_NAME,
  getJobClientToken,
  getJobQueueToken,
  getWorkerToken,
  internalToken,
} from './jobs.tokens.js';
import { JobsExplorer } from './jobs.explorer.js';
import { requireKnown } from './jobs.option-checks.js';
import {
  requirePlacement,
  resolveOptions,
  type JobsModuleOptions,
  type ResolvedOptions,
} from './jobs.options.js';
import { JobsRunner } from './jobs.runner.js';
import type { JobQueue } from '../queue/job-queue.js';
import { TypeOrmJobQueue } from '../storage/typeorm/typeorm-job-queue.js';
import { Worker } from '../worker/worker.js';

/** What a factory of options may return: all but what Nest must know before it runs. */
export type AsyncJobsModuleOptions = Omit<JobsModuleOptions, 'name' | 'dataSource' | 'isGlobal'>;

/** A class that makes the options. */
export interface JobsOptionsFactory {
  createJobsOptions(): AsyncJobsModuleOptions | Promise<AsyncJobsModuleOptions>;
}

/** One of `useFactory`, `useClass` and `useExisting`. */
export interface JobsModuleAsyncOptions extends Pick<JobsModuleOptions, 'name' | 'dataSource' | 'isGlobal'> {
  readonly imports?: DynamicModule['imports'];
  readonly inject?: FactoryProvider['inject'];
  // Nest hands over whatever `inject` lists; only the user knows the types.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly useFactory?: (...injected: any[]) => AsyncJobsModuleOptions | Promise<AsyncJobsModuleOptions>;
  readonly useClass?: Type<JobsOptionsFactory>;
  readonly useExisting?: Type<JobsOptionsFactory>;
}

/** What Nest must know before a factory runs. */
const PLACEMENT = ['name', 'dataSource', 'isGlobal'];
const PROVIDERS = ['useFactory', 'useClass', 'useExisting'];

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
    return assemble(options, [provider]);
  }

  /**
   * As `forRoot`, with options that other providers make.
   * @throws InvalidOptionError; for what the factory makes, when the application starts
   */
  static forRootAsync(options: JobsModuleAsyncOptions): DynamicModule {
    requireKnown(options, [...PLACEMENT, 'imports', 'inject', ...PROVIDERS], '');
    requirePlacement(options);
    const { name = DEFAULT_NAME, imports = [], useFactory, useClass, useExisting } = options;
    if ([useFactory, useClass, useExisting].filter((way) => way !== undefined).length !== 1) {
      throw new InvalidOptionError(
        'useFactory',
        useFactory,
        'given, or else one of useClass and useExisting',
      );
    }
    const factory = useClass ?? useExisting;
    const provider: FactoryProvider = {
      provide: internalToken('options', name),
      inject: factory ? [factory] : (options.inject ?? []),
      useFactory: async (...injected: unknown[]) => {
        const made = factory
          ? (injected[0] as JobsOptionsFactory).createJobsOptions()
          : useFactory!(...injected);
        return resolveMade(await made, name);
      },
    };
    return assemble(options, useClass ? [provider, useClass] : [provider], imports);
  }
}

function resolveMade(made: AsyncJobsModuleOptions, name: string): ResolvedOptions {
  for (const [option, value] of Object.entries({ ...made })) {
    if (!PLACEMENT.includes(option)) continue;
    throw new InvalidOptionError(
      option,
      value,
      'given to forRootAsync() itself: its factory runs too late for it',
    );
  }
  return resolveOptions({ ...made, name });
}

function assemble(
  {
    name = DEFAULT_NAME,
    dataSource,
    isGlobal = true,
  }: Pick<JobsModuleOptions, 'name' | 'dataSource' | 'isGlobal'>,
  optionsProviders: Provider[],
  imports: NonNullable<DynamicModule['imports']> = [],
): DynamicModule {
  const client = getJobClientToken(name);
  const worker = getWorkerToken(name);
  const queue = getJobQueueToken(name);
  const options = internalToken('options', name);
  const handlers = internalToken('handlers', name);
  const explorer = internalToken('explorer', name);
  return {
    module: JobsModule,
    global: isGlobal,
    imports: [DiscoveryModule, ...imports],
    providers: [
      ...optionsProviders,
      { provide: handlers, useFactory: () => new HandlerRegistry() },
      { provide: queue, inject: [getDataSourceToken(dataSource), options], useFactory: createQueue },
      {
        provide: explorer,
        inject: [DiscoveryService, MetadataScanner, ExternalContextCreator, handlers, options],
        useFactory: createExplorer,
      },
      { provide: client, inject: [queue, handlers, explorer, options], useFactory: createClient },
      { provide: worker, inject: [queue, handlers, options], useFactory: createWorker },
      {
        provide: internalToken('runner', name),
        inject: [explorer, worker, queue, options],
        useFactory: createRunner,
      },
    ],
    exports: [client, worker, queue],
  };
}

/** Its table is there when this resolves, so that every provider may enqueue from its own `onModuleInit` on. */
function createQueue(dataSource: DataSource, { queue }: ResolvedOptions): Promise<TypeOrmJobQueue> {
  return new TypeOrmJobQueue(dataSource, queue).open();
}

function createExplorer(...parts: ConstructorParameters<typeof JobsExplorer>): JobsExplorer {
  return new JobsExplorer(...parts);
}

function createClient(
  queue: JobQueue,
  handlers: HandlerRegistry,
  explorer: JobsExplorer,
  { unknownKinds, runsWorker, maxPayloadBytes, contextCarrier }: ResolvedOptions,
): JobClient {
  const requireKind = (kind: string) => {
    if (unknownKinds === 'allow' || handlers.get(kind) !== undefined) return;
    explorer.explore(); // where a provider enqueues in its own onModuleInit, before ours
    const isProducerOnly = !runsWorker && handlers.kinds.length === 0;
    if (isProducerOnly || handlers.get(kind) !== undefined) return;
    throw new UnknownKindError(kind, handlers.kinds);
  };
  const definitionOf = (kind: string) => handlers.get(kind)?.definition;
  return new JobClient(queue, { maxPayloadBytes, requireKind, definitionOf, contextCarrier });
}

function createWorker(
  queue: JobQueue,
  handlers: HandlerRegistry,
  { worker, events }: ResolvedOptions,
): Worker {
  return new Worker(queue, handlers, worker, events);
}

function createRunner(
  explorer: JobsExplorer,
  worker: Worker,
  queue: JobQueue,
  { runsWorker }: ResolvedOptions,
): JobsRunner {
  return new JobsRunner(explorer, runsWorker ? [worker] : [], queue);
}
