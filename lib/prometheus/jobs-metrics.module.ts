import {
  Logger,
  Module,
  type DynamicModule,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import type { ModuleRef } from '@nestjs/core';
import { observerProvider } from '../nest/observed-module.js';
import { jobsMetrics } from './jobs-metrics.js';
import { metricsController } from './metrics-controller.js';
import { resolveMetricsOptions, type JobsMetricsOptions, type ResolvedMetrics } from './metrics-options.js';

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
    const token = `nestjs-typeorm-jobs:metrics:${resolved.name}`;
    return {
      module: JobsMetricsModule,
      imports: [...resolved.imports],
      controllers: [metricsController(resolved)],
      providers: [observerProvider(token, resolved.name, (modules) => new MeasuredJobs(resolved, modules))],
    };
  }
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
