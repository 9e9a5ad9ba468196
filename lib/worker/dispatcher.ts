import { nextTurn } from '../async/turn.js';
import type { Executor } from '../execution/executor.js';
import type { HeldJob } from '../execution/held-job.js';
import type { Slots } from './slots.js';

/**
 * After this many starts the event loop gets a turn. Handlers that never wait would otherwise run one after the other to
 * the last, and no claim and no outcome would be sent in the meantime.
 */
const STARTS_PER_TURN = 100;

/** Starts held jobs as slots become free, in the order in which they were claimed. */
export class Dispatcher {
  /** When the first of the waiting jobs began to wait, by `performance.now()`. */
  private waitingSince = 0;
  private startsLeft = STARTS_PER_TURN;

  /** @param onEnd called when a handler has ended and the next one has been started, with its kind and how long it took */
  constructor(
    private readonly executor: Pick<Executor, 'held' | 'run'>,
    private readonly slots: Pick<Slots, 'free'>,
    private readonly onEnd: (kind: string, ms: number) => void,
  ) {}

  /** Starts the jobs now where there are free slots, and the others later. */
  add(jobs: readonly HeldJob[]): void {
    const { held } = this.executor;
    if (held.waitingCount === 0) this.waitingSince = performance.now();
    for (const job of jobs) held.queue(job);
    this.startWaiting();
  }

  /** Starts one job now, whether or not a slot is free. Resolves when its handler has ended. */
  start(job: HeldJob, startedAt = performance.now()): Promise<void> {
    return this.executor.run(job).then(() => {
      const endedAt = performance.now();
      this.startWaiting(endedAt);
      this.onEnd(job.job.kind, endedAt - startedAt);
    });
  }

  hasWaitedLongerThan(ms: number): boolean {
    return this.executor.held.waitingCount > 0 && performance.now() - this.waitingSince > ms;
  }

  /** @param now by `performance.now()`. The clock is read as rarely as possible: that is a good part of the cost of a job. */
  private startWaiting(now = performance.now()): void {
    const { held } = this.executor;
    const count = Math.min(this.slots.free, held.waitingCount, this.startsLeft);
    if (count <= 0) return;
    this.waitingSince = now;
    this.startsLeft -= count;
    if (this.startsLeft === 0) {
      void nextTurn().then(() => {
        this.startsLeft = STARTS_PER_TURN;
        this.startWaiting();
      });
    }
    void this.start(held.nextWaiting()!, now);
    for (let started = 1; started < count; started++) void this.start(held.nextWaiting()!);
  }
}
