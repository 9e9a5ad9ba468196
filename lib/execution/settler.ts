import { Batcher } from '../async/batcher.js';
import { after } from '../async/timers.js';
import type { JobsEvents } from '../events/jobs-events.js';
import { countForBatch, MAX_ROWS, type Weight } from '../job/batch-size.js';
import { sizeOfOutcome, STATUS_AFTER, type Outcome } from '../job/outcome.js';
import { KEEP_ALL, type Retention } from '../job/retention.js';
import { DatabaseTimeoutError } from '../job/storage-errors.js';
import type { JobQueue } from '../queue/job-queue.js';
import type { LeaseAnswer } from '../queue/lease.js';
import { pendingSettlement, type HeldJob, type PendingSettlement } from './held-job.js';
import type { HeldJobs } from './held-jobs.js';
import { Outage, type OutageState } from './outage.js';
import { SettleTiming } from './settle-timing.js';
import { substituteFor } from './substitute-outcome.js';

const FEW_ROWS = 30;
/** How many outcomes leave together after 0, 1, 2 and more refusals: one of them may be to blame. */
const ROWS_BY_REFUSALS = [MAX_ROWS, MAX_ROWS, FEW_ROWS, 1];
/** From this many failures on, the statement itself may be what makes the server close the connection. */
const MANY_FAILURES = 5;
/** An outcome that is refused as often as this, sent with no other, is refused for good. */
const REFUSALS_FOR_GOOD = 5;

/**
 * Writes outcomes in batches: while one statement is under way, what arrives next gathers and leaves together. An outcome
 * that fails is tried again until the storage has written it, or has answered that the lease is lost. One whose content
 * the storage refuses for good is replaced by one that always fits; where that is refused, too, the lease is let go.
 */
export class Settler {
  private readonly batcher = new Batcher<PendingSettlement>({
    count: countAlike,
    send: (batch) => this.write(batch),
    gathers: 'before',
  });

  private readonly retention: Retention;
  private readonly timing: SettleTiming;
  private readonly outage: Outage;

  constructor(
    private readonly queue: Pick<JobQueue, 'settle' | 'refusesContent'>,
    private readonly held: HeldJobs,
    { leaseMs, retention = KEEP_ALL }: SettlerSettings,
    private readonly events: JobsEvents,
  ) {
    this.retention = retention;
    this.timing = new SettleTiming(leaseMs);
    this.outage = new Outage(held, events);
  }

  /** Why outcomes wait to be written, where that has failed. */
  get currentOutage(): OutageState | undefined {
    return this.outage.current;
  }

  /** Begins to write the outcome. `HeldJobs.noneSettling` tells when all are written, refused or given up. */
  settle(heldJob: HeldJob, outcome: Outcome): void {
    const settlement = pendingSettlement(heldJob, outcome, this.deletes(heldJob, outcome));
    this.held.settle(heldJob, settlement);
    this.batcher.add(settlement);
  }

  /** Gives up on what is not answered yet; the leases of those jobs run out. */
  abandon(): void {
    this.batcher.clear();
    for (const heldJob of this.held.settling) {
      const settlement = heldJob.settlement!;
      settlement.cancelRetry?.();
      this.close(settlement);
      this.events.emit('settleAbandoned', { job: heldJob.job, outcome: settlement.outcome });
    }
  }

  private async write(batch: readonly PendingSettlement[]): Promise<void> {
    try {
      const answers = await this.queue.settle(batch, this.timing.answerMs(batch));
      batch.forEach((settlement, index) => this.answered(settlement, answers[index]!));
    } catch (error) {
      this.failed(batch, error);
    }
  }

  private answered(settlement: PendingSettlement, answer: LeaseAnswer): void {
    const { heldJob, outcome, failures } = settlement;
    if (heldJob.lease === 'over') return; // abandoned
    // A row that is still older than the lease when that has ended has forgotten the claim for good.
    const isBehind = answer === 'stale' && performance.now() < heldJob.endsAt;
    if (answer === 'busy' || isBehind) {
      this.tryAgain(settlement, true);
      return;
    }
    this.close(settlement);
    if (answer === 'written') {
      if (outcome.type === 'snoozed')
        this.events.emit('snoozed', { job: heldJob.job, delayMs: outcome.delayMs });
      else this.events.emit('settled', { job: heldJob.job, outcome });
      return;
    }
    this.held.lostAttempts.add(heldJob.id);
    this.events.emit('settleRefused', { job: heldJob.job, outcome, failures });
  }

  private failed(batch: readonly PendingSettlement[], error: unknown): void {
    this.events.emit('settleFailed', { jobs: batch.map(({ heldJob }) => heldJob.job), error });
    const open = batch.filter(({ heldJob }) => heldJob.lease !== 'over'); // not abandoned
    if (open.length === 0) return;
    this.outage.begin(open, error);
    const isLate = error instanceof DatabaseTimeoutError;
    const isRefused = !isLate && this.queue.refusesContent(error);
    for (const settlement of open) {
      if (isRefused || isLate) settlement.refusals += 1; // what is too large may take too long as well
      if (isLate) settlement.lateAnswers += 1;
      if (isRefused && batch.length === 1) settlement.refusalsAlone += 1;
      if (settlement.refusalsAlone < REFUSALS_FOR_GOOD) this.tryAgain(settlement, isRefused);
      else this.refusedForGood(settlement, error);
    }
  }

  private refusedForGood(settlement: PendingSettlement, error: unknown): void {
    const { heldJob, outcome, isSubstitute } = settlement;
    if (isSubstitute) {
      this.close(settlement);
      this.held.lostAttempts.add(heldJob.id);
      this.events.emit('settleGivenUp', { job: heldJob.job, outcome, error });
      return;
    }
    this.events.emit('outcomeReplaced', { job: heldJob.job, outcome, error });
    const substitute = substituteFor(outcome, error);
    this.held.replaceOutcome(settlement, substitute);
    const deletes = this.deletes(heldJob, substitute);
    Object.assign(settlement, { isSubstitute: true, refusalsAlone: 0, pause: undefined, deletes });
    this.tryAgain(settlement, true);
  }

  private tryAgain(settlement: PendingSettlement, isAnswered: boolean): void {
    settlement.failures += 1;
    const pauseMs = this.timing.pauseMs(settlement, isAnswered);
    settlement.cancelRetry = after(pauseMs, () => this.batcher.add(settlement));
  }

  /** Whether this outcome leaves nothing to keep. */
  private deletes({ job }: HeldJob, outcome: Outcome): boolean {
    return this.retention.deletesAtOnce(job.kind, STATUS_AFTER[outcome.type]);
  }

  /** Nothing more is sent of it. */
  private close(settlement: PendingSettlement): void {
    this.held.close(settlement.heldJob);
    this.outage.end(settlement);
  }
}

export interface SettlerSettings {
  readonly leaseMs: number;
  /** Which jobs are deleted with their settlement. Default: none. */
  readonly retention?: Retention;
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
  return { rows: 1, bytes: sizeOfOutcome(outcome) };
}
