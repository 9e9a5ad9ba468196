import { MemoryJobQueue } from '../../lib/storage/memory/memory-job-queue.js';
import type { Job } from '../../lib/job/job.js';
import type { JobQueue } from '../../lib/queue/job-queue.js';
import type { SqlStore } from '../support/store.js';
import { MemoryStore, type Store } from '../support/store.js';

/** A store whose clock can be set forward. It starts anew with each `reset`. */
export interface ClockedStore {
  readonly store: Store;
  advance(ms: number): Promise<void>;
  /** An instant by the store's clock, so many milliseconds from its now. */
  dateIn(ms: number): Date;
  /** A date of a job in milliseconds by a clock that no `advance` has moved back. */
  instantOf(date: Date): number;
  /** What `get` does not tell: of every job the exact `runAt`, the lease token and whether it runs alone. */
  hiddenState(): Promise<ReadonlyMap<string, HiddenState>>;
}

export interface HiddenState {
  readonly runAt: number;
  readonly leaseToken?: number;
  readonly alone?: boolean;
}

/** A database's own clock cannot be set. So every instant in the table is set back instead. */
export class ClockedDatabase implements ClockedStore {
  private shiftMs = 0;

  constructor(readonly store: SqlStore) {}

  async advance(ms: number): Promise<void> {
    this.shiftMs += ms;
    const columns = [
      'run_at',
      'created_at',
      'updated_at',
      'last_attempt_at',
      'locked_at',
      'locked_until',
      'heartbeat_at',
    ];
    const earlier = (column: string) =>
      ({
        postgres: `${column} - interval '${ms} milliseconds'`,
        mysql: `${column} - INTERVAL ${ms * 1000} MICROSECOND`,
        'better-sqlite3': `strftime('%Y-%m-%d %H:%M:%f', ${column}, '-${ms / 1000} seconds')`,
      })[this.store.server.type];
    await this.store.sql(
      `UPDATE nest_jobs SET ${columns.map((column) => `${column} = ${earlier(column)}`).join(', ')}`,
    );
  }

  dateIn(ms: number): Date {
    return new Date(Date.now() + ms);
  }

  instantOf(date: Date): number {
    return date.getTime() + this.shiftMs;
  }

  async hiddenState(): Promise<ReadonlyMap<string, HiddenState>> {
    const millis = {
      postgres: `extract(epoch FROM run_at)::float8 * 1000`,
      mysql: `TIMESTAMPDIFF(MICROSECOND, '1970-01-01', run_at) / 1000`,
      'better-sqlite3': `unixepoch(run_at, 'subsec') * 1000`,
    }[this.store.server.type];
    const rows = await this.store.sql(`SELECT id, lease_token, alone, ${millis} AS run_at FROM nest_jobs`);
    return new Map(
      rows.map(({ id, lease_token, alone, run_at }) => [
        id as string,
        { runAt: Number(run_at) + this.shiftMs, leaseToken: Number(lease_token), alone: Boolean(alone) },
      ]),
    );
  }
}

/** The queue in memory takes its clock as a parameter. */
export class ClockedMemory extends MemoryStore implements ClockedStore {
  readonly store = this;
  private shiftMs = 0;

  override open(): JobQueue {
    const settings = { ...this.dequeueSettings, dataSource: this.dataSource };
    return this.use(new MemoryJobQueue(settings, () => this.now));
  }

  async advance(ms: number): Promise<void> {
    this.shiftMs += ms;
  }

  dateIn(ms: number): Date {
    return new Date(this.now + ms);
  }

  instantOf(date: Date): number {
    return date.getTime();
  }

  async hiddenState(): Promise<ReadonlyMap<string, HiddenState>> {
    const jobs: readonly Job[] = (this.queue as MemoryJobQueue).list();
    return new Map(jobs.map(({ id, runAt }) => [id, { runAt: runAt.getTime() }]));
  }

  protected override async clear(): Promise<void> {
    await (this.queue as JobQueue | undefined)?.close();
  }

  private get now(): number {
    return Date.now() + this.shiftMs;
  }
}
