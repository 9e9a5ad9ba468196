import type { KindStats } from '../../client/kind-stats.js';
import type { LiveWorker } from '../../client/live-worker.js';
import type { HistoryLook, StoredCounts } from '../../queue/kind-counts.js';
import type { Controls } from '../../queue/kind-store.js';
import type { OverdueSchedule } from '../../queue/inspector.js';
import { OVERDUE_AFTER_MS } from '../../schedules/schedule.js';
import type { Capped, KindRow, Kinds, Overview } from '../api/screens.js';
import type { JobsSources } from '../jobs-sources.js';
import { Remembered } from '../values/remembered.js';
import { isOfAll, kindRows, kindsScreen, pauseRow } from './kinds-screen.js';
import { oldKinds, problemsOf } from './problems.js';
import { perHour, perMinute } from './rates.js';

/** How old a snapshot may be, and so how often the database is asked however many look at it. */
export const SNAPSHOT_MS = 2_000;
/** What changes by the minute. */
const SLOW_MS = 10_000;
/** How many schedules it tells of that are overdue: the latest. */
const OVERDUE_SHOWN = 100;
/** How many kinds the overview tells of: the busiest. All are on the screen of kinds. */
const KINDS_SHOWN = 100;

interface KindsLook {
  readonly stats: readonly KindStats[];
  readonly workers: readonly LiveWorker[];
  readonly controls: Controls;
}

/** How all is going: one snapshot for all who look. */
export class Snapshots {
  private readonly history = new Remembered(() => this.readHistory(), SLOW_MS);
  private readonly overdue = new Remembered(() => this.readOverdue(), SLOW_MS);
  private readonly look = new Remembered(() => this.readKinds(), SNAPSHOT_MS / 2);
  private readonly whole = new Remembered(() => this.readWhole(), SNAPSHOT_MS / 2);

  constructor(private readonly sources: JobsSources) {}

  /** GET api/overview */
  overview(): Promise<Overview> {
    return this.whole.get();
  }

  /** GET api/kinds */
  async kinds(): Promise<Kinds> {
    const [{ stats, controls }, history] = await Promise.all([this.look.get(), this.history.get()]);
    const all = controls.pauses.find(isOfAll);
    return kindsScreen(stats, history, all === undefined ? null : pauseRow(all));
  }

  /** For when something has been changed: whoever did it wants to see it. The history is of minutes that are over. */
  forget(): void {
    for (const part of [this.look, this.whole, this.overdue]) part.forget();
  }

  private async readWhole(): Promise<Overview> {
    const [look, history, overdue] = await Promise.all([
      this.look.get(),
      this.history.get(),
      this.overdue.get(),
    ]);
    const { stats, workers, controls } = look;
    const hour = await this.readHour(oldKinds(stats));
    const facts = { stats, workers, history, overdue, hour, pauses: controls.pauses };
    return {
      now: Math.floor(controls.now),
      minutes: perMinute(history),
      hours: perHour(history),
      kinds: busiest(kindRows(stats, history)),
      workers: workersOf(workers),
      backlog: backlogOf(stats),
      problems: problemsOf(facts),
    };
  }

  private readKinds(): Promise<KindsLook> {
    const { kinds, queue, reads } = this.sources;
    return reads.run(async () => {
      const [stats, workers, controls] = await Promise.all([
        kinds.list(),
        kinds.workers(),
        queue.kinds.controls(),
      ]);
      return { stats, workers, controls };
    });
  }

  private readHistory(): Promise<HistoryLook> {
    return this.sources.reads.run(() => this.sources.queue.kinds.history(null));
  }

  private readOverdue(): Promise<OverdueSchedule[]> {
    const { queue, reads } = this.sources;
    return reads.run(() => queue.inspector.overdueSchedules(OVERDUE_AFTER_MS, OVERDUE_SHOWN));
  }

  private async readHour(kinds: readonly string[]): Promise<StoredCounts[]> {
    return kinds.length === 0 ? [] : this.sources.reads.run(() => this.sources.queue.kinds.hour(kinds));
  }
}

function busiest(kinds: readonly KindRow[]): KindRow[] {
  const weight = ({ ready, running, perMinute }: KindRow) => ready.value + running + perMinute.claimed;
  const shown = new Set(kinds.toSorted((one, other) => weight(other) - weight(one)).slice(0, KINDS_SHOWN));
  return kinds.filter((kind) => shown.has(kind));
}

function workersOf(workers: readonly LiveWorker[]): Overview['workers'] {
  const sum = (name: 'running' | 'concurrency') => workers.reduce((total, worker) => total + worker[name], 0);
  return {
    live: workers.length,
    running: sum('running'),
    concurrency: sum('concurrency'),
    stopping: workers.filter(({ stopping }) => stopping).length,
  };
}

function backlogOf(stats: readonly KindStats[]): Overview['backlog'] {
  const oldest = stats.flatMap(({ oldestReadyMs }) => oldestReadyMs ?? []);
  return {
    ready: total(stats.map(({ ready }) => ready)),
    oldestReadyMs: oldest.length === 0 ? null : Math.max(...oldest),
    scheduled: total(stats.map(({ scheduled }) => scheduled)),
  };
}

function total(counts: readonly Capped[]): Capped {
  return {
    value: counts.reduce((sum, { value }) => sum + value, 0),
    capped: counts.some(({ capped }) => capped),
  };
}
