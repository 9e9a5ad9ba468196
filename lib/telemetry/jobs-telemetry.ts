import type { OnApplicationShutdown, OnModuleInit } from '@nestjs/common';
import type { ModuleRef } from '@nestjs/core';
import { metrics, trace } from '@opentelemetry/api';
import type { JobsEvents } from '../events/jobs-events.js';
import { RELEASE } from '../job/release.js';
import { measure } from '../metrics/measured-module.js';
import { observedModule } from '../nest/observed-module.js';
import { SCOPE } from './attributes.js';
import { JobTracer } from './job-tracer.js';
import { MeterTaker } from './meter-taker.js';
import type { ResolvedTelemetry } from './telemetry-options.js';

/** The telemetry of one `JobsModule`, for the life of the application. */
export class JobsTelemetry implements OnModuleInit, OnApplicationShutdown {
  private readonly ends: (() => void)[] = [];
  private isTracing = false;

  /** @param events of the module, if it is there already: other providers may enqueue before the hooks are called */
  constructor(
    private readonly options: ResolvedTelemetry,
    private readonly modules: ModuleRef,
    events: JobsEvents | undefined,
  ) {
    if (events !== undefined) this.trace(events);
  }

  /** @throws InvalidOptionError where there is no such module */
  onModuleInit(): void {
    const observed = observedModule(this.modules, this.options.name);
    this.trace(observed.events);
    const { name, meterProvider } = this.options;
    if (!this.options.metrics) return;
    const meter = (meterProvider ?? metrics.getMeterProvider()).getMeter(SCOPE, RELEASE);
    this.ends.push(measure(observed, new MeterTaker(meter, name), this.options));
  }

  /** The worker has stopped by then, and what it did last has been told. */
  onApplicationShutdown(): void {
    for (const end of this.ends.splice(0)) end();
  }

  private trace(events: JobsEvents): void {
    if (this.isTracing || !this.options.traces) return;
    this.isTracing = true;
    const { name, parent, tracerProvider } = this.options;
    const tracer = (tracerProvider ?? trace.getTracerProvider()).getTracer(SCOPE, RELEASE);
    this.ends.push(events.instrumentWith(new JobTracer(tracer, { queue: name, isChild: parent })));
  }
}
