import { A_DURATION, durationText, parseDuration, type Duration } from './duration.js';
import { allow, isObject, type OptionCheck } from './option-checks.js';
import { resolveByRules, type OptionRules } from './option-rules.js';
import { MAX_DELAY_MS } from './retry.js';

/** How long settled jobs are kept, by how they ended; `0` deletes with the settlement, and `false` keeps for good. */
export interface StatusRetention {
  /** Jobs that are `DONE`. Default `'7d'`. */
  readonly done?: Duration | false;
  /** Jobs that are `CANCELLED`. Default `'7d'`. */
  readonly cancelled?: Duration | false;
  /** Jobs that are `FAILED`. Default `'90d'`. */
  readonly failed?: Duration | false;
  /** Jobs that are `PANIC`. Default `'90d'`. */
  readonly panic?: Duration | false;
}

/** When settled jobs are deleted. */
export interface RetentionOptions extends StatusRetention {
  /** Kinds with times of their own. What one leaves out is as for all others. `false` keeps everything of a kind. */
  readonly perKind?: Readonly<Record<string, StatusRetention | false>>;
}

/** A status that no worker touches again. */
export type SettledStatus = 'DONE' | 'CANCELLED' | 'FAILED' | 'PANIC';

/** How long to keep jobs, in milliseconds from when they were settled. What is not here is kept for good. */
export type Ages = Readonly<Partial<Record<SettledStatus, number>>>;

const STATUS_OF = { done: 'DONE', cancelled: 'CANCELLED', failed: 'FAILED', panic: 'PANIC' } as const;
const STATUSES = Object.entries(STATUS_OF) as [keyof StatusRetention, SettledStatus][];

/** When settled jobs of each kind and status are deleted. */
export class Retention {
  /** Whether any job is deleted with its settlement. Most applications have none, and need not be asked for each job. */
  private readonly deletesSome: boolean;

  constructor(
    /** Those of kinds that have no ages of their own. */
    readonly general: Ages,
    /** By kind. */
    readonly own: ReadonlyMap<string, Ages> = new Map(),
  ) {
    this.deletesSome = this.ages.includes(0);
  }

  /** Whether no job is ever deleted. */
  get keepsAll(): boolean {
    return this.ages.length === 0;
  }

  /** Every age that there is, in milliseconds. */
  get ages(): number[] {
    return [this.general, ...this.own.values()].flatMap((ages) => Object.values(ages));
  }

  /** In milliseconds; undefined for a job that is kept for good, and for one that is not settled. */
  ageOf(kind: string, status: string): number | undefined {
    const ages = this.own.get(kind) ?? this.general;
    return Object.hasOwn(ages, status) ? ages[status as SettledStatus] : undefined;
  }

  /** Whether a job is deleted with the settlement that leaves it in this status. */
  deletesAtOnce(kind: string, status: string): boolean {
    return this.deletesSome && this.ageOf(kind, status) === 0;
  }

  /** For a log: `done after 7d, cancelled at once, failed after 90d, panic never; kind report.nightly: done never, …`. */
  toString(): string {
    const own = [...this.own].map(([kind, ages]) => `; kind ${kind}: ${textOf(ages)}`);
    return textOf(this.general) + own.join('');
  }
}

/** Nothing is deleted. */
export const KEEP_ALL = new Retention({});

const age: OptionCheck = allow(
  `${A_DURATION}, up to 100 years; 0 to delete at once, or false to keep for good`,
  (value) => value === false || (parseDuration(value) ?? Infinity) <= MAX_DELAY_MS,
);

const STATUS_RULES = {
  done: { default: '7d', check: age },
  cancelled: { default: '7d', check: age },
  failed: { default: '90d', check: age },
  panic: { default: '90d', check: age },
} satisfies OptionRules<StatusRetention>;

const RETENTION_RULES = {
  ...STATUS_RULES,
  perKind: {
    default: {},
    check: allow(
      'an object with a kind as the name of each entry',
      (value) => isObject(value) && Object.keys(value).every((kind) => kind.trim() !== ''),
    ),
  },
} satisfies OptionRules<RetentionOptions>;

/**
 * Checks the option `retention` and fills in the defaults.
 * @throws InvalidOptionError
 */
export function resolveRetention(options: RetentionOptions | false = {}): Retention {
  if (options === false) return KEEP_ALL;
  const { perKind, ...general } = resolveByRules(options, RETENTION_RULES, { prefix: 'retention.' });
  const own = Object.entries(perKind).map(
    ([kind, given]) => [kind.trim(), agesOf(kind, given, general)] as const,
  );
  return new Retention(encode(general), new Map(own));
}

/** What a kind leaves out is as in general. */
function agesOf(kind: string, given: StatusRetention | false, general: Required<StatusRetention>): Ages {
  const prefix = `retention.perKind.${kind}`;
  if (given === false) return {};
  allow(
    'an object with done, cancelled, failed or panic, or false to keep everything of this kind',
    isObject,
  )(given, prefix, undefined);
  const rules = Object.fromEntries(
    STATUSES.map(([name]) => [name, { default: general[name], check: age }]),
  ) as unknown as OptionRules<StatusRetention>;
  return encode(resolveByRules(given, rules, { prefix: `${prefix}.` }) as Required<StatusRetention>);
}

function encode(given: Required<StatusRetention>): Ages {
  const kept = STATUSES.filter(([name]) => given[name] !== false);
  return Object.fromEntries(kept.map(([name, status]) => [status, Math.round(parseDuration(given[name])!)]));
}

function textOf(ages: Ages): string {
  const text = (ms = Infinity) =>
    ms === Infinity ? 'never' : ms === 0 ? 'at once' : `after ${durationText(ms)}`;
  return STATUSES.map(([name, status]) => `${name} ${text(ages[status])}`).join(', ');
}
