import type { Controls, PauseTerms, StoredWorker, WorkerReport } from '../../queue/kind-store.js';
import type {
  CountsLook,
  DueKind,
  HistoryLook,
  KindBacklog,
  KindHistory,
  StoredCounts,
} from '../../queue/kind-counts.js';
import type { Columns } from './columns.js';
import { decodeInstant } from './schedule-row.js';
import type { Row, Sql } from './sql.js';

/** Statements about controls and workers; see the methods of `KindStore`. */
export interface KindsDialect extends ControlsDialect, WorkersDialect, CountsDialect, HistoryDialect {}

export interface CountsDialect {
  counts(sql: Sql, kind: string | null): Promise<CountsLook>;
  backlog(sql: Sql, kinds: readonly string[]): Promise<KindBacklog[]>;
  dueKinds(sql: Sql): Promise<DueKind[]>;
  sweep(sql: Sql): Promise<number>;
}

export interface HistoryDialect {
  history(sql: Sql, kind: string | null): Promise<HistoryLook>;
  hour(sql: Sql, kinds: readonly string[]): Promise<StoredCounts[]>;
}

export interface ControlsDialect {
  pause(sql: Sql, kind: string, terms: PauseTerms, isJoined: boolean): Promise<number>;
  resume(sql: Sql, kind: string, isJoined: boolean): Promise<boolean>;
  controls(sql: Sql): Promise<Controls>;
  isDrained(sql: Sql, kind: string): Promise<boolean>;
}

export interface WorkersDialect {
  beat(sql: Sql, report: WorkerReport): Promise<Controls>;
  forget(sql: Sql, workerId: string): Promise<void>;
  workers(sql: Sql): Promise<StoredWorker[]>;
  behind(sql: Sql, changed: number): Promise<string[]>;
}

/** What a database is sent about workers, beside their beats. */
export interface WorkerStatements {
  readonly forget: string;
  readonly workers: string;
  readonly behind: string;
}

export function workersDialect(statements: WorkerStatements, beat: WorkersDialect['beat']): WorkersDialect {
  return {
    beat,
    forget: async (sql, workerId) => {
      await sql.query(statements.forget, [workerId]);
    },
    workers: async (sql) => (await sql.query(statements.workers)).map(decodeWorker),
    behind: async (sql, changed) =>
      (await sql.query(statements.behind, [changed])).map(({ id }) => id as string),
  };
}

/** What is read of the controls, beside `left_ms`. The row without a kind has the number of the last change. */
export const CONTROL_COLUMNS = {
  kind: 'plain',
  paused_at: 'instant',
  paused_until: 'instant',
  reason: 'plain',
  stops_running: 'plain',
  changed: 'plain',
} as const satisfies Columns;

/** What is read of a worker. */
export const WORKER_COLUMNS = {
  id: 'plain',
  started_at: 'instant',
  seen_at: 'instant',
  controls_seen: 'plain',
  about: 'json',
} as const satisfies Columns;

/** From rows of `CONTROL_COLUMNS` with `left_ms` and `now`: one at least, which has no kind where there are no controls. */
export function decodeControls(rows: readonly Row[]): Controls {
  const last = rows.find(({ kind }) => kind === '');
  const pauses = rows.filter(({ kind }) => kind !== '' && kind !== null);
  return {
    now: Number(rows[0]!.now),
    changed: Number(last?.changed ?? 0),
    pauses: pauses.map((row) => ({
      kind: row.kind as string,
      since: decodeInstant(row.paused_at)!,
      until: decodeInstant(row.paused_until),
      leftMs: row.left_ms === null ? null : Number(row.left_ms),
      reason: row.reason as string | null,
      stopsRunning: Boolean(row.stops_running),
    })),
  };
}

/** From a row of `WORKER_COLUMNS`. */
function decodeWorker(row: Row): StoredWorker {
  return {
    workerId: row.id as string,
    startedAt: decodeInstant(row.started_at)!,
    seenAt: decodeInstant(row.seen_at)!,
    controlsSeen: Number(row.controls_seen),
    about: row.about as string,
  };
}

/**
 * From rows with `now`: one at least, which has no kind where nothing was counted. Those of minutes have `kind`, `span`,
 * `minute` and `counts`; those of a kind's day have `kind` and `failed`.
 */
export function decodeCounts(rows: readonly Row[]): CountsLook {
  const isDay = ({ failed }: Row) => failed !== null;
  const ofMinutes = rows.filter((row) => row.kind !== null && !isDay(row));
  return {
    now: Number(rows[0]!.now),
    minutes: ofMinutes.map(decodeMinute),
    failedInDay: new Map(rows.filter(isDay).map(({ kind, failed }) => [kind as string, Number(failed)])),
  };
}

/** From a row with `kind`, `span`, `minute` and `counts`. */
export function decodeMinute(row: Row): StoredCounts {
  return {
    kind: row.kind as string,
    span: Number(row.span),
    minute: Number(row.minute),
    counts: row.counts as string,
  };
}

/** From a row for each time of a kind, and one without a kind where nothing was counted; all tell the time in `now`. */
export function decodeHistory(rows: readonly Row[]): HistoryLook {
  const counted = rows.filter(({ kind }) => kind !== null);
  return { now: Number(rows[0]!.now), counts: counted.map(decodeTime) };
}

function decodeTime({ kind, span, minute, ...counts }: Row): KindHistory {
  const { done, failed, panicked, retried, cancelled } = counts;
  return {
    ...{ kind: kind as string, span: Number(span), minute: Number(minute) },
    ...{ done: Number(done), failed: Number(failed), panicked: Number(panicked) },
    ...{ retried: Number(retried), cancelled: Number(cancelled) },
  };
}

/** From a row with `kind`, `ready`, `oldest_ready_ms` and `scheduled`. */
export function decodeBacklog(row: Row): KindBacklog {
  return {
    kind: row.kind as string,
    ready: Number(row.ready),
    oldestReadyMs: row.oldest_ready_ms === null ? null : Math.max(0, Number(row.oldest_ready_ms)),
    scheduled: Number(row.scheduled ?? 0),
  };
}

/** From a row with `kind` and `overdue_ms`. */
export function decodeDueKind({ kind, overdue_ms }: Row): DueKind {
  return { kind: kind as string, overdueMs: overdue_ms === null ? null : Math.max(0, Number(overdue_ms)) };
}
