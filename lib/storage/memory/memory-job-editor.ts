import type { JobsEvents } from '../../events/jobs-events.js';
import type { Job } from '../../job/job.js';
import type { JobStatus } from '../../job/job-state.js';
import { decodeSettings, encodeSettings, type StoredSettings } from '../../job/settings.js';
import {
  JobEditor,
  type CancelledJob,
  type JobChanges,
  type JobRetry,
  type JobStart,
  type RetriedJobs,
  type StopListener,
} from '../../queue/job-editor.js';
import type { EnqueueTarget } from '../../queue/transactions.js';
import { retryEach } from '../sql/retry-each.js';
import { keyToRetake, type WantedKey } from '../sql/unique-plan.js';
import { copyOf, isRunning, isWaiting, show, type Stored } from './memory-job.js';
import type { MemoryJobs } from './memory-jobs.js';
import type { MemoryTransactions } from './memory-transactions.js';

/** What the editor of jobs in memory has from its queue. */
export interface MemoryEditorParts {
  readonly now: () => number;
  readonly jobs: MemoryJobs;
  readonly transactions: MemoryTransactions;
  readonly events: JobsEvents;
  /** Gives a key back to a job. @throws DuplicateJobError where another job holds it */
  readonly retake: (wanted: WantedKey, target: EnqueueTarget) => Promise<void>;
  /** Jobs of this kind may be ready. */
  readonly tell: (kinds: readonly string[]) => void;
}

/* eslint-disable @typescript-eslint/require-await -- the contract is asynchronous, a Map is not */

/** Changes jobs in memory. What is changed in a transaction changes with its commit, where the job still allows it. */
export class MemoryJobEditor extends JobEditor {
  private readonly listeners = new Set<StopListener>();

  constructor(private readonly parts: MemoryEditorParts) {
    super();
  }

  async look(id: string, target?: EnqueueTarget): Promise<Job | null> {
    const job = this.find(id, target);
    return job === undefined ? null : show(job, this.parts.now());
  }

  async cancel(
    ids: readonly string[],
    reason: string | null,
    target: EnqueueTarget = {},
  ): Promise<CancelledJob[]> {
    const open = ids
      .flatMap((id) => this.find(id, target) ?? [])
      .filter(({ status }) => status === 'PENDING');
    const changed = open.map((job) => cancelled({ ...job }, reason, this.parts.now()));
    this.parts.transactions.afterCommit(target, () => void this.cancelNow(ids, reason), changed);
    return open.map(asCancelled);
  }

  /** Those that had not ended; and tells of those that run. */
  cancelNow(ids: readonly string[], reason: string | null): CancelledJob[] {
    const open = ids
      .flatMap((id) => this.parts.jobs.get(id) ?? [])
      .filter(({ status }) => status === 'PENDING');
    for (const job of open) cancelled(job, reason, this.parts.now());
    const running = open.filter(isRunning).map(({ id }) => id);
    if (running.length > 0) for (const listener of this.listeners) listener(running);
    const ended = open.filter((job) => !isRunning(job));
    if (ended.length > 0) this.parts.events.emit('waitingCancelled', { jobs: ended, reason });
    return open.map(asCancelled);
  }

  async retry(id: string, { runAtMs, delayMs }: JobStart, target: EnqueueTarget = {}): Promise<boolean> {
    const isClosed = ({ status }: Stored) => status !== 'PENDING' && status !== 'DONE';
    const found = this.find(id, target);
    const wanted =
      found !== undefined && isClosed(found) ? keyToRetake(found, decodeSettings(found.settings)) : null;
    if (wanted !== null) await this.parts.retake(wanted, target);
    return this.change(id, target, isClosed, (job, now) => {
      job.status = 'PENDING';
      job.runAt = new Date(runAtMs ?? now + delayMs);
      job.crashes = 0;
      job.settings = withSettings(job, { attemptsBefore: job.attemptsDone });
      delete job.cancelRequestedAt;
      delete job.cancelReason;
      delete job.progress;
    });
  }

  retryAll(jobs: readonly JobRetry[], target: EnqueueTarget = {}): Promise<RetriedJobs> {
    return retryEach(jobs, (id, start) => this.retry(id, start, target));
  }

  async update(id: string, changes: JobChanges, target: EnqueueTarget = {}): Promise<boolean> {
    return this.change(id, target, isWaiting, (job, now) => {
      const { payload, payloadVersion, start, settings } = changes;
      if (payload !== undefined) job.payload = copyOf(payload);
      if (start !== undefined) job.runAt = new Date(start.runAtMs ?? now + start.delayMs);
      if (settings !== undefined) job.settings = withSettings(job, settings);
      job.payloadVersion = payloadVersion ?? job.payloadVersion;
      job.priority = changes.priority ?? job.priority;
      job.maxAttempts = changes.maxAttempts ?? job.maxAttempts;
    });
  }

  async delete(
    id: string,
    force: boolean,
    target: EnqueueTarget = {},
  ): Promise<'deleted' | 'running' | 'missing'> {
    const job = this.find(id, target);
    if (job === undefined) return 'missing';
    if (isRunning(job) && !force) return 'running';
    this.parts.transactions.afterCommit(target, () => this.parts.jobs.delete(id));
    return 'deleted';
  }

  async deleteAll(
    ids: readonly string[],
    statuses: readonly JobStatus[],
    target: EnqueueTarget = {},
  ): Promise<number> {
    const isWanted = (job: Stored | undefined) =>
      job !== undefined && statuses.includes(job.status) && !isRunning(job);
    const found = ids.filter((id) => isWanted(this.find(id, target)));
    this.parts.transactions.afterCommit(target, () => {
      for (const id of found) if (isWanted(this.parts.jobs.get(id))) this.parts.jobs.delete(id);
    });
    return found.length;
  }

  watchStops(listener: StopListener): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  /** As the transaction of the target sees it. */
  private find(id: string, target?: EnqueueTarget): Stored | undefined {
    const changed = this.parts.transactions.uncommittedIn(target).findLast((job) => job.id === id);
    return changed ?? this.parts.jobs.get(id);
  }

  private change(
    id: string,
    target: EnqueueTarget,
    isFit: (job: Stored) => boolean,
    write: (job: Stored, now: number) => void,
  ): boolean {
    const found = this.find(id, target);
    if (found === undefined || !isFit(found)) return false;
    const change = (job: Stored): Stored => {
      const now = this.parts.now();
      write(job, now);
      return Object.assign(job, { updatedAt: new Date(now) });
    };
    const onCommit = () => {
      const job = this.parts.jobs.get(id);
      if (job === undefined || !isFit(job)) return;
      change(job);
      this.parts.tell([job.kind]);
    };
    this.parts.transactions.afterCommit(target, onCommit, [change({ ...found })]);
    return true;
  }
}

function asCancelled(job: Stored): CancelledJob {
  return { id: job.id, kind: job.kind, isRunning: isRunning(job) };
}

function withSettings({ settings }: Stored, changes: StoredSettings): string | null {
  return encodeSettings({ ...decodeSettings(settings), ...changes });
}

/** A job that waits has ended with this. One that runs is to be ended by its worker. */
function cancelled(job: Stored, reason: string | null, nowMs: number): Stored {
  const now = new Date(nowMs);
  if (!isRunning(job)) job.status = 'CANCELLED';
  job.cancelRequestedAt ??= now;
  job.cancelReason ??= reason ?? undefined;
  job.updatedAt = now;
  return job;
}
