import { JobsEvents, TypeOrmJobQueue } from 'nestjs-typeorm-jobs';
import type { DataSource } from 'typeorm';
import type { ScheduleRow } from './records.js';
import { SCHEDULES } from './schedules.js';

/** Looks at the schedules of the workload, and ends them when the faults are over. */
export class ScheduleWatch {
  private opened: Promise<TypeOrmJobQueue> | undefined;
  private isQuiet = false;

  constructor(private readonly dataSource: DataSource) {}

  /**
   * Pauses all schedules as soon as they have dealt with all ticks up to `instant`.
   * @returns whether they are paused
   */
  async quiet(instant: number): Promise<boolean> {
    if (this.isQuiet) return true;
    const { schedules } = await this.queue();
    const found = await this.look();
    const isOver = found.length === SCHEDULES.length && found.every(({ nextAt }) => Number(nextAt) > instant);
    if (!isOver) return false;
    for (const { name } of SCHEDULES) await schedules.pause(name, 'the run ends');
    this.isQuiet = true;
    return true;
  }

  async rows(): Promise<ScheduleRow[]> {
    return (await this.look()).map(({ name, anchorAt }) => ({ name, anchorAt: anchorAt.getTime() }));
  }

  async close(): Promise<void> {
    await (await this.opened)?.close();
  }

  private async look() {
    const { schedules } = await this.queue();
    return (await schedules.look(SCHEDULES.map(({ name }) => name))).schedules;
  }

  /** Opened when the faults are over: none of them is to hit it. */
  private queue(): Promise<TypeOrmJobQueue> {
    this.opened ??= queueOn(this.dataSource).open();
    return this.opened;
  }
}

/** A queue beside the processes under test. */
export function queueOn(dataSource: DataSource): TypeOrmJobQueue {
  return new TypeOrmJobQueue(dataSource, {
    workerId: 'the suite',
    leaseMs: 2_000,
    heartbeatMs: 600,
    minRetryDelayMs: 100,
    maxCrashes: 3,
    maxPayloadBytes: 1024,
    tablePrefix: 'nest_',
    migrate: 'auto',
    databaseTimeoutMs: 5_000,
    events: new JobsEvents(),
  });
}
