import { ExponentialPause } from '../async/pauses.js';
import type { HeldJob, PendingSettlement } from './held-job.js';

const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 5_000;
/** Shares of the time of a lease: the longest pause between two tries, and the same where the storage answers. */
const PAUSE_SHARE = 1 / 10;
const ANSWERED_SHARE = 1 / 30;
/** The next try comes within this share of what is left of the lease. */
const LEFT_SHARE = 1 / 4;
const ANSWER_SHARE = 1 / 3;

/** When an outcome is tried again, and how long a try may take: the sooner, the less is left of its lease. */
export class SettleTiming {
  constructor(private readonly leaseMs: number) {}

  /**
   * How long to wait before the next try.
   *
   * @param isAnswered the storage has answered: the row is locked just now, or the outcome was refused
   */
  pauseMs(settlement: PendingSettlement, isAnswered: boolean): number {
    settlement.pause ??= new ExponentialPause(
      FIRST_PAUSE_MS,
      Math.min(this.leaseMs * PAUSE_SHARE, MAX_PAUSE_MS),
    );
    const most = isAnswered ? this.leaseMs * ANSWERED_SHARE : Infinity;
    return Math.min(settlement.pause.next(), most, pauseWithin(settlement.heldJob));
  }

  /**
   * How long the storage may take to answer: a lost connection must not take the time of the lease. Each try that was not
   * answered in time doubles it, because a slow storage needs its time.
   */
  answerMs(batch: readonly PendingSettlement[]): number {
    const lateAnswers = Math.max(...batch.map((settlement) => settlement.lateAnswers));
    return Math.ceil(this.leaseMs * ANSWER_SHARE * 2 ** lateAnswers);
  }
}

/** Undisturbed by a lease that has run out: there is nothing left to hurry for. */
function pauseWithin({ endsAt }: HeldJob): number {
  const leftMs = endsAt - performance.now();
  return leftMs <= 0 ? Infinity : Math.max(leftMs * LEFT_SHARE, FIRST_PAUSE_MS);
}
