import type { JobRun } from '../queue/job-run.js';
import type { Slots } from './slots.js';

/**
 * Then the event loop gets a turn: handlers that never wait for anything would otherwise run one after the other until
 * none is left, and neither the next claim nor an outcome would be sent meanwhile.
 */
const STARTS_PER_TURN = 100;

/** Starts claimed jobs as slots become free, in the order in which they were claimed. */
export class Dispatcher {
  private waiting: JobRun[] = [];
  /** Since when the first of the waiting jobs has waited, by `performance.now()`. */
  private waitingSince = 0;
  private readonly running = new Set<Promise<void>>();
  private startsLeft = STARTS_PER_TURN;

  /**
   * @param run runs a job and resolves when its handler has ended; never rejects
   * @param onEnd called when a handler has ended and the next one has been started, with its kind and how long it took
   */
  constructor(
    private readonly slots: Slots,
    private readonly run: (run: JobRun) => Promise<void>,
    private readonly onEnd: (kind: string, ms: number) => void,
  ) {}

  get waitingCount(): number {
    return this.waiting.length;
  }

  get isIdle(): boolean {
    return this.running.size === 0;
  }

  /** Starts the jobs now where there are free slots, and the others later. */
  add(runs: readonly JobRun[]): void {
    if (this.waiting.length === 0) this.waitingSince = performance.now();
    for (const run of runs) this.waiting.push(run);
    this.startWaiting();
  }

  /** Starts one job now, whether or not a slot is free. Resolves when its handler has ended. */
  start(run: JobRun): Promise<void> {
    this.slots.started();
    const startedAt = performance.now();
    const running = this.run(run).then(() => {
      this.running.delete(running);
      this.slots.ended(run.job.kind);
      this.startWaiting();
      this.onEnd(run.job.kind, performance.now() - startedAt);
    });
    this.running.add(running);
    return running;
  }

  /** Takes out the jobs that have not been started. */
  takeWaiting(): JobRun[] {
    const taken = this.waiting;
    this.waiting = [];
    for (const { job } of taken) this.slots.gone(job.kind);
    return taken;
  }

  hasWaitedLongerThan(ms: number): boolean {
    return this.waiting.length > 0 && performance.now() - this.waitingSince > ms;
  }

  async allEnd(): Promise<void> {
    await Promise.all(this.running);
  }

  private startWaiting(): void {
    const count = Math.min(this.slots.free, this.waiting.length, this.startsLeft);
    if (count <= 0) return;
    this.waitingSince = performance.now();
    this.startsLeft -= count;
    if (this.startsLeft === 0) {
      setImmediate(() => {
        this.startsLeft = STARTS_PER_TURN;
        this.startWaiting();
      });
    }
    for (const run of this.waiting.splice(0, count)) void this.start(run);
  }
}
