import type { MeterProvider, TracerProvider } from '@opentelemetry/api';
import { methods, moduleName, trueOrFalse, wholeNumber } from '../job/option-checks.js';
import type { OptionRules, ResolvedByRules } from '../job/option-rules.js';
import { DEFAULT_NAME } from '../nest/jobs.tokens.js';

export interface JobsTelemetryOptions {
  /** The name of the `JobsModule`. Default: that of the one without a name. */
  readonly name?: string;
  /**
   * Attempts are children of the span that enqueued their job, and belong to its trace. Default false: each attempt is a trace
   * of its own, with a link to that span.
   */
  readonly parent?: boolean;
  /** Make spans. Default true. */
  readonly traces?: boolean;
  /** Make metrics. Default true. */
  readonly metrics?: boolean;
  /**
   * Gauges tell how kinds fare in the whole cluster, which is read from the database at a collection. Each process tells the
   * same. Default true.
   */
  readonly clusterGauges?: boolean;
  /** For how long that is kept, in milliseconds, 0 to 3,600,000. Default 10,000. */
  readonly kindsCacheMs?: number;
  /** Makes the tracer. Default: the provider that is registered with the API. */
  readonly tracerProvider?: TracerProvider;
  /** Makes the meter. Default: the provider that is registered with the API when the application starts. */
  readonly meterProvider?: MeterProvider;
}

export const TELEMETRY_RULES = {
  name: { default: DEFAULT_NAME, check: moduleName },
  parent: { default: false, check: trueOrFalse },
  traces: { default: true, check: trueOrFalse },
  metrics: { default: true, check: trueOrFalse },
  clusterGauges: { default: true, check: trueOrFalse },
  kindsCacheMs: { default: 10_000, check: wholeNumber(0, 3_600_000) },
  tracerProvider: { check: methods('getTracer') },
  meterProvider: { check: methods('getMeter') },
} satisfies OptionRules<JobsTelemetryOptions>;

/** The options with their defaults. */
export type ResolvedTelemetry = ResolvedByRules<JobsTelemetryOptions, typeof TELEMETRY_RULES>;
