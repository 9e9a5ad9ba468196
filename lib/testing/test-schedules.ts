import type { JobSchedules } from '../client/job-schedules.js';
import type { TriggerOptions } from '../client/schedule-arguments.js';
import { JobsError } from '../job/errors.js';
import type { Job } from '../job/job.js';
import { UnknownScheduleError } from '../job/schedule-errors.js';
import type { JobQueue } from '../queue/job-queue.js';
import type { UpcomingSchedule } from '../queue/schedule-store.js';
import { Declarer } from '../schedules/declarer.js';
import { FireMaker } from '../schedules/fire-maker.js';
import type { ScheduleRegistry } from '../schedules/schedule-registry.js';
import type { Schedule } from '../schedules/schedule.js';
import type { TickJobs } from '../schedules/tick-jobs.js';
import type { TestClock } from './test-job-queue.js';

export interface TestSchedulesParts {
  readonly queue: JobQueue;
  readonly registry: ScheduleRegistry;
  readonly tickJobs: TickJobs;
  readonly client: JobSchedules;
  /** Finds the schedules that are declared in code, unless that has been done. */
  readonly explore: () => void;
  /** Undefined where the jobs are in a database. */
  readonly clock: TestClock | undefined;
}

/** How many ticks are fired at once: a clock that was moved on by years has more. */
const MAX_TICKS = 10_000;

/** Fires schedules in a test, when the test says so. */
export class TestSchedules {
  private readonly declarer: Declarer;
  private readonly maker: FireMaker;
  private isDeclared = false;

  constructor(private readonly parts: TestSchedulesParts) {
    const { queue, registry, tickJobs } = parts;
    this.declarer = new Declarer(queue, registry, tickJobs, 'tester');
    this.maker = new FireMaker(registry, tickJobs);
  }

  async all(): Promise<Schedule[]> {
    await this.declare();
    const all: Schedule[] = [];
    for (;;) {
      const page = await this.parts.client.list({ limit: 500, after: all.at(-1)?.name });
      all.push(...page);
      if (page.length < 500) return all;
    }
  }

  async trigger(name: string, options?: TriggerOptions): Promise<Job> {
    await this.declare();
    return this.parts.client.trigger(name, options);
  }

  /** Moves the clock to the next tick of a schedule and fires that. @param advance moves the clock */
  async tick(name: string, advance: (ms: number) => void): Promise<Job | null> {
    await this.declare();
    const { clock } = this.parts;
    const schedule = await this.parts.client.get(name);
    if (schedule === null) throw new UnknownScheduleError(name);
    if (schedule.paused || schedule.nextAt === null)
      throw new JobsError(`The schedule "${name}" ${schedule.paused ? 'is paused' : 'has no further tick'}.`);
    advance(Math.max(0, schedule.nextAt.getTime() - clock!.now()));
    const [due] = (await this.due()).filter((one) => one.schedule.name === name.trim() && !one.isQueueFree);
    return due === undefined ? null : ((await this.fire(due))[0] ?? null);
  }

  /** Fires all ticks that have come, in their order, each as if it were on time. */
  async fireDue(): Promise<Job[]> {
    await this.declare();
    const made: Job[] = [];
    for (let ticks = 0; ticks < MAX_TICKS; ticks++) {
      const [next] = await this.due();
      if (next === undefined) return made;
      made.push(...(await this.fire(next)));
    }
    throw new JobsError(
      `${MAX_TICKS} ticks have come, and there are still more. Move the clock in smaller steps.`,
    );
  }

  /** A test that begins declares its schedules when it first asks for them: their intervals count from there. */
  private async declare(): Promise<void> {
    if (this.isDeclared) return;
    this.isDeclared = true;
    this.parts.explore();
    await this.declarer.declare();
  }

  /** Those whose ticks have come, the earliest first. */
  private async due(): Promise<UpcomingSchedule[]> {
    const { queue, registry } = this.parts;
    const all = await queue.schedules.upcoming({ declared: registry.names, except: [], limit: 100 });
    return all
      .filter((one) => one.isQueueFree || one.msUntil <= 0)
      .toSorted((one, other) => tickOf(one) - tickOf(other));
  }

  private async fire(due: UpcomingSchedule): Promise<readonly Job[]> {
    const { fire } = await this.maker.fireOf({ ...due, msUntil: 0 });
    const [answer] = await this.parts.queue.schedules.fire([fire]);
    return answer!.jobs;
  }
}

function tickOf({ schedule: { queuedTick, nextAt }, isQueueFree }: UpcomingSchedule): number {
  return (isQueueFree ? queuedTick : nextAt)!.getTime();
}
