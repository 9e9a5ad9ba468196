import { allow, isObject, moduleName, wholeNumber } from '../job/option-checks.js';
import { resolveByRules, type OptionRules } from '../job/option-rules.js';
import { DEFAULT_NAME } from '../nest/jobs.tokens.js';

/** From where on jobs count as unhealthy. Every option may be left out. */
export interface JobsHealthOptions {
  /** The name of the `JobsModule`. Default: the one without a name. */
  readonly name?: string;
  /** How long the database may take to answer a check, in milliseconds, 100 to 60,000. Default 2000. */
  readonly databaseTimeoutMs?: number;
  /** A worker whose loops give no sign of life for longer is dead, in milliseconds, at least 5000. Default 60,000. */
  readonly maxSilentMs?: number;
  /** How long the oldest ready job of a kind may wait, in milliseconds; `Infinity` for any time. Default 300,000. */
  readonly maxReadyMs?: number;
  /** The same for single kinds, by their names: `{ report: 3_600_000 }`. */
  readonly maxReadyMsOf?: Readonly<Record<string, number>>;
  /** How late a tick of a schedule may be, in milliseconds; `Infinity` for any time. Default 60,000. */
  readonly maxOverdueMs?: number;
}

/** The options with their defaults. */
export type HealthSettings = ReturnType<typeof resolveHealthOptions>;

const isTime = (value: unknown) => typeof value === 'number' && value >= 0;
const aTime = allow('a number of milliseconds from 0, or Infinity', isTime);

/** The rules of the options of `JobsHealthModule`. */
const HEALTH_RULES = {
  name: { default: DEFAULT_NAME, check: moduleName },
  databaseTimeoutMs: { default: 2_000, check: wholeNumber(100, 60_000) },
  maxSilentMs: { default: 60_000, check: wholeNumber(5_000) },
  maxReadyMs: { default: 300_000, check: aTime },
  maxReadyMsOf: {
    default: {},
    check: allow(
      'an object with a number of milliseconds for each kind',
      (value) => isObject(value) && Object.values(value).every(isTime),
    ),
  },
  maxOverdueMs: { default: 60_000, check: aTime },
} satisfies OptionRules<JobsHealthOptions>;

/** @throws InvalidOptionError */
export function resolveHealthOptions(options: JobsHealthOptions) {
  return resolveByRules(options, HEALTH_RULES);
}
