import { DuplicateJobError, InvalidScheduleError } from '../job/errors.js';
import type { EncodedJob } from '../job/encode-job.js';
import { describeNumber, describeType } from '../job/names.js';
import type { EnqueueTarget, JobQueue } from '../queue/job-queue.js';
import { isInstant } from '../schedules/instants.js';
import { occurrencesOf } from '../schedules/occurrences.js';
import type { TickJobs } from '../schedules/tick-jobs.js';
import { isWholeNumber } from './schedule-arguments.js';
import { payloadMaker, type KnownSchedule } from './schedule-payload.js';
import type { EnqueueManyOptions } from './write-target.js';

export interface BackfillOptions extends EnqueueManyOptions {
  /** The first tick is at or after it. */
  readonly from: Date;
  /** The last tick is at or before it. */
  readonly to: Date;
  /** How many ticks at most, the oldest: 1 to 1,000,000. Must be given where there are over 1,000. */
  readonly limit?: number;
}

export interface BackfillAnswer {
  /** How many jobs were made. */
  readonly created: number;
  /** How many ticks had a job already. */
  readonly existing: number;
}

const MOST_WITHOUT_LIMIT = 1_000;
const MAX_LIMIT = 1_000_000;
const BATCH = 500;
/** How often a batch is tried where others make the same jobs at the same moment. */
const TRIES = 5;

/** Makes the jobs of ticks of a schedule that passed without one. */
export class Backfill {
  constructor(
    private readonly queue: Pick<JobQueue, 'enqueue' | 'schedules'>,
    private readonly jobs: Pick<TickJobs, 'ofTick'>,
    private readonly known: KnownSchedule,
    private readonly target: EnqueueTarget,
  ) {}

  /** @throws InvalidScheduleError */
  async run({ from, to, limit }: BackfillOptions): Promise<BackfillAnswer> {
    const ticks = this.ticks(requireInstant(from, 'from'), requireInstant(to, 'to'), limit);
    const makePayload = payloadMaker(this.known);
    let created = 0;
    for (let place = 0; place < ticks.length; place += BATCH)
      created += await this.batch(ticks.slice(place, place + BATCH), makePayload);
    return { created, existing: ticks.length - created };
  }

  private ticks(from: Date, to: Date, limit: number | undefined): Date[] {
    if (limit !== undefined && !isWholeNumber(limit, 1, MAX_LIMIT))
      throw new InvalidScheduleError(
        'limit',
        `is ${describeNumber(limit)}; it must be a whole number from 1 to ${MAX_LIMIT}.`,
      );
    const occurrences = occurrencesOf(this.known.terms.rule);
    const ticks: Date[] = [];
    let tick = occurrences.next(new Date(from.getTime() - 1));
    for (; tick !== null && tick <= to && ticks.length < (limit ?? Infinity); tick = occurrences.next(tick)) {
      ticks.push(tick);
      if (limit === undefined && ticks.length > MOST_WITHOUT_LIMIT)
        throw new InvalidScheduleError(
          'limit',
          `is left out, and there are over ${MOST_WITHOUT_LIMIT} ticks from ${from.toISOString()} to ${to.toISOString()}. ` +
            `Give it, or a shorter time.`,
        );
    }
    return ticks;
  }

  /** @returns how many jobs were made */
  private async batch(
    ticks: readonly Date[],
    makePayload: (tick: Date) => Promise<unknown>,
  ): Promise<number> {
    const {
      known: schedule,
      known: { terms },
    } = this;
    const jobs: EncodedJob[] = [];
    for (const tick of ticks) {
      const made = await this.jobs.ofTick({ schedule, terms, payload: await makePayload(tick), tick });
      jobs.push(made.job);
    }
    for (let tries = 1; ; tries++) {
      const ids = await this.queue.schedules.existing(
        jobs.map(({ id }) => id),
        this.target,
      );
      const existing = new Set(ids);
      const left = jobs.filter(({ id }) => !existing.has(id));
      try {
        await this.enqueue(left);
        return left.length;
      } catch (error) {
        if (!(error instanceof DuplicateJobError) || tries >= TRIES) throw error;
      }
    }
  }

  /** Within a savepoint, so that a job that another has made meanwhile does not end the caller's transaction. */
  private async enqueue(jobs: readonly EncodedJob[]): Promise<void> {
    const { manager } = this.target;
    if (jobs.length === 0) return;
    if (manager?.queryRunner?.isTransactionActive !== true) await this.queue.enqueue(jobs, this.target);
    else await manager.transaction((nested) => this.queue.enqueue(jobs, { manager: nested }));
  }
}

function requireInstant(value: unknown, path: string): Date {
  if (isInstant(value)) return value;
  throw new InvalidScheduleError(path, `is ${describeType(value)}; it must be a Date from year 1 to 9999.`);
}
