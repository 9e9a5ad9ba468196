import type { EncodedJob } from '../../job/encode-job.js';
import { DuplicateJobError } from '../../job/errors.js';
import { compareIds } from '../../job/id-order.js';
import type { Enqueued, Job } from '../../job/job.js';
import { labelsOfJobs } from '../../job/labels.js';
import type { StoredSettings } from '../../job/settings.js';
import type { EncodedUnique } from '../../job/unique.js';
import type { KeyPosition } from '../../queue/unique-job-store.js';

/*
 * What becomes of jobs with unique keys, once the rows of these keys are locked: the same on each database and in memory.
 */

/** A key, and the job that is to hold it where no other does. */
export interface WantedKey extends KeyPosition {
  readonly jobId: string;
  readonly while: EncodedUnique['while'];
  readonly forMs: number | null;
  readonly isIdNew: boolean;
}

/** The row of a key, which is locked. */
export interface LockedKey extends KeyPosition {
  /** The job that took it last. */
  readonly jobId: string;
  readonly while: EncodedUnique['while'];
  /** Its window is not over. */
  readonly isInWindow: boolean;
}

/** A job that took a key, as it is now. */
export interface Holder {
  readonly job: Job;
  /** It has not begun, and cannot before our commit: its row is locked. */
  readonly isWaiting: boolean;
  /** By the clock of the storage, in milliseconds since 1970. */
  readonly now: number;
}

/** What is to be written into a job that waits. */
export interface Replacement {
  /** All that an enqueue says of a job, with the id of the one that is replaced. */
  readonly job: EncodedJob;
  /** It does not start later, in milliseconds since 1970; null leaves it to the job. */
  readonly latestMs: number | null;
  /** Whether it has had labels, or is to have some. */
  readonly isLabelled: boolean;
}

export interface UniquePlan {
  /** Those to make. */
  readonly inserts: readonly EncodedJob[];
  readonly replacements: readonly Replacement[];
  /** Keys that get another holder than their rows say. */
  readonly holds: readonly WantedKey[];
  /** For each job of the list, the one that there is then. */
  readonly answers: readonly PlannedAnswer[];
}

export interface PlannedAnswer {
  readonly id: string;
  readonly enqueued: Enqueued;
}

/** The keys of the jobs in ascending order, each once: for the first of the jobs that has it. */
export function wantedKeys(jobs: readonly EncodedJob[]): WantedKey[] {
  const wanted = new Map<string, WantedKey>();
  for (const job of jobs) {
    if (job.unique === undefined) continue;
    const place = placeOf(job.kind, job.unique.key);
    if (!wanted.has(place)) wanted.set(place, wantedBy(job, job.unique));
  }
  return [...wanted.values()].toSorted(
    (one, other) => compareIds(one.kind, other.kind) || compareIds(one.key, other.key),
  );
}

/** Those of the keys that another job may hold. A job with a new id holds none before it is written. */
export function keysToLookAt(
  wanted: readonly WantedKey[],
  locked: readonly LockedKey[],
): readonly LockedKey[] {
  const own = new Set(wanted.flatMap(({ jobId, isIdNew }) => (isIdNew ? jobId : [])));
  return locked.filter(({ jobId }) => !own.has(jobId));
}

/** @throws DuplicateJobError */
export function planUnique(
  jobs: readonly EncodedJob[],
  locked: readonly LockedKey[],
  holders: readonly Holder[],
): UniquePlan {
  return new Planner(locked, holders).plan(jobs);
}

/**
 * The key that a job holds again when it is ready again; null where it has none, has begun and held it only before that, or
 * holds it for a time that goes on.
 */
export function keyToRetake(
  { id, kind, attemptsDone }: Pick<Job, 'id' | 'kind' | 'attemptsDone'>,
  { unique }: StoredSettings,
): WantedKey | null {
  if (unique === undefined || unique.while === 'window') return null;
  if (unique.while === 'waiting' && attemptsDone > 0) return null;
  return { kind, key: unique.key, jobId: id, while: unique.while, forMs: null, isIdNew: false };
}

export function placeOf(kind: string, key: string): string {
  return `${kind}\0${key}`; // no name has a NUL
}

function wantedBy({ id, kind }: EncodedJob, unique: EncodedUnique): WantedKey {
  const { key, while: held, forMs, isIdNew } = unique;
  return { kind, key, jobId: id, while: held, forMs, isIdNew };
}

/** Goes through the jobs of a list in its order. */
class Planner {
  private readonly locked: ReadonlyMap<string, LockedKey>;
  private readonly holders: ReadonlyMap<string, Holder>;
  /** By id. */
  private readonly inserts = new Map<string, EncodedJob[]>();
  private readonly replacements = new Map<string, Replacement>();
  /** By the place of the key: those that a job of the list has taken. */
  private readonly taken = new Map<string, WantedKey>();

  constructor(locked: readonly LockedKey[], holders: readonly Holder[]) {
    this.locked = new Map(locked.map((key) => [placeOf(key.kind, key.key), key]));
    this.holders = new Map(holders.map((holder) => [holder.job.id, holder]));
  }

  plan(jobs: readonly EncodedJob[]): UniquePlan {
    const answers = jobs.map((job) => this.answer(job));
    return {
      inserts: [...this.inserts.values()].flat(),
      replacements: [...this.replacements.values()],
      holds: [...this.taken].flatMap(([place, key]) => (this.isWritten(place, key) ? [] : key)),
      answers,
    };
  }

  private answer(job: EncodedJob): PlannedAnswer {
    const { unique } = job;
    const holderId = unique === undefined ? null : this.holderOf(placeOf(job.kind, unique.key));
    if (unique === undefined || holderId === null) return this.insert(job);
    if (unique.onConflict === 'reject')
      throw new DuplicateJobError(holderId, { kind: job.kind, key: unique.key });
    return unique.onConflict === 'join'
      ? { id: holderId, enqueued: 'joined' }
      : this.replace(job, unique, holderId);
  }

  /** The id of the job that holds a key now. */
  private holderOf(place: string): string | null {
    const taken = this.taken.get(place);
    if (taken !== undefined) return taken.jobId;
    const key = this.locked.get(place);
    const holder = key === undefined ? undefined : this.holders.get(key.jobId);
    return holder !== undefined ? holderOf(key!, [holder]) : null;
  }

  private insert(job: EncodedJob): PlannedAnswer {
    const { id, unique } = job;
    const others = this.inserts.get(id);
    if (others !== undefined && job.ifExists === 'join') return { id, enqueued: 'joined' };
    this.inserts.set(id, [...(others ?? []), job]); // the storage refuses the second
    if (unique !== undefined) this.taken.set(placeOf(job.kind, unique.key), wantedBy(job, unique));
    return { id, enqueued: 'created' };
  }

  private replace(job: EncodedJob, unique: EncodedUnique, id: string): PlannedAnswer {
    const holder = this.holders.get(id);
    const inserted = this.inserts.get(id)?.at(-1);
    if (inserted === undefined && !holder!.isWaiting) return this.insert(job);
    this.taken.set(placeOf(job.kind, unique.key), { ...wantedBy(job, unique), jobId: id, isIdNew: false });
    if (inserted !== undefined) {
      this.inserts.set(id, [{ ...job, id, ...(inserted.ifExists && { ifExists: 'join' }) }]);
      return { id, enqueued: 'replaced' };
    }
    const latestMs = unique.maxWaitMs === null ? null : holder!.job.createdAt.getTime() + unique.maxWaitMs;
    const { tags, schedule } = holder!.job;
    const isLabelled = tags !== undefined || schedule !== undefined || labelsOfJobs([job]).length > 0;
    this.replacements.set(id, { job: { ...job, id }, latestMs, isLabelled });
    return { id, enqueued: 'replaced' };
  }

  /** Whether the row of a key says already what it is to say: it may have just been made. */
  private isWritten(place: string, { jobId, while: held, isIdNew }: WantedKey): boolean {
    const row = this.locked.get(place);
    if (row?.jobId !== jobId) return false;
    return isIdNew || (held !== 'window' && row.while === held);
  }
}

/** The id of the job that holds a key now. */
export function holderOf(key: LockedKey, holders: readonly Holder[]): string | null {
  const holder = holders.find(({ job }) => job.id === key.jobId);
  return holder !== undefined && isHeld(key, holder) ? holder.job.id : null;
}

/** How long a job holds its key, the terms of that job say, and not those of the one that comes. */
function isHeld({ while: held, isInWindow }: LockedKey, { job, isWaiting }: Holder): boolean {
  if (held === 'waiting') return isWaiting;
  return held === 'unsettled' ? job.status === 'PENDING' : isInWindow;
}
