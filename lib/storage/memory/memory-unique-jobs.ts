import type { QueryRunner } from 'typeorm';
import { finishNow, step, type Work } from '../../async/work.js';
import type { EncodedJob } from '../../job/encode-job.js';
import type { Job } from '../../job/job.js';
import type { EnqueueTarget } from '../../queue/transactions.js';
import { UniqueJobStore, type KeyPosition, type SweptKeys } from '../../queue/unique-job-store.js';
import { compareIds } from '../../job/id-order.js';
import { SWEPT_AT_ONCE, sweptKeys, type TouchedJob, type UniqueOutcome } from '../sql/unique-dialect.js';
import {
  holderOf,
  placeOf,
  wantedKeys,
  type Holder,
  type LockedKey,
  type Replacement,
  type WantedKey,
} from '../sql/unique-plan.js';
import { enqueueUnique, retakeKey, type UniqueSteps } from '../sql/unique-work.js';
import { isRunning, show, store, type Stored } from './memory-job.js';
import type { MemoryJobs } from './memory-jobs.js';
import { MemoryKeyLocks } from './memory-key-locks.js';
import type { MemoryTransactions } from './memory-transactions.js';

/** What unique jobs in memory have from their queue. */
export interface MemoryUniqueParts {
  readonly jobs: MemoryJobs;
  readonly now: () => number;
  readonly transactions: MemoryTransactions;
  /** Adds jobs, and tells of them. */
  readonly commit: (jobs: readonly EncodedJob[], stored: readonly Stored[]) => void;
  readonly tell: (kind: string, inMs: number) => void;
}

interface StoredKey extends KeyPosition {
  readonly jobId: string;
  readonly while: LockedKey['while'];
  readonly until: number | null;
}

const NOTHING_MADE: UniqueOutcome = { answers: [], made: [], stored: [], touched: [] };

/** What an enqueue changes, beside the answers. */
class Changes {
  readonly made: Stored[] = [];
  readonly replaced: Stored[] = [];
  /** Jobs that no claim takes until the end of the transaction. */
  readonly held: string[] = [];
  /** Keys as they were before, the newest last. */
  readonly before: [place: string, key: StoredKey | undefined][] = [];
}

/** Unique jobs in memory. Transactions that enqueue the same key go one after the other, as in a database. */
export class MemoryUniqueJobs extends UniqueJobStore {
  private readonly keys = new Map<string, StoredKey>();
  private readonly locks = new MemoryKeyLocks();

  constructor(private readonly parts: MemoryUniqueParts) {
    super();
  }

  async enqueue(jobs: readonly EncodedJob[], target: EnqueueTarget = {}): Promise<Job[]> {
    const runner = target.manager?.queryRunner;
    const queryRunner = runner?.isTransactionActive === true ? runner : undefined;
    const locked = await this.locks.lock(placesOf(jobs), queryRunner);
    const changes = new Changes();
    let outcome: UniqueOutcome;
    try {
      outcome = finishNow(enqueueUnique(jobs, this.steps(changes, target)));
    } catch (error) {
      this.undo(changes);
      this.locks.release(locked);
      throw error;
    }
    if (queryRunner === undefined) this.commit(outcome, changes);
    else this.joined(queryRunner, outcome, changes, locked);
    return [...outcome.answers];
  }

  /** Whether a job holds this key of its kind now. */
  holds(job: Stored, key: string): boolean {
    const held = this.keys.get(placeOf(job.kind, key));
    if (held?.jobId !== job.id) return false;
    const isInWindow = (held.until ?? -Infinity) > this.parts.now();
    const shown = show(job, this.parts.now());
    const isWaiting = job.status === 'PENDING' && !isRunning(job) && job.attemptsDone === 0;
    return holderOf({ ...held, isInWindow }, [{ job: shown, isWaiting, now: this.parts.now() }]) !== null;
  }

  /** Gives a key back to a job that is about to run again. @throws DuplicateJobError where another job holds it */
  async retake(wanted: WantedKey, target: EnqueueTarget = {}): Promise<void> {
    const runner = target.manager?.queryRunner;
    const queryRunner = runner?.isTransactionActive === true ? runner : undefined;
    const locked = await this.locks.lock([placeOf(wanted.kind, wanted.key)], queryRunner);
    const changes = new Changes();
    try {
      finishNow(retakeKey(wanted, this.steps(changes, target)));
    } catch (error) {
      this.undo(changes);
      this.locks.release(locked);
      throw error;
    }
    if (queryRunner !== undefined) this.joined(queryRunner, NOTHING_MADE, changes, locked);
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- the contract is asynchronous, a Map is not
  async sweep(after: KeyPosition | null): Promise<SweptKeys> {
    const start = after === null ? null : placeOf(after.kind, after.key);
    const part = [...this.keys.keys()]
      .toSorted(compareIds)
      .filter((place) => start === null || compareIds(place, start) > 0)
      .slice(0, SWEPT_AT_ONCE);
    const last = part.length === 0 ? null : this.keys.get(part.at(-1)!)!;
    const free = part.filter((place) => this.isFree(this.keys.get(place)!));
    for (const place of free) this.keys.delete(place);
    return sweptKeys(part.length, free.length, last);
  }

  private joined(
    queryRunner: QueryRunner,
    outcome: UniqueOutcome,
    changes: Changes,
    locked: readonly string[],
  ): void {
    this.parts.jobs.hold(changes.held);
    const onCommit = () => {
      this.parts.jobs.letGo(changes.held);
      this.commit(outcome, changes);
      this.locks.release(locked);
    };
    const onRollback = () => {
      this.undo(changes);
      this.parts.jobs.letGo(changes.held);
      this.tellOf(outcome.touched);
      this.locks.release(locked);
    };
    this.parts.transactions.atEnd(queryRunner, [...changes.made, ...changes.replaced], onCommit, onRollback);
  }

  private commit({ made, touched }: UniqueOutcome, changes: Changes): void {
    for (const job of changes.replaced) this.parts.jobs.replace(job);
    this.parts.commit(made, changes.made);
    this.tellOf(touched);
  }

  private undo({ before }: Changes): void {
    for (const [place, key] of before.toReversed())
      if (key === undefined) this.keys.delete(place);
      else this.keys.set(place, key);
  }

  private tellOf(touched: readonly TouchedJob[]): void {
    for (const { kind, dueInMs } of touched) this.parts.tell(kind, dueInMs);
  }

  private steps(changes: Changes, target: EnqueueTarget): UniqueSteps {
    const { jobs } = this.parts;
    const uncommitted = () => [...this.parts.transactions.uncommittedIn(target), ...changes.made];
    const find = (id: string) => uncommitted().findLast((job) => job.id === id) ?? jobs.get(id);
    const make = (given: readonly EncodedJob[]): Work<readonly Job[]> => {
      const made = jobs.make(given, uncommitted());
      changes.made.push(...made);
      return step(made.map((job) => this.show(job)));
    };
    const shown = (job: Stored) => show(job, this.parts.now());
    const write = (key: WantedKey) => this.write(key, changes);
    return {
      lockKeys: (wanted) => step(wanted.map((key) => this.lockKey(key, changes))),
      lockHolders: (held) =>
        step(
          held.flatMap(({ jobId, while: terms }) => {
            const job = find(jobId);
            return job === undefined ? [] : this.holder(job, terms, changes);
          }),
        ),
      insert: make,
      *insertMissing(given) {
        const seen = given.flatMap(({ id }) => find(id) ?? []).map(shown);
        const made = yield* make(given.filter(({ id }) => !seen.some((job) => job.id === id)));
        return { made, seen };
      },
      replace: (replacements) =>
        step(
          replacements.map((replacement) => {
            const job = replaced(find(replacement.job.id)!, replacement, this.parts.now());
            changes.replaced.push(job);
            return this.holder(job, 'waiting', changes);
          }),
        ),
      relabel: () => step(undefined), // what finds a job in memory looks at its settings
      *hold(wanted) {
        yield* step(undefined);
        for (const key of wanted) write(key);
      },
    };
  }

  private lockKey(wanted: WantedKey, changes: Changes): LockedKey {
    const place = placeOf(wanted.kind, wanted.key);
    if (!this.keys.has(place)) this.write(wanted, changes);
    const { kind, key, jobId, while: held, until } = this.keys.get(place)!;
    return { kind, key, jobId, while: held, isInWindow: (until ?? -Infinity) > this.parts.now() };
  }

  private write({ kind, key, jobId, while: held, forMs }: WantedKey, { before }: Changes): void {
    const place = placeOf(kind, key);
    before.push([place, this.keys.get(place)]);
    const until = forMs === null ? null : this.parts.now() + forMs;
    this.keys.set(place, { kind, key, jobId, while: held, until });
  }

  private holder(job: Stored, terms: LockedKey['while'], { held }: Changes): Holder {
    const isOpen = job.status === 'PENDING' && !isRunning(job);
    const isWaiting = isOpen && job.attemptsDone === 0;
    if (isWaiting || (isOpen && terms === 'unsettled')) held.push(job.id);
    return { job: show(job, this.parts.now()), isWaiting, now: this.parts.now() };
  }

  private show(job: Stored): Job {
    return { ...show(job, this.parts.now()), enqueued: 'created' };
  }

  private isFree({ jobId, while: held, until }: StoredKey): boolean {
    const job = this.parts.jobs.get(jobId);
    if (job === undefined) return !this.parts.jobs.isHeld(jobId);
    if (held === 'window') return until! <= this.parts.now();
    return job.status !== 'PENDING' || (held === 'waiting' && job.attemptsDone > 0);
  }
}

/** What an enqueue locks: its keys, and the ids that may exist. No key is empty. */
function placesOf(jobs: readonly EncodedJob[]): string[] {
  const keys = wantedKeys(jobs).map(({ kind, key }) => placeOf(kind, key));
  const ids = jobs.filter(({ ifExists }) => ifExists === 'join').map(({ id }) => placeOf(id, ''));
  return [...keys, ...new Set(ids)].toSorted(compareIds);
}

/** The job with all that an enqueue says of a new one. */
function replaced(old: Stored, { job, latestMs }: Replacement, now: number): Stored {
  const { id: _id, createdAt: _at, leaseToken: _token, maxAttempts, ...written } = store(job, now);
  const { maxAttempts: _before, ...kept } = old;
  const runAt = new Date(Math.min(written.runAt.getTime(), latestMs ?? Infinity));
  return { ...kept, ...written, runAt, ...(maxAttempts !== undefined && { maxAttempts }) };
}
