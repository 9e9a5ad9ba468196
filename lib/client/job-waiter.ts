import { deferred, type Deferred } from '../async/deferred.js';
import { after, unlessAborted, withTimeLimit } from '../async/timers.js';
import type { JobsEvents } from '../events/jobs-events.js';
import { ApplicationClosedError } from '../job/application-errors.js';
import { JobGoneError, WaitTimeoutError } from '../job/control-errors.js';
import type { Job } from '../job/job.js';
import type { JobStatus } from '../job/job-state.js';
import type { JobReader } from '../queue/job-reader.js';

/** Between two looks: a quarter of the time that the youngest waiter has waited, within these. */
const MIN_PAUSE_MS = 50;
const MAX_PAUSE_MS = 500;
/** How many jobs one look asks for. */
const LOOKED_AT_ONCE = 5_000;

interface Waiter extends Deferred<Job> {
  readonly since: number;
}

export interface JobWaiterSettings {
  /** Tells what this process has settled. */
  readonly events?: JobsEvents;
  /** Whether the application closes the database, or has closed it. Default: never. */
  readonly isClosed?: () => boolean;
}

/**
 * Waits for the ends of jobs. One look at the database serves all who wait in this process. What settles here is looked at
 * at once.
 */
export class JobWaiter {
  private readonly waiters = new Map<string, Set<Waiter>>();
  private unwatch: (() => void) | undefined;
  private cancelLook: (() => void) | undefined;
  private isLooking = false;

  constructor(
    private readonly reader: Pick<JobReader, 'statuses' | 'all'>,
    private readonly settings: JobWaiterSettings = {},
  ) {}

  /** @throws JobGoneError, WaitTimeoutError, and the reason of the signal */
  async wait(id: string, timeoutMs: number, signal?: AbortSignal): Promise<Job> {
    const waiter: Waiter = { since: performance.now(), ...deferred<Job>() };
    this.add(id, waiter);
    const inTime = withTimeLimit(waiter.promise, timeoutMs, () => new WaitTimeoutError(id, timeoutMs));
    try {
      return await (signal === undefined ? inTime : unlessAborted(inTime, signal));
    } finally {
      inTime.catch(() => undefined); // where the signal came first: that is told already
      waiter.reject(new Error('The waiting is over.')); // which ends the time limit
      this.remove(id, waiter);
    }
  }

  private add(id: string, waiter: Waiter): void {
    const others = this.waiters.get(id);
    if (others === undefined) this.waiters.set(id, new Set([waiter]));
    else others.add(waiter);
    this.unwatch ??= this.watchSettled();
    this.lookIn(0);
  }

  private remove(id: string, waiter: Waiter): void {
    const waiters = this.waiters.get(id);
    waiters?.delete(waiter);
    if (waiters?.size === 0) this.waiters.delete(id);
    if (this.waiters.size > 0) return;
    this.cancelLook?.();
    this.unwatch?.();
    this.unwatch = undefined;
  }

  private watchSettled(): () => void {
    const settled = ({ job }: { readonly job: { readonly id: string } }) => {
      if (this.waiters.has(job.id)) this.lookIn(0);
    };
    const { events } = this.settings;
    const ends = [events?.on('settled', settled), events?.on('settledInTransaction', settled)];
    return () => ends.forEach((end) => end?.());
  }

  /** One that is under way is followed by another. */
  private lookIn(ms: number): void {
    this.cancelLook?.();
    this.cancelLook = after(ms, () => void this.look());
  }

  private async look(): Promise<void> {
    if (this.isLooking) {
      this.lookIn(MIN_PAUSE_MS);
      return;
    }
    this.isLooking = true;
    if (this.settings.isClosed?.() === true) this.closed();
    const ids = [...this.waiters.keys()];
    for (let start = 0; start < ids.length; start += LOOKED_AT_ONCE)
      await this.lookAt(ids.slice(start, start + LOOKED_AT_ONCE)).catch(() => undefined); // looked at again
    this.isLooking = false;
    if (this.waiters.size > 0) this.lookIn(this.pauseMs);
  }

  private async lookAt(ids: readonly string[]): Promise<void> {
    const askedAt = performance.now();
    const statuses = await this.reader.statuses(ids);
    const isEnded = (status: JobStatus | undefined) => status !== undefined && status !== 'PENDING';
    const ended = ids.filter((id) => isEnded(statuses.get(id)));
    const jobs = ended.length === 0 ? [] : await this.reader.all(ended);
    for (const job of jobs) for (const { resolve } of this.waiters.get(job.id) ?? []) resolve(job);
    for (const id of ids)
      if (!statuses.has(id))
        for (const { reject, since } of this.waiters.get(id) ?? [])
          if (since <= askedAt) reject(new JobGoneError(id));
  }

  /** The database may be gone, and looks would fail for ever. */
  private closed(): void {
    for (const waiters of this.waiters.values())
      for (const { reject } of waiters) reject(new ApplicationClosedError());
    this.waiters.clear();
  }

  private get pauseMs(): number {
    const sinces = [...this.waiters.values()].flatMap((waiters) => [...waiters].map(({ since }) => since));
    const youngestMs = performance.now() - sinces.reduce((last, since) => Math.max(last, since), 0);
    return Math.min(Math.max(youngestMs / 4, MIN_PAUSE_MS), MAX_PAUSE_MS);
  }
}
