import type { JobsEvents } from '../events/jobs-events.js';
import { DuplicateJobError, InvalidScheduleError } from '../job/errors.js';
import type { EncodedJob } from '../job/encode-job.js';
import type { Job } from '../job/job.js';
import { describeNumber, describeType } from '../job/names.js';
import type { EnqueueTarget, JobQueue } from '../queue/job-queue.js';
import { isInstant } from '../schedules/instants.js';
import { occurrencesOf } from '../schedules/occurrences.js';
import { jobIdOf, type TickJobs } from '../schedules/tick-jobs.js';
import { isWholeNumber } from './schedule-arguments.js';
import { payloadMaker, type KnownSchedule } from './schedule-payload.js';
import { sendWithin } from './send-within.js';
import type { EnqueueManyOptions } from './write-target.js';

export interface BackfillOptions extends EnqueueManyOptions {
  /** The first tick is at or after it. */
  readonly from: Date;
  /** The last tick is at or before it. */
  readonly to: Date;
  /** How many ticks at most, the oldest: 1 to 1,000,000. Must be given where there are over 1,000. */
  readonly limit?: number;
  /** Only count, and make no job. Default false. */
  readonly dryRun?: boolean;
}

export interface BackfillAnswer {
  /** How many jobs were made, or would be by a call that is no `dryRun`. */
  readonly created: number;
  /** How many ticks had a job already. */
  readonly existing: number;
}

const MOST_WITHOUT_LIMIT = 1_000;
const MAX_LIMIT = 1_000_000;
const BATCH = 500;
/** How often a batch is tried where others make the same jobs at the same moment. */
const TRIES = 5;

type MakePayload = (tick: Date) => Promise<unknown>;

/** Makes the jobs of ticks of a schedule that passed without one. */
export class Backfill {
  constructor(
    private readonly queue: Pick<JobQueue, 'enqueue' | 'schedules' | 'currentTransaction'>,
    private readonly jobs: Pick<TickJobs, 'ofTick'>,
    private readonly known: KnownSchedule,
    private readonly options: EnqueueManyOptions,
    private readonly target: EnqueueTarget,
    private readonly events: JobsEvents | undefined,
  ) {}

  /** @throws InvalidScheduleError */
  async run({ from, to, limit, dryRun = false }: BackfillOptions): Promise<BackfillAnswer> {
    if (typeof dryRun !== 'boolean')
      throw new InvalidScheduleError('dryRun', `is ${describeType(dryRun)}; it must be true or false.`);
    const ticks = this.ticks(requireInstant(from, 'from'), requireInstant(to, 'to'), limit);
    const makePayload = payloadMaker(this.known);
    let created = 0;
    for (let place = 0; place < ticks.length; place += BATCH) {
      const batch = ticks.slice(place, place + BATCH);
      created += dryRun ? (await this.withoutJob(batch)).length : await this.batch(batch, makePayload);
    }
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

  /** Those that have no job yet. */
  private async withoutJob(ticks: readonly Date[]): Promise<readonly Date[]> {
    const idOf = (tick: Date) => jobIdOf(this.known.name, tick);
    const existing = new Set(await this.queue.schedules.existing(ticks.map(idOf), this.target));
    return ticks.filter((tick) => !existing.has(idOf(tick)));
  }

  /** @returns how many jobs were made */
  private async batch(ticks: readonly Date[], makePayload: MakePayload): Promise<number> {
    for (let tries = 1; ; tries++) {
      const left = await this.withoutJob(ticks);
      if (left.length === 0) return 0;
      try {
        const { events, queue, known: schedule } = this;
        const kinds = left.map(() => schedule);
        await sendWithin(events, queue, kinds, this.options, () => this.write(left, makePayload));
        return left.length;
      } catch (error) {
        if (!(error instanceof DuplicateJobError) || tries >= TRIES) throw error;
      }
    }
  }

  private async write(ticks: readonly Date[], makePayload: MakePayload): Promise<Job[]> {
    const { known: schedule, events } = this;
    const trace = events?.instrument?.traceContext();
    const jobs: EncodedJob[] = [];
    for (const tick of ticks) {
      const parts = { schedule, terms: schedule.terms, payload: await makePayload(tick), tick };
      jobs.push((await this.jobs.ofTick(parts, trace)).job);
    }
    return this.enqueue(jobs);
  }

  /** Within a savepoint, so that a job that another has made meanwhile does not end the caller's transaction. */
  private enqueue(jobs: readonly EncodedJob[]): Promise<Job[]> {
    const { manager } = this.target;
    if (manager?.queryRunner?.isTransactionActive !== true) return this.queue.enqueue(jobs, this.target);
    return manager.transaction((nested) => this.queue.enqueue(jobs, { manager: nested }));
  }
}

function requireInstant(value: unknown, path: string): Date {
  if (isInstant(value)) return value;
  throw new InvalidScheduleError(path, `is ${describeType(value)}; it must be a Date from year 1 to 9999.`);
}
