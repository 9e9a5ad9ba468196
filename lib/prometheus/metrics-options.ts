import type { CanActivate, DynamicModule, Type } from '@nestjs/common';
import { register, type Registry } from 'prom-client';
import { InvalidOptionError } from '../job/errors.js';
import { aList, methods, text, trueOrFalse } from '../job/option-checks.js';
import { resolveByRules, type OptionRules, type ResolvedByRules } from '../job/option-rules.js';
import { enhancers } from '../nest/module-enhancers.js';
import { MEASURE_RULES, type JobsMetricsSettings } from './jobs-metrics.js';

export interface JobsMetricsOptions extends JobsMetricsSettings {
  /** Where the metrics are served. Default `'metrics'`. */
  readonly path?: string;
  /** Who may read them. Without a guard the module refuses to start, unless `unguarded` is true. */
  readonly guards?: readonly (Type<CanActivate> | CanActivate)[];
  /** Whoever reaches the path may read the metrics. Logged at each start. Default false. */
  readonly unguarded?: boolean;
  /** Modules whose providers the guards need. Default: none. */
  readonly imports?: DynamicModule['imports'];
  /** What is served, with all that the application registers there. Default: the global registry of prom-client. */
  readonly register?: Registry;
}

/** The options that Nest must know before a factory of the others runs. */
export type JobsMetricsIdentity = Pick<
  JobsMetricsOptions,
  'name' | 'path' | 'guards' | 'unguarded' | 'imports'
>;

const IDENTITY_RULES = {
  name: MEASURE_RULES.name,
  path: { default: 'metrics', check: text },
  guards: { default: [], check: enhancers('guards') },
  unguarded: { default: false, check: trueOrFalse },
  imports: { default: [], check: aList },
} satisfies OptionRules<JobsMetricsIdentity>;

const METRICS_RULES = {
  ...MEASURE_RULES,
  ...IDENTITY_RULES,
  register: { default: register, check: methods('metrics', 'registerMetric', 'getSingleMetric') },
} satisfies OptionRules<JobsMetricsOptions>;

/** What Nest must know before a factory of options runs. */
export const IDENTITY: readonly string[] = Object.keys(IDENTITY_RULES);

export type ResolvedIdentity = ResolvedByRules<JobsMetricsIdentity, typeof IDENTITY_RULES>;

/** The options with their defaults. */
export type ResolvedMetrics = ResolvedByRules<JobsMetricsOptions, typeof METRICS_RULES>;

/** @throws InvalidOptionError, also where nothing says who may read the metrics */
export function resolveMetricsOptions(options: JobsMetricsOptions): ResolvedMetrics {
  const resolved = resolveByRules(options, METRICS_RULES);
  requireGuards(resolved, options.guards);
  return resolved;
}

/** @throws InvalidOptionError, also where nothing says who may read the metrics */
export function resolveMetricsIdentity(options: JobsMetricsIdentity): ResolvedIdentity {
  const resolved = resolveByRules(options, IDENTITY_RULES);
  requireGuards(resolved, options.guards);
  return resolved;
}

/** @param given the guards as they were given */
function requireGuards(
  { guards, unguarded }: Pick<ResolvedIdentity, 'guards' | 'unguarded'>,
  given: JobsMetricsIdentity['guards'],
): void {
  if (guards.length === 0 && !unguarded)
    throw new InvalidOptionError(
      'guards',
      given,
      'a list of one guard at least, or else set unguarded: true where a proxy or a network keeps others out',
    );
  if (guards.length > 0 && unguarded)
    throw new InvalidOptionError('unguarded', unguarded, 'left out beside guards, which would not be asked');
}
