import type { JobPlan } from './behaviors.js';
import type { Random } from './random.js';

/** `unique` of an enqueue. */
export interface UniquePlan {
  readonly key: string;
  readonly while: 'waiting' | 'unsettled';
  readonly onConflict: 'join' | 'replace';
}

type KeyPlan = Omit<JobPlan, 'unique'> & { readonly unique: Omit<UniquePlan, 'onConflict'> };

/** A key decides over all but `onConflict`, so a job that is replaced still does what its plan says. */
const WAITING = { kind: 'fast', ms: 0, delayMs: 600, effect: true } as const;
const UNSETTLED = { kind: 'slow', ms: 600, effect: true } as const;
const KEYS: readonly KeyPlan[] = [
  { ...WAITING, unique: { key: 'waits', while: 'waiting' } },
  { ...WAITING, unique: { key: `"it's" \\ 💥`, while: 'waiting' } },
  { ...UNSETTLED, unique: { key: 'is open', while: 'unsettled' } },
  { ...UNSETTLED, unique: { key: 'IS OPEN', while: 'unsettled' } },
];
const REPLACE_SHARE = 0.25;

/** Draws the plan of a job that shares its key with others of both enqueuers. */
export function planUniqueJob(random: Random): JobPlan {
  const plan = random.pick(KEYS);
  const onConflict = random.chance(REPLACE_SHARE) ? 'replace' : 'join';
  return { ...plan, unique: { ...plan.unique, onConflict } };
}
