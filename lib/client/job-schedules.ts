import { InvalidScheduleError } from '../job/errors.js';
import type { Job } from '../job/job.js';
import { requireName } from '../job/names.js';
import { ScheduleDeclaredError, UnknownScheduleError } from '../job/schedule-errors.js';
import type { EnqueueTarget, JobQueue } from '../queue/job-queue.js';
import type { ScheduleStore, ScheduleWrite, StoredSchedule } from '../queue/schedule-store.js';
import { resolveSchedule } from '../schedules/resolve-schedule.js';
import type { ScheduleOptions, ScheduleTimes } from '../schedules/schedule-options.js';
import type { ScheduleRegistry } from '../schedules/schedule-registry.js';
import {
  encodeTerms,
  firstTick,
  haveSameTimes,
  isSeen,
  sameJson,
  termsOf,
} from '../schedules/schedule-terms.js';
import { scheduleOf, type Schedule } from '../schedules/schedule.js';
import { writtenSchedule } from '../schedules/written-schedule.js';
import type { TickJobs } from '../schedules/tick-jobs.js';
import type { JobSchedulesSettings } from './job-schedules-settings.js';
import { Backfill, type BackfillAnswer, type BackfillOptions } from './backfill.js';
import {
  requireListOptions,
  requireMissed,
  requireOwnName,
  type ListSchedulesOptions,
  type PauseScheduleOptions,
  type ResumeScheduleOptions,
  type TriggerOptions,
} from './schedule-arguments.js';
import { requireReason } from './reason.js';
import { payloadMaker, type KnownSchedule } from './schedule-payload.js';
import { sendWithin } from './send-within.js';
import { targetOf, unlessClosed, type EnqueueManyOptions } from './write-target.js';

/** What `upsert` takes: a rule, the kind of the jobs, and the options of `@JobSchedule`. The payload is a JSON value. */
export type RunTimeScheduleSpec = Omit<ScheduleOptions, 'name' | 'kind'> &
  ScheduleTimes & { readonly kind: string };

/** How often a write is tried where others write the same schedule. */
const TRIES = 20;

/**
 * The schedules of a queue: makes them at run time, and looks at, pauses and triggers all of them. Inject it by its type, or
 * with `@InjectJobSchedules(name)`. Calls that write join the caller's transaction as `JobClient.enqueue` does.
 */
export class JobSchedules {
  constructor(
    private readonly queue: JobQueue,
    private readonly declared: ScheduleRegistry,
    private readonly jobs: TickJobs,
    private readonly settings: JobSchedulesSettings = {},
  ) {}

  /**
   * Makes a schedule, or changes the one with this name. Its next tick follows from now where it ticks at other instants
   * than before; otherwise it stays. What it has done so far stays, and a pause does.
   *
   * ```ts
   * await schedules.upsert('sync.4711', { everyMs: 60_000, kind: 'sync', payload: { customer: '4711' } });
   * ```
   *
   * @throws InvalidScheduleError, InvalidPayloadError, UnknownKindError, and ScheduleDeclaredError where the name is declared
   * in code. Nothing has been written then.
   */
  async upsert(name: string, spec: RunTimeScheduleSpec, options: EnqueueManyOptions = {}): Promise<Schedule> {
    const target = this.targetOf(options);
    const schedule = resolveSchedule({ ...spec, name: requireOwnName(name, spec) });
    this.settings.requireKind?.(schedule.kind);
    this.requireUndeclared(schedule.name);
    const payload = await this.jobs.storedPayload(schedule.kind, schedule.payload);
    const rule = encodeTerms(schedule);
    return this.repeat(schedule.name, target, async (stored, now) => {
      if (stored !== undefined && stored.declaredAt !== null)
        throw new ScheduleDeclaredError(schedule.name, 'written');
      if (stored?.kind === schedule.kind && sameJson(stored.rule, rule) && sameJson(stored.payload, payload))
        return stored;
      const anchorAt = stored?.anchorAt ?? now;
      const terms = termsOf({ name: schedule.name, rule, anchorAt });
      const isKept = stored !== undefined && haveSameTimes(stored, rule);
      const write: ScheduleWrite = {
        ...{ name: schedule.name, kind: schedule.kind, rule, payload, anchorAt },
        nextAt: isKept ? stored.nextAt : firstTick(terms, now, stored?.lastTick),
        ...{ declaredAt: null, declaredBy: null, revision: stored?.revision ?? null },
      };
      return (await this.store.save(write, target)) ? writtenSchedule(write, stored, now) : undefined;
    });
  }

  /** The schedule with this name, or null. One that is declared in code is there from the start of the first worker on. */
  async get(name: string): Promise<Schedule | null> {
    const { now, schedules } = await this.unlessClosed(this.store.look([requireName(name, 'name')]));
    return schedules[0] === undefined ? null : scheduleOf(schedules[0], now);
  }

  /** A page of schedules by name, in the order of Unicode code points. @throws InvalidScheduleError */
  async list(options: ListSchedulesOptions = {}): Promise<Schedule[]> {
    const filter = requireListOptions(options);
    const { now } = await this.unlessClosed(this.store.look([]));
    return (await this.unlessClosed(this.store.list(filter))).map((stored) => scheduleOf(stored, now));
  }

  /**
   * Keeps a schedule from making jobs until `resume`, also over deployments. Jobs that it has made stay as they are.
   * @throws UnknownScheduleError, InvalidScheduleError
   */
  async pause(name: string, { reason, ...options }: PauseScheduleOptions = {}): Promise<Schedule> {
    const target = this.targetOf(options);
    const pausedReason = requireReason(reason, InvalidScheduleError);
    return this.repeat(requireName(name, 'name'), target, async (stored, now) => {
      if (stored === undefined) throw new UnknownScheduleError(name);
      const isPaused = await this.store.pause(stored.name, pausedReason, target);
      return isPaused
        ? { ...stored, pausedAt: stored.pausedAt ?? now, pausedReason, updatedAt: now }
        : undefined;
    });
  }

  /**
   * Ends a pause. The next tick follows from now, so that no tick during the pause comes late; with `missed` the last of
   * them is run, or all. Does nothing where the schedule is not paused.
   *
   * @throws UnknownScheduleError, InvalidScheduleError
   */
  async resume(name: string, { missed = 'skip', ...options }: ResumeScheduleOptions = {}): Promise<Schedule> {
    const target = this.targetOf(options);
    const catchUp = requireMissed(missed);
    return this.repeat(requireName(name, 'name'), target, async (stored, now) => {
      if (stored === undefined) throw new UnknownScheduleError(name);
      if (stored.pausedAt === null) return stored;
      const nextAt = catchUp === null ? firstTick(termsOf(stored), now, stored.lastTick) : stored.nextAt;
      const { revision } = stored;
      const resumption = { name: stored.name, revision, nextAt, catchUp, dropsQueued: catchUp === null };
      if (!(await this.store.resume(resumption, target))) return undefined;
      const queuedTick = catchUp === null ? null : stored.queuedTick;
      return { ...stored, nextAt, queuedTick, pausedAt: null, pausedReason: null, updatedAt: now };
    });
  }

  /**
   * Makes a job of a schedule now, also while it is paused and whatever its `overlap` says. Its next tick stays as it is.
   * The `tick` of the job is the instant of this call, by the clock of the database. It counts as the last job of the
   * schedule.
   *
   * @throws UnknownScheduleError, InvalidJobError, UnknownKindError, and InvalidScheduleError where the payload is made by
   * code that this process does not have
   */
  async trigger(name: string, { payload, ...options }: TriggerOptions = {}): Promise<Job> {
    const target = this.targetOf(options);
    const known = await this.known(name, target);
    this.settings.requireKind?.(known.kind);
    const tick = known.now;
    const made = payload === undefined ? await payloadMaker(known)(tick) : payload;
    const parts = { schedule: known, terms: known.terms, payload: made, tick };
    const { contextCarrier, events } = this.settings;
    const write = async () => {
      const encoded = await this.jobs.byHand(
        parts,
        contextCarrier?.capture(),
        events?.instrument?.traceContext(),
      );
      return this.unlessClosed(this.queue.enqueue([encoded], target));
    };
    const [job] = await sendWithin(events, this.queue, [known], options, write);
    await this.unlessClosed(this.store.setLastJob(known.name, job!.id, target));
    return job!;
  }

  /**
   * Makes the jobs of the ticks from `from` to `to`, both included, as if they came now: the oldest first, and each job at
   * once. A tick whose job exists is passed over, so a call that is repeated makes each job once. Over 1,000 ticks need a
   * `limit`; then the oldest ones are made. Outside a transaction they are written in batches of 500, each by itself. With
   * `dryRun` they are only counted.
   *
   * @throws UnknownScheduleError, InvalidScheduleError, UnknownKindError
   */
  async backfill(name: string, options: BackfillOptions): Promise<BackfillAnswer> {
    const { from, to, limit, dryRun, ...into } = options;
    const target = this.targetOf(into);
    const known = await this.known(name, target);
    this.settings.requireKind?.(known.kind);
    const backfill = new Backfill(this.queue, this.jobs, known, into, target, this.settings.events);
    return this.unlessClosed(backfill.run({ from, to, limit, dryRun }));
  }

  /**
   * Deletes a schedule. Jobs that it has made stay.
   *
   * @returns whether there was one
   * @throws ScheduleDeclaredError where a process declares it in code
   */
  async delete(name: string, options: EnqueueManyOptions = {}): Promise<boolean> {
    const target = this.targetOf(options);
    this.requireUndeclared(requireName(name, 'name'));
    const { now, schedules } = await this.unlessClosed(this.store.look([name.trim()], target));
    const [stored] = schedules;
    if (stored === undefined) return false;
    if (stored.declaredAt !== null && isSeen(stored, now))
      throw new ScheduleDeclaredError(stored.name, 'deleted');
    return this.unlessClosed(this.store.delete(stored.name, target));
  }

  /** Asked each time: a queue has another one when it has looked at the database. */
  private get store(): ScheduleStore {
    return this.queue.schedules;
  }

  private targetOf(options: EnqueueManyOptions): EnqueueTarget {
    return targetOf(this.queue, options, this.settings.onUnjoined);
  }

  /** Looks at a schedule and writes it, again where another has written it in between. @param write undefined: again */
  private async repeat(
    name: string,
    target: EnqueueTarget,
    write: (stored: StoredSchedule | undefined, now: Date) => Promise<StoredSchedule | undefined>,
  ): Promise<Schedule> {
    for (let tries = 1; tries <= TRIES; tries++) {
      const { now, schedules } = await this.unlessClosed(this.store.look([name], target));
      const stored = await this.unlessClosed(write(schedules[0], now));
      if (stored !== undefined) return scheduleOf(stored, now);
    }
    throw new InvalidScheduleError(
      'name',
      `is "${name}", which others write again and again; call once more.`,
    );
  }

  /** By its row, or else as this process declares it. @throws UnknownScheduleError */
  private async known(name: string, target: EnqueueTarget): Promise<KnownSchedule> {
    this.settings.explore?.();
    const wanted = requireName(name, 'name');
    const declared = this.declared.get(wanted);
    const { now, schedules } = await this.unlessClosed(this.store.look([wanted], target));
    const [stored] = schedules;
    if (stored !== undefined) return { ...stored, terms: termsOf(stored), stored, declared, now };
    if (declared === undefined) throw new UnknownScheduleError(wanted);
    const { kind } = declared.schedule;
    return {
      name: wanted,
      kind,
      terms: termsOf({ ...declared, name: wanted, anchorAt: now }),
      declared,
      now,
    };
  }

  private requireUndeclared(name: string): void {
    this.settings.explore?.();
    if (this.declared.get(name) !== undefined) throw new ScheduleDeclaredError(name, 'written');
  }

  private unlessClosed<Answer>(answer: Promise<Answer>): Promise<Answer> {
    return unlessClosed(this.settings, answer);
  }
}
