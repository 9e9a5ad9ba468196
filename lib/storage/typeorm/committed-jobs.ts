import type { DataSource, QueryRunner } from 'typeorm';
import type { JobsEvents } from '../../events/jobs-events.js';
import type { EncodedJob } from '../../job/encode-job.js';
import { ForeignTransactionError } from '../../job/storage-errors.js';
import type { Job } from '../../job/job.js';
import type { CancelledJob } from '../../queue/job-editor.js';
import type { EnqueueTarget } from '../../queue/job-queue.js';
import type { CommitWatcher } from '../transactions/commit-watcher.js';
import { dataSourceOf } from '../transactions/typeorm-compat.js';
import type { TouchedJob } from '../sql/unique-dialect.js';
import { enqueued, type DueTimes } from './due-times.js';
import type { WakeUps } from './wake-ups.js';

/** The transactions of callers, and who is told of jobs once these are committed: listeners and workers. */
export class CommittedJobs {
  constructor(
    private readonly dataSource: DataSource,
    private readonly commits: CommitWatcher,
    private readonly wakeUps: WakeUps,
    private readonly events: JobsEvents,
  ) {}

  /** The query runner of the transaction that a caller gave. @throws ForeignTransactionError */
  queryRunnerOf({ manager }: EnqueueTarget): QueryRunner | undefined {
    if (manager === undefined || dataSourceOf(manager) === this.dataSource) return manager?.queryRunner;
    throw new ForeignTransactionError('The transaction that this would be part of');
  }

  /**
   * Calls back when what was written is committed: at once where the query runner is in no transaction.
   * @param onRollback is called instead where it is rolled back
   */
  afterCommit(queryRunner: QueryRunner | undefined, callback: () => void, onRollback?: () => void): void {
    if (queryRunner?.isTransactionActive === true)
      this.commits.afterCommit(queryRunner, callback, onRollback);
    else callback();
  }

  /**
   * @param stored the same jobs as they are stored
   * @param isJoined whether they were written in a transaction of the caller's
   * @param agoMs how long ago they were written
   */
  tell(jobs: readonly EncodedJob[], stored: readonly Job[], isJoined = false, agoMs = 0): void {
    this.events.emit('enqueued', { jobs });
    const { ready, scheduled } = enqueued(jobs, stored, isJoined, agoMs);
    if (ready.length > 0) this.wakeUps.committed(ready);
    this.tellOfScheduled(scheduled);
  }

  /** Tells of jobs that others could not claim for as long as they were locked, or that are due at another time now. */
  tellOfTouched(touched: readonly TouchedJob[], agoMs = 0): void {
    const ready = touched.filter(({ dueInMs }) => dueInMs <= agoMs);
    if (ready.length > 0) this.wakeUps.committed(ready);
    for (const { kind, dueInMs } of touched)
      if (dueInMs > agoMs) this.wakeUps.scheduled([kind], dueInMs - agoMs);
  }

  /** Jobs have been told to end: those that waited have ended with it, and workers are to stop the others. */
  tellOfCancelled(jobs: readonly CancelledJob[], reason: string | null): void {
    const waiting = jobs.filter(({ isRunning }) => !isRunning);
    const running = jobs.filter(({ isRunning }) => isRunning).map(({ id }) => id);
    if (running.length > 0) this.wakeUps.stopped(running);
    if (waiting.length > 0) this.events.emit('waitingCancelled', { jobs: waiting, reason });
  }

  tellOfScheduled(dueTimes: DueTimes): void {
    for (const [kind, inMs] of dueTimes) this.wakeUps.scheduled(kind === null ? null : [kind], inMs);
  }
}
