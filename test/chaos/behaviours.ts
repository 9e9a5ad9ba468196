import type { Random } from './random.js';

/** How a job behaves, drawn before it is enqueued, and carried in its payload. */
export interface JobPlan {
  readonly kind: Kind;
  /** How long its handler takes. */
  readonly ms: number;
  /** In how many attempts it fails, or ends its process, before it succeeds; `always` where it never does. */
  readonly failures?: number | 'always';
  /** What is done to the value: one of HOSTILE. */
  readonly trick?: string;
  /** The handler leaves a row in the table of effects. */
  readonly effect?: boolean;
  /** The handler returns nothing: outcomes that are alike are written in another way. */
  readonly silent?: boolean;
  readonly delayMs?: number;
  readonly priority?: number;
}

export const KINDS = {
  fast: 'fast',
  slow: 'slow',
  retrying: 'retrying',
  failing: 'failing',
  ignoring: 'ignoring',
  blocking: 'blocking',
  exiting: 'exiting',
  hostile: `ho'st"ile'; DROP TABLE \`nest_jobs\`; -- 💥`,
} as const;
export type Kind = keyof typeof KINDS;

/** Handlers of the kind `ignoring` have so long, and do not care. */
export const TIMEOUT_MS = 700;

/** Values and errors that have broken queues before. */
export const HOSTILE = {
  nul: { text: 'a\u0000b' },
  surrogate: { text: 'x\ud800y' },
  proto: JSON.parse('{"__proto__": {"polluted": true}, "constructor": {"prototype": 1}}') as unknown,
  emoji: { '💥': 'O\'Brien \\ " ` %s ? $1 :id' },
  deep: { a: [[[[[[[[{ b: null }]]]]]]]] },
  long: { text: 'ü'.repeat(20_000) },
} as const;
/** Ways for a handler to end that are not returning a value or throwing an error; with the status they lead to. */
export const HOSTILE_ENDINGS: Readonly<Record<string, 'PANIC' | 'FAILED' | undefined>> = {
  'throw undefined': 'PANIC',
  'throw text': 'PANIC',
  'throw NUL': 'FAILED',
  'throw cyclic cause': 'FAILED',
  'throw getter': 'PANIC',
  'return BigInt': 'FAILED',
  'return cycle': 'FAILED',
};

const SHARES = { fast: 74, slow: 8, retrying: 6, failing: 2, ignoring: 2, hostile: 8 } as const;
/** Jobs that hurt the whole process come once in so many; and in a long run no more than five times per enqueuer, for while they are convicted little else gets done. */
const MIN_STEP = 3_000;
const MAX_STEPS = 5;

/** Draws what the `n`th of an enqueuer's `quota` jobs will do. */
export function planJob(random: Random, n: number, quota: number): JobPlan {
  const place = n % Math.max(Math.min(quota, MIN_STEP), Math.ceil(quota / MAX_STEPS));
  const common = {
    effect: random.chance(0.2) || undefined,
    delayMs: random.chance(0.08) ? random.int(200, 4_000) : undefined,
    priority: random.chance(0.1) ? random.int(-3, 3) : undefined,
  };
  if (place === 7) return { kind: 'exiting', ms: 20, failures: 'always' };
  if (place === 11) return { kind: 'exiting', ms: 20, failures: 1 };
  if (place === 13) return { kind: 'blocking', ms: random.int(2_500, 3_500) };
  if (random.chance(0.002)) return { kind: 'blocking', ms: random.int(200, 600) };
  const kind = random.weighted(SHARES);
  return { ...common, kind, ...detailsOf(kind, random) };
}

function detailsOf(kind: keyof typeof SHARES, random: Random): Omit<JobPlan, 'kind'> {
  switch (kind) {
    case 'fast':
      return { ms: 0, silent: random.chance(0.4) || undefined };
    case 'slow':
      // Some outlast their lease several times, and live by their heartbeats.
      return { ms: random.chance(0.05) ? random.int(3_000, 6_000) : random.int(20, 600), effect: true };
    case 'retrying':
      return { ms: random.int(0, 30), failures: random.int(1, 2), effect: true };
    case 'failing':
      return { ms: random.int(0, 30) };
    case 'ignoring':
      return { ms: random.chance(0.3) ? TIMEOUT_MS * 3 : 20 };
    case 'hostile':
      return { ms: 0, trick: random.pick([...Object.keys(HOSTILE), ...Object.keys(HOSTILE_ENDINGS)]) };
  }
}

/** The statuses that a job of this plan may end in, if it is not convicted of killing its worker. */
export function endingsOf(plan: JobPlan): readonly string[] {
  switch (plan.kind) {
    case 'failing':
      return ['FAILED'];
    case 'ignoring':
      // On a machine that is busy enough even 20 ms may take longer than the time-out.
      return plan.ms > TIMEOUT_MS ? ['FAILED'] : ['DONE', 'FAILED'];
    case 'exiting':
      return plan.failures === 'always' ? ['PANIC'] : ['DONE'];
    case 'hostile':
      return [HOSTILE_ENDINGS[plan.trick ?? ''] ?? 'DONE'];
    default:
      return ['DONE'];
  }
}

/** How many attempts it takes where nothing gets in its way. */
export function attemptsOf(plan: JobPlan): number {
  return plan.kind === 'retrying' ? Number(plan.failures) + 1 : 1;
}
