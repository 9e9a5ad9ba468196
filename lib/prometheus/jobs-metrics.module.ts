import {
  Logger,
  Module,
  type DynamicModule,
  type InjectionToken,
  type OnApplicationShutdown,
  type OnModuleInit,
  type Provider,
} from '@nestjs/common';
import type { ModuleRef } from '@nestjs/core';
import { settingsProvider, type AsyncSettings } from '../nest/async-settings.js';
import { observerProvider } from '../nest/observed-module.js';
import { jobsMetrics } from './jobs-metrics.js';
import { metricsController } from './metrics-controller.js';
import {
  IDENTITY,
  resolveMetricsIdentity,
  resolveMetricsOptions,
  type JobsMetricsIdentity,
  type JobsMetricsOptions,
  type ResolvedIdentity,
  type ResolvedMetrics,
} from './metrics-options.js';

/** The options that a factory may make. */
export type JobsMetricsFactorySettings = Omit<JobsMetricsOptions, keyof JobsMetricsIdentity>;

/** What `forRootAsync` takes. */
export interface JobsMetricsAsyncOptions
  extends JobsMetricsIdentity, AsyncSettings<JobsMetricsFactorySettings> {}

/**
 * Metrics of jobs for Prometheus, and a controller that serves them. Import it beside `JobsModule`.
 *
 * ```ts
 * JobsMetricsModule.forRoot({ path: 'internal/metrics', guards: [ScraperGuard] })
 * ```
 */
@Module({})
export class JobsMetricsModule {
  /**
   * @throws InvalidOptionError; also where neither `guards` nor `unguarded` says who may read the metrics, and when the
   * application starts, where there is no `JobsModule` of that name
   */
  static forRoot(options: JobsMetricsOptions): DynamicModule {
    const resolved = resolveMetricsOptions(options);
    return assemble(resolved, { provide: settingsToken(resolved.name), useValue: resolved });
  }

  /**
   * As `forRoot`, with options that other providers make: `register`, `clusterGauges` and `kindsCacheMs`. The others stand
   * beside the factory, because Nest must know them before it runs.
   *
   * @throws InvalidOptionError; for what the factory makes, when the application starts
   */
  static forRootAsync({ inject, useFactory, ...options }: JobsMetricsAsyncOptions): DynamicModule {
    const identity = resolveMetricsIdentity(options);
    const resolve = (made: JobsMetricsFactorySettings) => resolveMetricsOptions({ ...made, ...identity });
    const factory = { inject, useFactory };
    return assemble(identity, settingsProvider(settingsToken(identity.name), factory, IDENTITY, resolve));
  }
}

function settingsToken(name: string): InjectionToken<ResolvedMetrics> {
  return `nestjs-typeorm-jobs:metrics-options:${name}`;
}

function assemble(identity: ResolvedIdentity, settings: Provider): DynamicModule {
  const { name, imports } = identity;
  const token = `nestjs-typeorm-jobs:metrics:${name}`;
  const make = (resolved: ResolvedMetrics, modules: ModuleRef) => new MeasuredJobs(resolved, modules);
  return {
    module: JobsMetricsModule,
    imports: [...imports],
    controllers: [metricsController(identity, settingsToken(name))],
    providers: [settings, observerProvider(token, name, settingsToken(name), make)],
  };
}

/** Measures for the life of the application. */
class MeasuredJobs implements OnModuleInit, OnApplicationShutdown {
  private end: (() => void) | undefined;

  constructor(
    private readonly options: ResolvedMetrics,
    private readonly modules: ModuleRef,
  ) {}

  onModuleInit(): void {
    const { register, path, unguarded, name, clusterGauges, kindsCacheMs } = this.options;
    this.end = jobsMetrics(register, this.modules, { name, clusterGauges, kindsCacheMs });
    if (unguarded)
      new Logger('JobsMetricsModule').warn(
        `Whoever reaches /${path.replace(/^\//, '')} may read the metrics of jobs, because unguarded is true.`,
      );
  }

  onApplicationShutdown(): void {
    this.end?.();
  }
}
