import type { WorkerState } from '../worker/pulse.js';

/** What is wrong, for programs. docs/health.md says what to do about each. */
export type HealthCode =
  | 'worker-silent'
  | 'worker-fenced'
  | 'worker-not-running'
  | 'database-unreachable'
  | 'backlog-old'
  | 'kind-without-worker'
  | 'schedule-overdue';

export interface HealthProblem {
  readonly code: HealthCode;
  /** As a sentence, for a person. */
  readonly text: string;
}

/** Whether this process works: what makes it fail is mended by a new process. It asks no database. */
export interface Liveness {
  readonly isUp: boolean;
  /** `none` where the process has no worker, because it only enqueues. */
  readonly worker: WorkerState | 'none';
  readonly problems: readonly HealthProblem[];
}

/** Whether this process can enqueue and run jobs now. */
export interface Readiness {
  readonly isUp: boolean;
  readonly worker: WorkerState | 'none';
  /** How long the database took to answer, in milliseconds; null where it did not. */
  readonly databaseMs: number | null;
  readonly problems: readonly HealthProblem[];
}

/** Whether the jobs of the whole cluster run in time. */
export interface Backlog {
  readonly isUp: boolean;
  /** For how long the oldest ready job of each kind has waited, in milliseconds. Paused kinds are left out. */
  readonly oldestReadyMs: Readonly<Record<string, number>>;
  /** How late the schedules are, in milliseconds: of those that are overdue, the first 100. */
  readonly overdueMs: Readonly<Record<string, number>>;
  /** Kinds of which jobs are ready, and that no live worker serves. */
  readonly kindsWithoutWorker: readonly string[];
  readonly problems: readonly HealthProblem[];
}

/** All checks at once. */
export interface JobsHealthReport {
  /** Whether all of them are up. */
  readonly isUp: boolean;
  readonly live: Liveness;
  readonly ready: Readiness;
  readonly backlog: Backlog;
}
