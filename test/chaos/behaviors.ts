import type { Random } from './random.js';
import type { UniquePlan } from './unique-keys.js';

/** How a job behaves. The plan is drawn before the job is enqueued, and travels in its payload. */
export interface JobPlan {
  readonly kind: Kind;
  /** How long its handler takes. */
  readonly ms: number;
  /** How many attempts fail, or end their process, before one succeeds; `always` if none does. */
  readonly failures?: number | 'always';
  /** A key of HOSTILE or HOSTILE_ENDINGS: the hostile value in its payload, or the hostile way in which it ends. */
  readonly trick?: string;
  /** The handler writes a row to the table of effects. */
  readonly effect?: boolean;
  /** The handler returns nothing. The package writes equal outcomes with a different statement. */
  readonly silent?: boolean;
  readonly delayMs?: number;
  readonly priority?: number;
  /** The unique key that it is enqueued with. */
  readonly unique?: UniquePlan;
}

export interface JobPayload {
  readonly plan: JobPlan;
  readonly value?: unknown;
  /** The call that enqueued it, where it has a unique key. */
  readonly call?: string;
  /** The call that updated it. */
  readonly change?: string;
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

/** What a job carries. @param marks the call that wrote it, where that tells something */
export function payloadOf(plan: JobPlan, marks: Pick<JobPayload, 'call' | 'change'> = {}): JobPayload {
  return { plan, value: HOSTILE[plan.trick as keyof typeof HOSTILE], ...marks };
}

/** The time-out of the kind `ignoring`, whose handlers ignore it. */
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
/** Unusual ways for a handler to end, with the status that each leads to. */
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
/**
 * Jobs that hurt the whole process come once in `MIN_STEP` jobs, or less often in a long run: at most `MAX_STEPS` times
 * for each enqueuer. Little else gets done while such jobs are being convicted.
 */
const MIN_STEP = 3_000;
const MAX_STEPS = 5;

/** Draws the plan of the `n`th of an enqueuer's `quota` jobs. */
export function planJob(random: Random, n: number, quota: number): JobPlan {
  const index = n % Math.max(Math.min(quota, MIN_STEP), Math.ceil(quota / MAX_STEPS));
  const common = {
    effect: random.chance(0.2) || undefined,
    delayMs: random.chance(0.08) ? random.int(200, 4_000) : undefined,
    priority: random.chance(0.1) ? random.int(-3, 3) : undefined,
  };
  if (index === 7) return { kind: 'exiting', ms: 20, failures: 'always' };
  if (index === 11) return { kind: 'exiting', ms: 20, failures: 1 };
  if (index === 13) return { kind: 'blocking', ms: random.int(2_500, 3_500) };
  if (random.chance(0.002)) return { kind: 'blocking', ms: random.int(200, 600) };
  const kind = random.weighted(SHARES);
  return { ...common, kind, ...detailsOf(kind, random) };
}

function detailsOf(kind: keyof typeof SHARES, random: Random): Omit<JobPlan, 'kind'> {
  switch (kind) {
    case 'fast':
      return { ms: 0, silent: random.chance(0.4) || undefined };
    case 'slow':
      // Some run for longer than a lease, so they depend on heartbeats.
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

/** The statuses that a job with this plan may end in, unless it is convicted of killing its worker. */
export function endingsOf(plan: JobPlan): readonly string[] {
  switch (plan.kind) {
    case 'failing':
      return ['FAILED'];
    case 'ignoring':
      // On a very busy machine, even 20 ms may take longer than the time-out.
      return plan.ms > TIMEOUT_MS ? ['FAILED'] : ['DONE', 'FAILED'];
    case 'exiting':
      return plan.failures === 'always' ? ['PANIC'] : ['DONE'];
    case 'hostile':
      return [HOSTILE_ENDINGS[plan.trick ?? ''] ?? 'DONE'];
    default:
      return ['DONE'];
  }
}

/** How many attempts the job takes if no fault hits it. */
export function attemptsOf(plan: JobPlan): number {
  return plan.kind === 'retrying' ? Number(plan.failures) + 1 : 1;
}
