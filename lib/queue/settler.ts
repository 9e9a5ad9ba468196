import { setImmediate } from 'node:timers/promises';
import { describeError } from '../job/describe-error.js';
import type { ClaimedJob } from '../job/job.js';
import type { JobsLogger } from '../job/logger.js';
import type { Outcome } from '../job/outcome.js';
import { sleep } from '../job/timers.js';
import { countForBatch, MAX_ROWS, sizeOf, type Weight } from './batch-size.js';
import type { JobQueue, Settlement } from './job-queue.js';
import type { Lease } from './lease.js';

interface Entry extends Settlement {
  readonly job: ClaimedJob;
  readonly resolve: (answer: SettleAnswer) => void;
  failures: number;
  /** How often a statement that it was in was refused, and not merely lost. */
  refusals: number;
}

/** `abandoned`: the settler was stopped before the storage answered. */
export type SettleAnswer = 'written' | 'lost' | 'abandoned';

const FIRST_RETRY_MS = 50;
const MAX_RETRY_MS = 5_000;
const FEW_ROWS = 30;
/** How many outcomes that have been refused 0, 1, 2 times leave together, and any more often: one of them may be to blame. */
const ROWS_BY_REFUSALS = [MAX_ROWS, MAX_ROWS, FEW_ROWS, 1];
/** So often lost on the way, it may be the statement that makes the server close the connection. */
const MANY_FAILURES = 5;

/**
 * Writes outcomes in batches: while one statement is under way, what arrives next gathers and leaves together. One that
 * fails is tried again until the storage has written or refused it.
 */
export class Settler {
  private readonly waiting: Entry[] = [];
  private readonly unanswered = new Map<Entry, Promise<SettleAnswer>>();
  private readonly stopping = new AbortController();
  private writing = false;

  constructor(
    private readonly queue: Pick<JobQueue, 'settle' | 'isLinkFailure'>,
    private readonly logger: JobsLogger,
  ) {}

  /** Resolves once the outcome is written or refused. Never rejects. */
  settle(job: ClaimedJob, outcome: Outcome): Promise<SettleAnswer> {
    const { promise, resolve } = withResolver<SettleAnswer>();
    const entry: Entry = {
      id: job.id,
      leaseToken: job.leaseToken,
      outcome,
      job,
      resolve,
      failures: 0,
      refusals: 0,
    };
    this.unanswered.set(entry, promise);
    this.enter(entry);
    return promise;
  }

  /** How many outcomes are not answered yet. */
  get size(): number {
    return this.unanswered.size;
  }

  /** The leases that those are written under. */
  get leases(): readonly Lease[] {
    return [...this.unanswered.keys()];
  }

  /** Resolves when every outcome given so far is answered. */
  async idle(): Promise<void> {
    await Promise.all(this.unanswered.values());
  }

  /** Gives up on what is not answered yet; the leases of those jobs run out. */
  abandon(): void {
    this.stopping.abort();
    this.waiting.length = 0;
    for (const entry of this.unanswered.keys()) this.answer(entry, 'abandoned');
  }

  private enter(entry: Entry): void {
    this.waiting.push(entry);
    if (this.writing) return;
    this.writing = true;
    void this.writeAll();
  }

  private async writeAll(): Promise<void> {
    await setImmediate(); // what ends in the same turn of the event loop leaves with the first
    while (this.waiting.length > 0) await this.write(this.nextBatch());
    this.writing = false;
  }

  private nextBatch(): Entry[] {
    const rows = rowsBeside(this.waiting[0]!);
    const end = this.waiting.findIndex((entry) => rowsBeside(entry) !== rows);
    const alike = end === -1 ? this.waiting : this.waiting.slice(0, end);
    return this.waiting.splice(0, Math.min(rows, countForBatch(alike, weigh)));
  }

  private async write(batch: readonly Entry[]): Promise<void> {
    try {
      const answers = await this.queue.settle(batch);
      batch.forEach((entry, index) => {
        const answer = answers[index]!;
        if (answer === 'busy') void this.tryAgain(entry);
        else this.answer(entry, answer);
      });
    } catch (error) {
      const first = nameOf(batch[0]!);
      const what =
        batch.length === 1 ? `outcome of ${first}` : `outcomes of ${first} and ${batch.length - 1} others`;
      this.logger.warn(`Could not write the ${what}, trying again: ${describeError(error)}`);
      const isRefusal = !this.queue.isLinkFailure(error);
      for (const entry of batch) {
        if (isRefusal) entry.refusals += 1;
        void this.tryAgain(entry);
      }
    }
  }

  private async tryAgain(entry: Entry): Promise<void> {
    entry.failures += 1;
    const delayMs = Math.min(FIRST_RETRY_MS * 2 ** (entry.failures - 1), MAX_RETRY_MS);
    if (await sleep(delayMs * (0.75 + Math.random() / 2), this.stopping.signal)) this.enter(entry);
  }

  private answer(entry: Entry, answer: SettleAnswer): void {
    if (!this.unanswered.delete(entry)) return;
    if (answer === 'lost' && entry.failures > 0) {
      this.logger.debug(
        `The outcome (${entry.outcome.type}) of ${nameOf(entry)} was written by a try whose answer did not come, or its lease is lost.`,
      );
    } else if (answer === 'lost') {
      this.logger.warn(
        `The outcome (${entry.outcome.type}) of ${nameOf(entry)} was refused: its lease is lost.`,
      );
    } else if (answer === 'abandoned') {
      this.logger.error(
        `The outcome (${entry.outcome.type}) of ${nameOf(entry)} could not be written in time.`,
      );
    }
    entry.resolve(answer);
  }
}

function rowsBeside({ refusals, failures }: Entry): number {
  const rows = ROWS_BY_REFUSALS[refusals] ?? 1;
  return failures < MANY_FAILURES ? rows : Math.min(rows, FEW_ROWS);
}

function weigh({ outcome }: Entry): Weight {
  const bytes = outcome.type === 'done' ? sizeOf(outcome.result) : outcome.lastError.length;
  return { rows: 1, bytes };
}

function withResolver<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((resolver) => {
    resolve = resolver;
  });
  return { promise, resolve };
}

function nameOf({ job }: Entry): string {
  return `job ${job.id} (kind ${job.kind}, attempt ${job.attemptsDone + 1})`;
}
