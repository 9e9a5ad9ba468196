import { Loop, type Startable } from '../async/loop.js';
import { ExponentialPause, jittered, random } from '../async/pauses.js';
import { endsWithin } from '../async/timers.js';
import { WakeSignal } from '../async/wake-signal.js';
import type { JobsEvents } from '../events/jobs-events.js';
import type { JobQueue } from '../queue/job-queue.js';
import type { FireAnswer, UpcomingSchedule } from '../queue/schedule-store.js';
import { Declarer } from './declarer.js';
import { FireMaker, type PreparedFire } from './fire-maker.js';
import { FirePreparer } from './fire-preparer.js';
import { ScheduleFailures } from './schedule-failures.js';
import type { ScheduleRegistry } from './schedule-registry.js';
import { isAsDeclared, overlapOf } from './schedule-terms.js';
import type { TickJobs } from './tick-jobs.js';

export interface SchedulerSettings {
  /** Names this process. */
  readonly workerId: string;
  /** The kinds that a worker of this process serves, asked when it starts. */
  readonly servedKinds: () => readonly string[];
}

/** How often to look where schedules are known, and where none is: another process may have made one at run time. */
const SWEEP_MS = 15_000;
const IDLE_SWEEP_MS = 30_000;
/** How often a process tells that it declares its schedules. */
const DECLARE_AGAIN_MS = 60_000;
/** Each process adds a little to its timers, so that not all of a fleet look for a tick in the same millisecond. */
const SPREAD_MS = 10;
/**
 * So much longer a process waits for a schedule whose jobs it does not serve, or whose row is of another release: one that
 * does is to fire it, with its own payload.
 */
const STAND_BY_MS = 2_000;
/** How many schedules a look brings. */
const LIMIT = 100;
/** How long a round waits for payloads that are made by functions. The others are fired without those that take longer. */
const PREPARE_MS = 25;
const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 5_000;

/**
 * Fires the schedules of a queue: those that this process declares, and those that were made at run time. Any number of
 * processes do this at once, and none of them leads.
 *
 * A timer is set to the nearest tick, by what the clock of the database says. The clock of this process only measures how
 * long that is. The database decides who fires; see `ScheduleStore.fire`.
 */
export class Scheduler implements Startable {
  private readonly wakeSignal = new WakeSignal();
  private readonly loop = new Loop((signal, succeeded) => this.turn(signal, succeeded), {
    pause: new ExponentialPause(FIRST_PAUSE_MS, MAX_PAUSE_MS),
    wait: (ms) => this.wakeSignal.wait(ms),
    onFailure: (error, failures) => this.events.emit('schedulingFailed', { error, failures }),
    onRecovery: (failures) => this.events.emit('schedulingRecovered', { failures }),
  });
  /** Where others were at the same schedules, the next look waits a little. */
  private readonly contention = new ExponentialPause(10, 1_000);
  private readonly declarer: Declarer;
  private readonly failures: ScheduleFailures;
  private readonly preparer: FirePreparer;
  /** Schedules with `overlap: 'queue'`. */
  private readonly queueing = new Set<string>();
  private servedKinds: ReadonlySet<string> = new Set();
  private declaredAgainAt = -Infinity;
  private endings: (() => void)[] = [];

  constructor(
    private readonly queue: Pick<JobQueue, 'schedules' | 'refusesContent'>,
    private readonly registry: ScheduleRegistry,
    jobs: TickJobs,
    private readonly settings: SchedulerSettings,
    private readonly events: JobsEvents,
  ) {
    this.declarer = new Declarer(queue, registry, jobs, settings.workerId);
    this.failures = new ScheduleFailures(events);
    const maker = new FireMaker(registry, jobs, events);
    this.preparer = new FirePreparer(maker, this.failures, () => this.wakeSignal.wake());
  }

  start(): void {
    if (this.endings.length > 0) return;
    this.servedKinds = new Set(this.settings.servedKinds());
    this.endings = [this.queue.schedules.watch(() => this.wakeSignal.wake())];
    this.loop.start();
  }

  async stop(): Promise<void> {
    const stopped = this.loop.stop();
    this.wakeSignal.wake();
    await stopped;
    for (const end of this.endings) end();
    this.endings = [];
    this.queueing.clear();
    this.preparer.clear();
  }

  /** Listens for the ends of jobs from the first schedule on whose ticks may wait for one. */
  private noteQueueing(upcoming: readonly UpcomingSchedule[]): void {
    for (const { schedule } of upcoming) {
      if (overlapOf(schedule) !== 'queue') continue;
      if (this.queueing.size === 0) {
        this.endings.push(
          this.events.on('settled', ({ job }) => this.jobEnded(job.schedule)),
          this.events.on('settledInTransaction', ({ job }) => this.jobEnded(job.schedule)),
        );
      }
      this.queueing.add(schedule.name);
    }
  }

  /** A tick may have waited for this job. */
  private jobEnded(schedule: string | undefined): void {
    if (schedule !== undefined && this.queueing.has(schedule)) this.wakeSignal.wake();
  }

  private async turn(signal: AbortSignal, succeeded: () => void): Promise<void> {
    await this.declare();
    const waitMs = await this.fireDue(signal);
    succeeded();
    if (!signal.aborted) await this.wakeSignal.wait(waitMs);
  }

  private async declare(): Promise<void> {
    const now = performance.now();
    if (now < this.declaredAgainAt) return;
    await this.declarer.declare();
    await this.declarer.expire();
    const hasOwn = this.registry.names.length > 0;
    this.declaredAgainAt = now + jittered(hasOwn ? DECLARE_AGAIN_MS : 60 * DECLARE_AGAIN_MS);
  }

  /** @returns how long to wait until the next look, in milliseconds */
  private async fireDue(signal: AbortSignal): Promise<number> {
    const except = [...this.preparer.names, ...this.failures.names];
    const upcoming = await this.queue.schedules.upcoming({
      declared: this.registry.names,
      except,
      limit: LIMIT + except.length,
    });
    this.noteQueueing(upcoming);
    const due = upcoming.filter((one) => this.msLeft(one) <= 0);
    this.failures.keep(new Set([...due.map(({ schedule }) => schedule.name), ...this.preparer.names]));
    await endsWithin(this.preparer.prepare(due), PREPARE_MS);
    const ready = this.preparer.take();
    if (signal.aborted) return 0;
    const answers = await this.fire(ready);
    if (answers.some(({ outcome }) => outcome === 'lost' || outcome === 'busy'))
      return this.contention.next();
    this.contention.reset();
    return ready.length > 0 ? 0 : this.untilNext(upcoming);
  }

  /** How long this process leaves a schedule alone. */
  private msLeft(one: UpcomingSchedule): number {
    if (one.isQueueFree) return 0;
    return one.msUntil + (this.isPreferred(one) ? 0 : STAND_BY_MS);
  }

  /** Whether this process should rather fire it than others. */
  private isPreferred({ schedule }: UpcomingSchedule): boolean {
    if (!this.servedKinds.has(schedule.kind)) return false;
    const declared = this.registry.get(schedule.name);
    return schedule.declaredAt === null || (declared !== undefined && isAsDeclared(declared, schedule));
  }

  private untilNext(upcoming: readonly UpcomingSchedule[]): number {
    const left = upcoming.map((one) => this.msLeft(one)).filter((ms) => ms > 0);
    const sweepMs = jittered(
      upcoming.length === 0 && this.registry.names.length === 0 ? IDLE_SWEEP_MS : SWEEP_MS,
    );
    return Math.min(sweepMs, this.failures.msUntilNext, Math.min(...left) + 1 + random() * SPREAD_MS);
  }

  /** All at once; where one of them is refused, one by one, so that it holds back no other. */
  private async fire(prepared: readonly PreparedFire[]): Promise<FireAnswer[]> {
    if (prepared.length === 0) return [];
    try {
      const answers = await this.queue.schedules.fire(prepared.map(({ fire }) => fire));
      for (const [index, one] of prepared.entries()) this.fired(one, answers[index]!);
      return answers;
    } catch (error) {
      if (!this.queue.refusesContent(error)) throw error;
      if (prepared.length === 1) this.refused(prepared[0]!, error);
      const answers: FireAnswer[] = [];
      if (prepared.length > 1) for (const one of prepared) answers.push(...(await this.fire([one])));
      return answers;
    }
  }

  private refused(one: PreparedFire, error: unknown): void {
    one.watch?.failed(error);
    this.failures.failed(one, error);
  }

  private fired(one: PreparedFire, { outcome, skippedInRow, cancelled }: FireAnswer): void {
    if (outcome === 'lost' || outcome === 'busy') return;
    if (outcome === 'made') one.watch?.made();
    this.failures.succeeded(one.name);
    const { name, kind, fire, missedCount } = one;
    const skipped = { schedule: name, kind, tick: fire.at };
    if (missedCount > 0)
      this.events.emit('scheduleSkipped', {
        ...skipped,
        reason: 'missed',
        count: missedCount,
        inRow: missedCount,
      });
    if (outcome === 'skipped')
      this.events.emit('scheduleSkipped', {
        ...{ ...skipped, reason: 'overlap', inRow: skippedInRow },
        count: fire.jobs.length,
      });
    if (cancelled !== null) this.events.emit('scheduleCancelled', { ...skipped, job: cancelled });
  }
}
