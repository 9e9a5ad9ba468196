import { step, type Work } from '../../async/work.js';
import type { EncodedJob } from '../../job/encode-job.js';
import { DuplicateJobError } from '../../job/errors.js';
import { compareIds } from '../../job/id-order.js';
import type { Job } from '../../job/job.js';
import { decodeJob } from './row.js';
import type { Row } from './sql.js';
import type { TouchedJob, UniqueOutcome } from './unique-dialect.js';
import {
  holderOf,
  keysToLookAt,
  planUnique,
  wantedKeys,
  type Holder,
  type LockedKey,
  type PlannedAnswer,
  type Replacement,
  type WantedKey,
} from './unique-plan.js';

/** The statements of an enqueue, all in one transaction. */
export interface UniqueSteps {
  /** Locks the rows of keys, and makes those that are not there. In ascending order. */
  lockKeys(keys: readonly WantedKey[]): Work<readonly LockedKey[]>;
  /** The jobs that took these keys, those that exist. Those that hold them and wait are locked, in ascending order of id. */
  lockHolders(keys: readonly LockedKey[]): Work<readonly Holder[]>;
  /** @throws DuplicateIdError */
  insert(jobs: readonly EncodedJob[]): Work<readonly Job[]>;
  /** Makes those whose ids do not exist. In ascending order of id. */
  insertMissing(jobs: readonly EncodedJob[]): Work<InsertedOrSeen>;
  /** @returns the jobs as they are then, with the clock of the storage */
  replace(replacements: readonly Replacement[]): Work<readonly Holder[]>;
  /** Gives jobs that are locked the labels that these say, and no others. */
  relabel(jobs: readonly EncodedJob[]): Work<unknown>;
  /** Writes who holds keys now. */
  hold(keys: readonly WantedKey[]): Work<unknown>;
}

export interface InsertedOrSeen {
  readonly made: readonly Job[];
  /** Those that were there. */
  readonly seen: readonly Job[];
}

/** Carries out an enqueue of unique jobs. @throws DuplicateIdError, DuplicateJobError */
export function* enqueueUnique(jobs: readonly EncodedJob[], steps: UniqueSteps): Work<UniqueOutcome> {
  const wanted = wantedKeys(jobs);
  const locked = wanted.length === 0 ? [] : yield* steps.lockKeys(wanted);
  const toLookAt = keysToLookAt(wanted, locked);
  const holders = toLookAt.length === 0 ? [] : yield* steps.lockHolders(toLookAt);
  const plan = planUnique(jobs, locked, holders);
  const { made, seen } = yield* insertAll(plan.inserts, steps);
  const replaced = plan.replacements.length === 0 ? [] : yield* steps.replace(plan.replacements);
  const relabelled = plan.replacements.filter(({ isLabelled }) => isLabelled);
  if (relabelled.length > 0) yield* steps.relabel(relabelled.map(({ job }) => job));
  if (plan.holds.length > 0) yield* steps.hold(plan.holds);
  const storedById = new Map(made.map((job) => [job.id, job]));
  return {
    answers: answersOf(plan.answers, [...holders, ...replaced], storedById, seen),
    made: plan.inserts.filter(({ id }) => storedById.has(id)),
    stored: plan.inserts.flatMap(({ id }) => storedById.get(id) ?? []),
    touched: touchedAmong(plan.answers, [...holders, ...replaced]),
  };
}

/**
 * Gives a key back to a job that has ended and is about to run again, unless another job holds it by now. In one transaction
 * with that.
 * @throws DuplicateJobError
 */
export function* retakeKey(
  wanted: WantedKey,
  steps: Pick<UniqueSteps, 'lockKeys' | 'lockHolders' | 'hold'>,
): Work<void> {
  const locked = yield* steps.lockKeys([wanted]);
  const others = locked.filter(({ jobId }) => jobId !== wanted.jobId);
  if (others.length === 0) return;
  const holders = yield* steps.lockHolders(others);
  const holderId = holderOf(others[0]!, holders);
  if (holderId !== null) throw new DuplicateJobError(holderId, wanted);
  yield* steps.hold([wanted]);
}

/**
 * How often the row of a job is looked at that another has locked, and a millisecond before each further look. Mostly it is
 * a claim that is just taking the job. Who waits for its lock gets that of a job that runs, until the end of the transaction.
 */
export const LOOKS_BEFORE_WAITING = 10;

/** Whether a job holds a key in such a way that it must not start before our commit. */
export function isToLock({ status, lockedBy, attemptsDone }: Job, terms: LockedKey['while']): boolean {
  const mayHaveBegun = terms === 'unsettled';
  return status === 'PENDING' && lockedBy === undefined && (attemptsDone === 0 || mayHaveBegun);
}

/** Of a row of `JOB_COLUMNS` and `now`. @param isLocked whether the row is locked until our commit */
export function decodeHolder(row: Row, isLocked: boolean): Holder {
  const job = decodeJob(row);
  const isWaiting =
    isLocked && job.status === 'PENDING' && job.lockedBy === undefined && job.attemptsDone === 0;
  return { job, isWaiting, now: Number(row.now) };
}

function* insertAll(jobs: readonly EncodedJob[], steps: UniqueSteps): Work<InsertedOrSeen> {
  const others = jobs.filter(({ ifExists }) => ifExists !== 'join');
  const joining = jobs.filter(({ ifExists }) => ifExists === 'join');
  const made = others.length === 0 ? [] : yield* steps.insert(others);
  if (joining.length === 0) return { made, seen: [] };
  const byId = joining.toSorted((one, other) => compareIds(one.id, other.id));
  const rest = yield* steps.insertMissing(byId);
  return { made: [...made, ...rest.made], seen: rest.seen };
}

/** @param others holders, and after them what they were replaced by */
function answersOf(
  answers: readonly PlannedAnswer[],
  others: readonly Holder[],
  made: ReadonlyMap<string, Job>,
  seen: readonly Job[],
): Job[] {
  const known = new Map(
    [...seen, ...others.map(({ job }) => job), ...made.values()].map((job) => [job.id, job]),
  );
  return answers.map(({ id, enqueued }) => {
    const isThere = enqueued === 'created' && !made.has(id);
    return { ...known.get(id)!, enqueued: isThere ? 'joined' : enqueued };
  });
}

function touchedAmong(answers: readonly PlannedAnswer[], others: readonly Holder[]): TouchedJob[] {
  const ids = new Set(answers.map(({ id }) => id));
  const waiting = new Map(others.map((holder) => [holder.job.id, holder]));
  return [...waiting.values()]
    .filter(({ job, isWaiting }) => isWaiting && ids.has(job.id))
    .map(({ job: { id, kind, runAt }, now }) => ({ id, kind, dueInMs: Math.max(0, runAt.getTime() - now) }));
}

/** How often an id is tried that others delete and make meanwhile. */
const TRIES = 5;

/**
 * `insertMissing` by a statement that makes no job whose id exists.
 *
 * @param insert returns those that it made
 * @param see returns those that exist
 */
export function* insertOrSee(
  jobs: readonly EncodedJob[],
  insert: (jobs: readonly EncodedJob[]) => Work<readonly Job[]>,
  see: (ids: readonly string[]) => Work<readonly Holder[]>,
): Work<InsertedOrSeen> {
  const made: Job[] = [];
  const seen: Job[] = [];
  let left = jobs;
  for (let tries = 1; left.length > 0 && tries <= TRIES; tries++) {
    made.push(...(yield* insert(left)));
    left = left.filter(({ id }) => !made.some((job) => job.id === id));
    if (left.length > 0) seen.push(...(yield* see(left.map(({ id }) => id))).map(({ job }) => job));
    left = left.filter(({ id }) => !seen.some((job) => job.id === id));
  }
  return { made, seen };
}

/** A step that sends a statement, and reads what comes back. */
export function* ask<Value>(
  rows: readonly Row[] | Promise<readonly Row[]>,
  read: (row: Row) => Value,
): Work<Value[]> {
  return (yield* step(rows)).map(read);
}
