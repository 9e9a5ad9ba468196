import { Batcher } from '../async/batcher.js';
import { ExponentialPause } from '../async/pauses.js';
import { after } from '../async/timers.js';
import type { JobsEvents } from '../events/jobs-events.js';
import { countForBatch, MAX_ROWS, type Weight } from '../job/batch-size.js';
import { sizeOf } from '../job/document.js';
import { DatabaseTimeoutError } from '../job/storage-errors.js';
import type { Outcome } from '../job/outcome.js';
import type { JobQueue } from '../queue/job-queue.js';
import type { LeaseAnswer } from '../queue/lease.js';
import type { HeldJob, PendingSettlement } from './held-job.js';
import type { HeldJobs } from './held-jobs.js';

const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 5_000;
const FEW_ROWS = 30;
/** How many outcomes leave together after 0, 1, 2 and more refusals: one of them may be to blame. */
const ROWS_BY_REFUSALS = [MAX_ROWS, MAX_ROWS, FEW_ROWS, 1];
/** From this many failures on, the statement itself may be what makes the server close the connection. */
const MANY_FAILURES = 5;

/**
 * Writes outcomes in batches: while one statement is under way, what arrives next gathers and leaves together. An outcome
 * that fails is tried again until the storage has written or refused it.
 */
export class Settler {
  private readonly batcher = new Batcher<PendingSettlement>({
    count: countAlike,
    send: (batch) => this.write(batch),
    gathers: 'before',
  });

  constructor(
    private readonly queue: Pick<JobQueue, 'settle' | 'refusesContent'>,
    private readonly held: HeldJobs,
    private readonly events: JobsEvents,
  ) {}

  /** Begins to write the outcome. `HeldJobs.noneSettling` tells when all are written, refused or given up. */
  settle(heldJob: HeldJob, outcome: Outcome): void {
    const { id, leaseToken } = heldJob;
    const settlement: PendingSettlement = { id, leaseToken, outcome, heldJob, failures: 0, refusals: 0 };
    this.held.settle(heldJob, settlement);
    this.batcher.add(settlement);
  }

  /** Gives up on what is not answered yet; the leases of those jobs run out. */
  abandon(): void {
    this.batcher.clear();
    for (const heldJob of this.held.settling) {
      heldJob.settlement?.cancelRetry?.();
      this.held.close(heldJob);
      this.events.emit('settleAbandoned', { job: heldJob.job, outcome: heldJob.settlement!.outcome });
    }
  }

  private async write(batch: readonly PendingSettlement[]): Promise<void> {
    try {
      const answers = await this.queue.settle(batch);
      for (const [index, settlement] of batch.entries()) this.answered(settlement, answers[index]!);
    } catch (error) {
      this.events.emit('settleFailed', { jobs: batch.map(({ heldJob }) => heldJob.job), error });
      // An answer that does not come in time may be that of a statement that is too large.
      const isRefusal = this.queue.refusesContent(error) || error instanceof DatabaseTimeoutError;
      for (const settlement of batch) {
        if (isRefusal) settlement.refusals += 1;
        this.tryAgain(settlement);
      }
    }
  }

  private answered(settlement: PendingSettlement, answer: LeaseAnswer): void {
    const { heldJob, outcome, failures } = settlement;
    if (heldJob.lease === 'over') return; // abandoned
    if (answer === 'busy') {
      this.tryAgain(settlement);
      return;
    }
    this.held.close(heldJob);
    if (answer === 'written') this.events.emit('settled', { job: heldJob.job, outcome });
    else this.events.emit('settleRefused', { job: heldJob.job, outcome, failures });
  }

  private tryAgain(settlement: PendingSettlement): void {
    if (settlement.heldJob.lease === 'over') return; // abandoned
    settlement.failures += 1;
    settlement.pause ??= new ExponentialPause(FIRST_PAUSE_MS, MAX_PAUSE_MS);
    settlement.cancelRetry = after(settlement.pause.next(), () => this.batcher.add(settlement));
  }
}

/** How many of the settlements, from the first on, leave together: those that have failed equally often. */
function countAlike(waiting: readonly PendingSettlement[]): number {
  const rows = rowsBeside(waiting[0]!);
  const end = waiting.findIndex((settlement) => rowsBeside(settlement) !== rows);
  return Math.min(rows, countForBatch(end === -1 ? waiting : waiting.slice(0, end), weigh));
}

function rowsBeside({ refusals, failures }: PendingSettlement): number {
  const rows = ROWS_BY_REFUSALS[refusals] ?? 1;
  return failures < MANY_FAILURES ? rows : Math.min(rows, FEW_ROWS);
}

function weigh({ outcome }: PendingSettlement): Weight {
  const bytes = outcome.type === 'done' ? sizeOf(outcome.result) : outcome.lastError.length;
  return { rows: 1, bytes };
}
