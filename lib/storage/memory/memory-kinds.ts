import type { JobsEvents } from '../../events/jobs-events.js';
import { compareIds } from '../../job/id-order.js';
import type { Job } from '../../job/job.js';
import type { JobState } from '../../job/job-state.js';
import {
  KindStore,
  WORKER_LIVE_MS,
  WORKERS_LISTED,
  type Controls,
  type PauseTerms,
  type StoredPause,
  type StoredWorker,
  type WorkerReport,
} from '../../queue/kind-store.js';
import {
  BACKLOG_COUNTED,
  DAY_MS,
  DUE_KINDS_LISTED,
  HOUR_MS,
  KEEP_HOURS_MS,
  KEEP_MINUTES_MS,
  KEEP_WORKERS_MS,
  MINUTES_COUNTED,
  type CountsLook,
  type DueKind,
  type HistoryLook,
  type KindBacklog,
  type KindCounts,
  type KindHistory,
  type StoredCounts,
} from '../../queue/kind-counts.js';
import type { EnqueueTarget } from '../../queue/transactions.js';

/** What controls in memory have from their queue. */
export interface MemoryKindParts {
  readonly now: () => number;
  /** The jobs of a kind, or all. */
  readonly list: (kind?: string) => Job[];
  readonly events: JobsEvents;
  /** Calls back with the commit of the target, or at once. */
  readonly afterCommit: (target: EnqueueTarget, callback: () => void) => void;
}

/** Jobs in these states are ready or run. */
const BUSY: readonly JobState[] = ['ready', 'running', 'stopping'];

type KeptPause = Omit<StoredPause, 'leftMs'>;

/* eslint-disable @typescript-eslint/require-await -- the contract is asynchronous, a Map is not */

/** Controls and workers in memory. What is changed in a transaction changes with its commit. */
export class MemoryKinds extends KindStore {
  readonly isTold = true;
  private readonly pauses = new Map<string, KeptPause>();
  private readonly live = new Map<string, StoredWorker>();
  private readonly counted = new Map<string, StoredCounts>();
  private readonly listeners = new Set<() => void>();
  private changed = 0;

  constructor(private readonly parts: MemoryKindParts) {
    super();
  }

  async pause(kind: string, terms: PauseTerms, target: EnqueueTarget = {}): Promise<number> {
    return this.change(target, () => {
      const since = this.inForce(kind)?.since ?? new Date(this.parts.now());
      this.pauses.set(kind, { ...terms, kind, since });
      const { until, reason } = terms;
      this.parts.events.emit('pauseCommitted', { kind, until, reason });
    });
  }

  async resume(kind: string, target: EnqueueTarget = {}): Promise<boolean> {
    const wasPaused = this.inForce(kind) !== undefined;
    this.change(target, () => {
      this.pauses.delete(kind);
      if (wasPaused) this.parts.events.emit('resumeCommitted', { kind });
    });
    return wasPaused;
  }

  async controls(): Promise<Controls> {
    const now = this.parts.now();
    const inForce = [...this.pauses.keys()].flatMap((kind) => this.inForce(kind) ?? []);
    const pauses = inForce.map((pause) => ({
      ...pause,
      leftMs: pause.until === null ? null : pause.until.getTime() - now,
    }));
    return { now, changed: this.changed, pauses };
  }

  async beat({ counts, ...report }: WorkerReport): Promise<Controls> {
    const seenAt = new Date(this.parts.now());
    const startedAt = this.live.get(report.workerId)?.startedAt ?? seenAt;
    this.live.set(report.workerId, { ...report, startedAt, seenAt });
    for (const row of counts)
      this.counted.set(JSON.stringify([row.span, row.minute, row.kind, report.workerId]), row);
    return this.controls();
  }

  async forget(workerId: string): Promise<void> {
    this.live.delete(workerId);
  }

  async workers(): Promise<StoredWorker[]> {
    const since = this.parts.now() - WORKER_LIVE_MS;
    return [...this.live.values()]
      .filter(({ seenAt }) => seenAt.getTime() > since)
      .toSorted((one, other) => compareIds(one.workerId, other.workerId))
      .slice(0, WORKERS_LISTED);
  }

  async behind(changed: number): Promise<string[]> {
    const workers = await this.workers();
    return workers.filter(({ controlsSeen }) => controlsSeen < changed).map(({ workerId }) => workerId);
  }

  async isDrained(kind: string): Promise<boolean> {
    return !this.parts.list(kind).some(({ state }) => BUSY.includes(state));
  }

  async counts(kind: string | null): Promise<CountsLook> {
    const now = this.parts.now();
    const own = [...this.counted.values()].filter((row) => kind === null || row.kind === kind);
    const failedInDay = new Map<string, number>();
    for (const row of own) {
      if (row.span !== 60 || row.minute <= now - DAY_MS) continue;
      const { failed = 0, panicked = 0 } = JSON.parse(row.counts) as KindCounts;
      failedInDay.set(row.kind, (failedInDay.get(row.kind) ?? 0) + failed + panicked);
    }
    const from = now - (MINUTES_COUNTED + 1) * 60_000;
    return { now, minutes: own.filter(({ span, minute }) => span === 1 && minute > from), failedInDay };
  }

  async history(kind: string | null): Promise<HistoryLook> {
    const now = this.parts.now();
    const from = { 1: now - HOUR_MS, 60: now - DAY_MS } as const;
    const sums = new Map<string, KindHistory>();
    for (const row of this.counted.values()) {
      if ((kind !== null && row.kind !== kind) || row.minute <= from[row.span as 1 | 60]) continue;
      const key = JSON.stringify([row.span, row.minute, row.kind]);
      sums.set(key, added(row, sums.get(key)));
    }
    return { now, counts: [...sums.values()] };
  }

  async hour(kinds: readonly string[]): Promise<StoredCounts[]> {
    const from = this.parts.now() - HOUR_MS;
    return [...this.counted.values()].filter(
      ({ kind, span, minute }) => span === 1 && minute > from && kinds.includes(kind),
    );
  }

  async dueKinds(): Promise<DueKind[]> {
    const ready = this.parts.list().filter(({ state }) => state === 'ready');
    const kinds = [...new Set(ready.map(({ kind }) => kind))].toSorted(compareIds).slice(0, DUE_KINDS_LISTED);
    return kinds.map((kind) => ({ kind, overdueMs: null })); // no job has to be marked due
  }

  async backlog(kinds: readonly string[]): Promise<KindBacklog[]> {
    const now = this.parts.now();
    return kinds.map((kind) => {
      const jobs = this.parts.list(kind);
      const ready = jobs.filter(({ state }) => state === 'ready');
      const oldest = Math.min(...ready.map(({ runAt }) => runAt.getTime()));
      return {
        kind,
        ready: Math.min(ready.length, BACKLOG_COUNTED),
        oldestReadyMs: ready.length === 0 ? null : now - oldest,
        scheduled: jobs.filter(({ state }) => state === 'scheduled' || state === 'retrying').length,
      };
    });
  }

  async sweep(): Promise<number> {
    const isBefore = (ms: number) => (instant: number) => instant < this.parts.now() - ms;
    const isOld = { 1: isBefore(KEEP_MINUTES_MS), 60: isBefore(KEEP_HOURS_MS) } as const;
    const counts = [...this.counted].filter(([, { span, minute }]) => isOld[span as 1 | 60](minute));
    const workers = [...this.live].filter(([, { seenAt }]) => isBefore(KEEP_WORKERS_MS)(seenAt.getTime()));
    for (const [key] of counts) this.counted.delete(key);
    for (const [id] of workers) this.live.delete(id);
    return counts.length + workers.length;
  }

  watch(listener: () => void): () => void {
    const own = () => listener();
    this.listeners.add(own);
    return () => void this.listeners.delete(own);
  }

  private inForce(kind: string): KeptPause | undefined {
    const pause = this.pauses.get(kind);
    const isOver = pause !== undefined && pause.until !== null && pause.until.getTime() <= this.parts.now();
    return isOver ? undefined : pause;
  }

  /** @returns its number; in a transaction one that it has at least, for it gets its number with the commit */
  private change(target: EnqueueTarget, write: () => void): number {
    const number = this.changed + 1;
    this.parts.afterCommit(target, () => {
      write();
      this.changed += 1;
      for (const listener of this.listeners) listener();
    });
    return number;
  }
}

/** What a worker has counted, and what others have in the same time. */
function added({ kind, span, minute, counts }: StoredCounts, before?: KindHistory): KindHistory {
  const own = JSON.parse(counts) as KindCounts;
  const sum = (name: 'done' | 'failed' | 'panicked' | 'retried' | 'cancelled') =>
    (own[name] ?? 0) + (before?.[name] ?? 0);
  return {
    ...{ kind, span, minute, done: sum('done'), failed: sum('failed'), panicked: sum('panicked') },
    ...{ retried: sum('retried'), cancelled: sum('cancelled') },
  };
}
