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

const COUNTER_OF = {
  done: 'done',
  failed: 'failed',
  panic: 'panicked',
  retry: 'retried',
  cancelled: 'cancelled',
} as const satisfies Readonly<Record<Ended['type'], Exclude<keyof KindCounts, 'wait' | 'run'>>>;

/** What is counted of a kind at this time. */
class Counts {
  claimed = 0;
  done = 0;
  failed = 0;
  panicked = 0;
  retried = 0;
  cancelled = 0;
  readonly wait = new Histogram();
  readonly run = new Histogram();

  addAll(other: Counts): void {
    this.claimed += other.claimed;
    this.done += other.done;
    this.failed += other.failed;
    this.panicked += other.panicked;
    this.retried += other.retried;
    this.cancelled += other.cancelled;
    this.wait.addAll(other.wait.toJSON());
    this.run.addAll(other.run.toJSON());
  }

  /** Those that are not 0. */
  get numbers(): KindCounts {
    const { wait: _wait, run: _run, ...numbers } = this;
    return Object.fromEntries(Object.entries(numbers).filter(([, count]) => count > 0));
  }
}

/**
 * Counts what becomes of the jobs of a worker, by kind. A count is one addition; the clock is looked at only when the counts
 * are written. So what happens shortly after the beginning of a minute may be counted in the one before.
 */
export class Tally implements Startable {
  /** What no report has yet. */
  private readonly fresh = new Map<string, Counts>();
  /** Those of the kind that was counted last: jobs of a kind often follow each other. */
  private last: { readonly kind: string; readonly counts: Counts } | undefined;
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
    this.ends = [
      this.events.on('claimed', ({ jobs }) => this.claimed(jobs)),
      this.events.on('settled', ({ job, outcome }) => this.settled(job, outcome.type)),
      this.events.on('settledInTransaction', ({ job }) => this.settled(job, 'done')),
    ];
  }

  stop(): Promise<void> {
    for (const end of this.ends) end();
    return Promise.resolve();
  }

  /** A handler has ended after this time. */
  ran(kind: string, ms: number): void {
    this.countsOf(kind).run.add(ms);
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
    this.fresh.clear();
    this.last = undefined;
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
    for (const { kind, lockedBy, runAt, createdAt, updatedAt } of jobs) {
      if (lockedBy !== this.workerId) continue;
      const counts = this.countsOf(kind);
      counts.claimed += 1;
      counts.wait.add(updatedAt.getTime() - Math.max(runAt.getTime(), createdAt.getTime()));
    }
  }

  private settled({ kind, lockedBy }: ClaimedJob, type: Ended['type']): void {
    if (lockedBy === this.workerId) this.countsOf(kind)[COUNTER_OF[type]] += 1;
  }

  private countsOf(kind: string): Counts {
    if (this.last?.kind !== kind) this.last = { kind, counts: countsOf(this.fresh, kind) };
    return this.last.counts;
  }

  /** Adds what is fresh. */
  private collect(all: Map<string, Counts>, span: number, minute: number): void {
    for (const [kind, fresh] of this.fresh) {
      const counts = countsOf(all, kind);
      counts.addAll(fresh);
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
