import { withTimeLimit } from '../async/timers.js';
import type { FiringWatch } from '../events/firing.js';
import type { JobsEvents } from '../events/jobs-events.js';
import type { TraceContext } from '../job/carriage.js';
import { JobsError } from '../job/errors.js';
import type { ScheduleFire, TickJob, UpcomingSchedule } from '../queue/schedule-store.js';
import { dueTicks } from './due-ticks.js';
import type { ScheduleRegistry } from './schedule-registry.js';
import { isAsDeclared, termsOf, type ScheduleTerms } from './schedule-terms.js';
import { jobIdOf, payloadOf, storedPayloadOf, type TickJobs } from './tick-jobs.js';

/** A fire that is ready to be sent. */
export interface PreparedFire {
  readonly name: string;
  readonly kind: string;
  readonly fire: ScheduleFire;
  /** How many of the ticks that are due make no job, because they were missed. */
  readonly missedCount: number;
  /** Stands around it, where something does. */
  readonly watch: FiringWatch | undefined;
}

/** How long a function may take to make a payload. */
const PAYLOAD_MS = 30_000;

/** Makes the fires of schedules that are due, with the jobs of their ticks. */
export class FireMaker {
  constructor(
    private readonly registry: ScheduleRegistry,
    private readonly jobs: Pick<TickJobs, 'ofTick'>,
    private readonly events?: Pick<JobsEvents, 'instrument'>,
  ) {}

  /** What is due of a schedule. Rejects where a payload cannot be made. */
  async fireOf(one: UpcomingSchedule): Promise<PreparedFire> {
    const { name, kind, revision, queuedTick } = one.schedule;
    const terms = termsOf(one.schedule);
    const { overlap } = terms;
    if (one.isQueueFree) {
      const { jobs, watch } = await this.watchedJobs(one, terms, [queuedTick!]);
      const at = { at: queuedTick!, lastTick: queuedTick!, followingAt: null, isQueued: true };
      return { name, kind, missedCount: 0, watch, fire: { name, revision, overlap, jobs, ...at } };
    }
    const { ticks, lastTick, followingAt, missedCount } = dueTicks(terms, one);
    const { jobs, watch } = await this.watchedJobs(one, terms, ticks);
    const at = { at: one.schedule.nextAt!, lastTick, followingAt, isQueued: false };
    return { name, kind, missedCount, watch, fire: { name, revision, overlap, jobs, ...at } };
  }

  /** The jobs of ticks, made within what stands around them. */
  private async watchedJobs(one: UpcomingSchedule, terms: ScheduleTerms, ticks: readonly Date[]) {
    const { name, kind } = one.schedule;
    const instrument = ticks.length === 0 ? undefined : this.events?.instrument;
    const watch = instrument?.fire({
      schedule: name,
      kind,
      jobIds: ticks.map((tick) => jobIdOf(name, tick)),
    });
    if (watch === undefined) return { jobs: await this.jobsFor(one, terms, ticks), watch };
    try {
      const { traceContext } = watch;
      return { jobs: await watch.run(() => this.jobsFor(one, terms, ticks, traceContext)), watch };
    } catch (error) {
      watch.failed(error);
      throw error;
    }
  }

  private async jobsFor(
    { schedule }: UpcomingSchedule,
    terms: ScheduleTerms,
    ticks: readonly Date[],
    trace?: TraceContext,
  ): Promise<TickJob[]> {
    const makePayload = this.payloadMaker(schedule, terms);
    const jobs: TickJob[] = [];
    for (const tick of ticks) {
      const late = () =>
        new JobsError(`The payload of schedule "${schedule.name}" was not made in ${PAYLOAD_MS} ms.`);
      const payload = await withTimeLimit(makePayload(tick), PAYLOAD_MS, late);
      jobs.push(await this.jobs.ofTick({ schedule, terms, payload, tick }, trace));
    }
    return jobs;
  }

  /**
   * A schedule of another release: its payload where it is stored, and else that of this release, which cannot call code of
   * another.
   */
  private payloadMaker(
    schedule: UpcomingSchedule['schedule'],
    { isPayloadInCode }: ScheduleTerms,
  ): (tick: Date) => Promise<unknown> {
    const declared = this.registry.get(schedule.name);
    const isOurs = declared !== undefined && (isPayloadInCode || isAsDeclared(declared, schedule));
    if (schedule.declaredAt === null || !isOurs) return () => Promise.resolve(storedPayloadOf(schedule));
    return (tick) => payloadOf(declared.schedule, tick);
  }
}
