/*
 * What the pages of the dashboard and its controller say to each other, as JSON. The controller makes it, and lib/dashboard/ui
 * shows it. Instants are milliseconds since 1970 by the clock of the database; durations are milliseconds.
 */

export type Outcome = 'done' | 'failed' | 'panicked' | 'retried' | 'cancelled';
export type StateName =
  | 'scheduled'
  | 'blocked'
  | 'ready'
  | 'retrying'
  | 'running'
  | 'stopping'
  | 'done'
  | 'failed'
  | 'panic'
  | 'cancelled';

/** A number that is not counted beyond a bound. */
export interface Capped {
  readonly value: number;
  readonly capped: boolean;
}

/** What this viewer may do, and what this dashboard is of. Part of the page. */
export interface Session {
  readonly name: string;
  readonly release: string;
  readonly readOnly: boolean;
  readonly may: Readonly<Record<'act' | 'reveal', boolean>>;
}

/** What went wrong. Answers of status 400 and higher. */
export interface Refusal {
  readonly error: { readonly code: string; readonly message: string };
}

// GET api/overview, and each message of GET api/live
export interface Overview {
  readonly now: number;
  /** A point for each minute of the last hour, or for each hour of the last day; the oldest first. */
  readonly minutes: readonly RatePoint[];
  readonly hours: readonly RatePoint[];
  readonly kinds: readonly KindRow[];
  readonly workers: Readonly<Record<'live' | 'running' | 'concurrency' | 'stopping', number>>;
  readonly backlog: {
    readonly ready: Capped;
    readonly oldestReadyMs: number | null;
    readonly scheduled: Capped;
  };
  readonly problems: readonly Problem[];
}

export interface RatePoint {
  readonly at: number;
  readonly counts: Readonly<Record<Outcome, number>>;
}

/** Something that somebody should look at. */
export interface Problem {
  readonly code: 'no-worker' | 'overdue-schedule' | 'old-backlog' | 'panics' | 'blocked-loop' | 'paused';
  readonly severity: 'warning' | 'error';
  readonly text: string;
  /** The query of the screen that shows the cause, e.g. `view=jobs&kind=mail&state=ready`. */
  readonly query: string;
}

// GET api/kinds
export interface KindRow {
  readonly kind: string;
  readonly ready: Capped;
  readonly oldestReadyMs: number | null;
  readonly scheduled: Capped;
  readonly blocked: number;
  readonly running: number;
  readonly failedInDay: number;
  readonly perMinute: Readonly<Record<Outcome | 'claimed', number>>;
  readonly waitMs: PercentileRow | null;
  readonly runMs: PercentileRow | null;
  readonly workers: number;
  readonly paused: PauseRow | null;
  /** How many jobs ended in each minute of the last hour; the oldest first. */
  readonly spark: readonly number[];
}

export interface PercentileRow {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

export interface PauseRow {
  /** `'*'` where all kinds are paused. */
  readonly kind: string;
  readonly since: number;
  readonly until: number | null;
  readonly reason: string | null;
  readonly stopsRunning: boolean;
}

export interface Kinds {
  readonly now: number;
  readonly kinds: readonly KindRow[];
  /** The pause of all kinds. */
  readonly allPaused: PauseRow | null;
}

// GET api/schedules?after=…
export interface Schedules {
  readonly now: number;
  readonly schedules: readonly ScheduleRow[];
  readonly next: string | null;
}

export interface ScheduleRow {
  readonly name: string;
  readonly kind: string;
  readonly cron: string | null;
  readonly timeZone: string | null;
  readonly everyMs: number | null;
  readonly declared: boolean;
  readonly enabled: boolean;
  readonly nextAt: number | null;
  /** The next five ticks. */
  readonly ticks: readonly number[];
  readonly lastTick: number | null;
  readonly lastJobId: string | null;
  readonly paused: { readonly since: number; readonly reason: string | null } | null;
  readonly overdue: boolean;
  readonly skipped: number;
}

// GET api/workers
export interface Workers {
  readonly now: number;
  readonly workers: readonly WorkerRow[];
}

export interface WorkerRow {
  readonly name: string;
  readonly host: string;
  readonly pid: number;
  readonly kinds: readonly string[];
  readonly concurrency: number;
  readonly running: number;
  readonly runningKinds: Readonly<Record<string, number>>;
  readonly startedAt: number;
  readonly seenAt: number;
  readonly stopping: boolean;
  readonly eventLoopDelayMs: number;
  readonly rssBytes: number;
  readonly release: string;
  readonly tzData: string | null;
}

// GET api/errors?after=…&kind=…
export interface Errors {
  readonly now: number;
  readonly groups: readonly ErrorGroup[];
  /** How many failed jobs were looked at, and where to go on: `after`. */
  readonly searched: number;
  readonly next: string | null;
}

export interface ErrorGroup {
  /** 16 hexadecimal digits: of the class, the message without numbers and ids, and the top frame. */
  readonly fingerprint: string;
  readonly title: string;
  readonly frame: string | null;
  readonly kinds: readonly string[];
  readonly count: number;
  readonly firstAt: number;
  readonly lastAt: number;
  /** Some jobs of the group, the newest first. */
  readonly jobIds: readonly string[];
}

// GET api/audit?after=…
export interface Audit {
  readonly now: number;
  readonly entries: readonly AuditRow[];
  readonly next: string | null;
}

export interface AuditRow {
  readonly at: number;
  readonly who: string;
  readonly action: string;
  /** What it was done to, in words. */
  readonly target: string;
  /** How many jobs or rows were changed; null where the action failed. */
  readonly changed: number | null;
  readonly problem: string | null;
}

// GET api/form?kind=… : what a new job of a kind looks like. Without a kind: the kinds that this process serves.
export interface Form {
  readonly kinds: readonly string[];
  /** JSON Schema of the payload; null where it is not known. */
  readonly schema: unknown;
}

// GET api/preview?cron=…&timeZone=… or everyMs=… : the next ticks
export interface Preview {
  readonly ticks: readonly number[];
}
