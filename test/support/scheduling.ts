import { afterEach } from '@jest/globals';
import type { JobSchedulesSettings } from '../../lib/client/job-schedules-settings.js';
import { JobSchedules } from '../../lib/client/job-schedules.js';
import type { JobsEventMap } from '../../lib/events/jobs-events.js';
import type { JobsEvents } from '../../lib/events/jobs-events.js';
import type { Job } from '../../lib/job/job.js';
import type { JobQueue } from '../../lib/queue/job-queue.js';
import type { StoredSchedule } from '../../lib/queue/schedule-store.js';
import { resolveSchedule } from '../../lib/schedules/resolve-schedule.js';
import type { ScheduleSpec } from '../../lib/schedules/schedule-options.js';
import { ScheduleRegistry } from '../../lib/schedules/schedule-registry.js';
import { Scheduler } from '../../lib/schedules/scheduler.js';
import { TickJobs, type TickJobsSettings } from '../../lib/schedules/tick-jobs.js';
import { KIND, MAX_BYTES, type Store } from './store.js';
import { until } from './until.js';

/** What a process declares in its code, by name. */
export type Declarations = Readonly<Record<string, ScheduleSpec>>;

export interface TestProcessOptions {
  readonly declares?: Declarations;
  /** The kinds that its worker serves. Default: that of the tests. */
  readonly serves?: readonly string[];
  readonly queue?: JobQueue;
  readonly events?: JobsEvents;
}

/** Processes with schedules, on the store of a test. They end with the test. */
export class Scheduling {
  private processes: Scheduler[] = [];
  private count = 0;

  constructor(private readonly store: Store) {
    afterEach(() => this.stop());
  }

  /** A process that has started. */
  start({
    declares = {},
    serves = [KIND],
    queue = this.store.queue,
    events = this.store.events,
  }: TestProcessOptions = {}): Scheduler {
    const registry = registryOf(declares);
    const settings = { workerId: `process-${++this.count}`, servedKinds: () => serves };
    const scheduler = new Scheduler(queue, registry, tickJobs(), settings, events);
    this.processes.push(scheduler);
    scheduler.start();
    return scheduler;
  }

  /** What users inject in a process that declares these. */
  schedules(
    declares: Declarations = {},
    settings: JobSchedulesSettings = {},
    jobs: Partial<TickJobsSettings> = {},
  ) {
    return new JobSchedules(this.store.queue, registryOf(declares), tickJobs(jobs), settings);
  }

  async stop(): Promise<void> {
    await Promise.all(this.processes.splice(0).map((process) => process.stop()));
  }

  /** The row of a schedule, once it is there. */
  async row(name: string, is: (row: StoredSchedule) => boolean = () => true): Promise<StoredSchedule> {
    let row: StoredSchedule | undefined;
    const find = async () => {
      [row] = (await this.store.queue.schedules.look([name])).schedules;
      return row !== undefined && is(row);
    };
    await until(find, { what: `"the row of ${name}"` });
    return row!;
  }

  /** Lets the next tick of a schedule be another one. */
  async setNext(name: string, nextAt: Date | null): Promise<StoredSchedule> {
    const { schedules } = this.store.queue;
    for (;;) {
      const { kind, rule, payload, anchorAt, declaredAt, declaredBy, revision } = await this.row(name);
      const write = { name, kind, rule, payload, anchorAt, declaredAt, declaredBy, nextAt, revision };
      if (await schedules.save(write)) return this.row(name);
    }
  }

  /** The jobs of a schedule that have been made for these ticks. */
  async jobs(name: string, ticks: readonly Date[]): Promise<Job[]> {
    const found = await Promise.all(
      ticks.map((tick) => this.store.queue.get(`${name}@${tick.toISOString()}`)),
    );
    return found.filter((job) => job !== null);
  }

  async now(): Promise<number> {
    return (await this.store.queue.schedules.look([])).now.getTime();
  }

  /** What is told of an event from now on. */
  told<Event extends keyof JobsEventMap>(event: Event): JobsEventMap[Event][] {
    const details: JobsEventMap[Event][] = [];
    this.store.events.on(event, (detail) => void details.push(detail));
    return details;
  }
}

export function registryOf(declares: Declarations): ScheduleRegistry {
  const registry = new ScheduleRegistry();
  for (const [name, spec] of Object.entries(declares))
    registry.add(resolveSchedule({ ...spec, name }, KIND), `Test.${name}`);
  return registry;
}

export function tickJobs(settings: Partial<TickJobsSettings> = {}): TickJobs {
  return new TickJobs({ maxPayloadBytes: MAX_BYTES, ...settings });
}
