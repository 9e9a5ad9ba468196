import type { Startable } from '../async/loop.js';
import type { JobsEvents } from '../events/jobs-events.js';
import { Histogram } from '../job/histogram.js';
import type { ClaimedJob } from '../job/job.js';
import type { Ended } from '../job/outcome.js';
import type { KindCounts, StoredCounts } from '../queue/kind-counts.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** How many rows are kept for a register that cannot be reached; the oldest go first. */
const MAX_UNSENT = 1_000;

type Counter = Exclude<keyof KindCounts, 'wait' | 'run'>;

const COUNTERS: Readonly<Record<Ended['type'], Counter>> = {
  done: 'done',
  failed: 'failed',
  panic: 'panicked',
  retry: 'retried',
  cancelled: 'cancelled',
};

/** What is counted of a kind at this time. */
class Counts {
  readonly numbers: Partial<Record<Counter, number>> = {};
  readonly wait = new Histogram();
  readonly run = new Histogram();
  isSent = true;

  add(counter: Counter): void {
    this.numbers[counter] = (this.numbers[counter] ?? 0) + 1;
    this.isSent = false;
  }
}

/**
 * Counts what becomes of the jobs of a worker, by kind. A count is a few additions; the clock is looked at only when the
 * counts are written. So what happens shortly after the
 * beginning of a minute may be counted in the one before.
 */
export class Tally implements Startable {
  private readonly minutes = new Map<string, Counts>();
  private readonly hours = new Map<string, Counts>();
  private minute = -Infinity;
  private hour = -Infinity;
  private readonly unsent = new Map<string, StoredCounts>();
  private ends: (() => void)[] = [];

  constructor(
    private readonly workerId: string,
    private readonly events: JobsEvents,
  ) {}

  start(): void {
    const settled = (job: ClaimedJob, { type }: Pick<Ended, 'type'>) => this.count(job, COUNTERS[type]);
    this.ends = [
      this.events.on('claimed', ({ jobs }) => this.claimed(jobs)),
      this.events.on('settled', ({ job, outcome }) => settled(job, outcome)),
      this.events.on('settledInTransaction', ({ job }) => settled(job, { type: 'done' })),
    ];
  }

  stop(): Promise<void> {
    for (const end of this.ends) end();
    return Promise.resolve();
  }

  /** A handler has ended after this time. */
  ran(kind: string, ms: number): void {
    const counts = countsOf(this.minutes, kind);
    counts.run.add(ms);
    counts.isSent = false;
  }

  /**
   * What is to be written: all that has changed since it was sent.
   * @param now the storage's clock, in milliseconds since 1970
   */
  report(now: number): readonly StoredCounts[] {
    const [minute, hour] = [beginOf(now, MINUTE_MS), beginOf(now, HOUR_MS)];
    if (this.minute === -Infinity) [this.minute, this.hour] = [minute, hour];
    this.collect(this.minutes, 1, this.minute);
    this.collect(this.hours, 60, this.hour);
    if (minute !== this.minute) this.minutes.clear();
    if (hour !== this.hour) this.hours.clear();
    [this.minute, this.hour] = [minute, hour];
    const excess = [...this.unsent.keys()].slice(0, -MAX_UNSENT);
    for (const key of excess) this.unsent.delete(key);
    return [...this.unsent.values()];
  }

  /** The register has what was reported. */
  sent(reported: readonly StoredCounts[]): void {
    for (const row of reported) if (this.unsent.get(keyOf(row)) === row) this.unsent.delete(keyOf(row));
  }

  private claimed(jobs: readonly ClaimedJob[]): void {
    for (const job of jobs) {
      this.count(job, 'claimed');
      if (job.lockedBy !== this.workerId) continue;
      const readyAt = Math.max(job.runAt.getTime(), job.createdAt.getTime());
      countsOf(this.minutes, job.kind).wait.add(job.updatedAt.getTime() - readyAt);
    }
  }

  private count({ kind, lockedBy }: ClaimedJob, counter: Counter): void {
    if (lockedBy !== this.workerId) return;
    countsOf(this.minutes, kind).add(counter);
    countsOf(this.hours, kind).add(counter);
  }

  private collect(all: ReadonlyMap<string, Counts>, span: number, minute: number): void {
    for (const [kind, counts] of all) {
      if (counts.isSent) continue;
      counts.isSent = true;
      const { numbers, wait, run } = counts;
      const json = JSON.stringify(span === 1 ? { ...numbers, wait, run } : numbers);
      const row = { kind, span, minute, counts: json };
      this.unsent.delete(keyOf(row)); // the newest are the last
      this.unsent.set(keyOf(row), row);
    }
  }
}

function countsOf(all: Map<string, Counts>, kind: string): Counts {
  let counts = all.get(kind);
  if (counts === undefined) all.set(kind, (counts = new Counts()));
  return counts;
}

function beginOf(now: number, ms: number): number {
  return Math.floor(now / ms) * ms;
}

function keyOf({ span, minute, kind }: StoredCounts): string {
  return `${span} ${minute} ${kind}`;
}
