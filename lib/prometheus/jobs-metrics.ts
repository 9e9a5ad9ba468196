import type { Registry } from 'prom-client';
import { moduleName, trueOrFalse, wholeNumber } from '../job/option-checks.js';
import { resolveByRules, type OptionRules } from '../job/option-rules.js';
import { measure } from '../metrics/measured-module.js';
import { DEFAULT_NAME } from '../nest/jobs.tokens.js';
import { observedModule, type JobsApplication } from '../nest/observed-module.js';
import { RegistryTaker } from './registry-taker.js';

export interface JobsMetricsSettings {
  /** The name of the `JobsModule`. Default: that of the one without a name. */
  readonly name?: string;
  /**
   * Gauges tell how kinds fare in the whole cluster, which is read from the database at a scrape. Each process tells the same.
   * Default true.
   */
  readonly clusterGauges?: boolean;
  /** For how long that is kept, in milliseconds, 0 to 3,600,000. Default 10,000. */
  readonly kindsCacheMs?: number;
}

export const MEASURE_RULES = {
  name: { default: DEFAULT_NAME, check: moduleName },
  clusterGauges: { default: true, check: trueOrFalse },
  kindsCacheMs: { default: 10_000, check: wholeNumber(0, 3_600_000) },
} satisfies OptionRules<JobsMetricsSettings>;

/**
 * Measures the jobs of an application with prom-client. Call it when the application is made, before it listens.
 *
 * ```ts
 * const app = await NestFactory.create(AppModule);
 * jobsMetrics(register, app);
 * ```
 *
 * @param register where the metrics are registered. Several modules may share one; the label `queue` tells them apart
 * @returns a function that ends it. The metrics stay registered
 * @throws InvalidOptionError, also where the application has no `JobsModule` of that name
 */
export function jobsMetrics(
  register: Registry,
  application: JobsApplication,
  settings: JobsMetricsSettings = {},
): () => void {
  const resolved = resolveByRules(settings, MEASURE_RULES);
  const observed = observedModule(application, resolved.name);
  return measure(observed, new RegistryTaker(register, resolved.name), resolved);
}
