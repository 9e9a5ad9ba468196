/*
 * Jobs, as the pages of the dashboard see them; see screens.ts for the rest.
 */
import type { Capped, StateName } from './screens.js';

/*
 * GET api/jobs. The query: state (may repeat), kind (may repeat), tag (may repeat), id (may repeat), key, schedule, error,
 * payload (may repeat: `path=JSON value`, or `path=text`), createdAfter, createdBefore, runAfter, runBefore, updatedAfter,
 * updatedBefore (milliseconds), order ('newest' or 'oldest'), after, limit.
 */
export interface Jobs {
  readonly now: number;
  readonly jobs: readonly JobRow[];
  /** What `after` is for the next page; null where there is none. */
  readonly next: string | null;
  readonly searched: number;
  /** False where the call ended at its bound of rows: there may be more after `next`. */
  readonly complete: boolean;
}

// GET api/counts, with the query of api/jobs: how many jobs are in each state, whatever states the query names.
export type Counts = { readonly states: Readonly<Record<StateName, Capped>> };

export interface JobRow {
  readonly id: string;
  readonly kind: string;
  readonly state: StateName;
  readonly status: string;
  readonly createdAt: number;
  /** Null where the database has one that no clock gets to, as `infinity` and `-infinity`. */
  readonly runAt: number | null;
  readonly updatedAt: number;
  readonly lastAttemptAt: number | null;
  readonly attemptsDone: number;
  readonly maxAttempts: number | null;
  readonly crashes: number;
  readonly priority: number;
  readonly tags: readonly string[];
  readonly uniqueKey: string | null;
  readonly schedule: string | null;
  readonly lockedBy: string | null;
  /** The first line of the last error. */
  readonly error: string | null;
  readonly progress: number | Readonly<Record<string, unknown>> | null;
}

// GET api/job?id=…
export interface JobPage {
  readonly now: number;
  readonly job: JobRow & {
    readonly tick: number | null;
    readonly cancelReason: string | null;
    readonly lockedUntil: number | null;
    readonly payloadVersion: number;
    readonly backoff: unknown;
    readonly lastError: string | null;
    readonly payload: Shown;
    readonly result: Shown;
    readonly carried: Shown;
    /** From the W3C `traceparent` that telemetry or a carrier gave the job: 32 hexadecimal digits. */
    readonly traceId: string | null;
    /** Where that trace is shown, outside of the dashboard. */
    readonly traceUrl: string | null;
  };
  readonly attempts: readonly AttemptRow[];
  readonly logs: { readonly lines: readonly LogRow[]; readonly lost: number };
  readonly explain: readonly { readonly code: string; readonly text: string }[];
  /** The jobs before and after this one by id, of the same kind. */
  readonly neighbours: { readonly older: string | null; readonly newer: string | null };
}

/** A value as it may be seen. */
export interface Shown {
  readonly type: 'none' | 'json' | 'bytes';
  /** JSON with line ends, at most 64 kB; or bytes as hexadecimal digits, at most 4 kB of them. */
  readonly text: string;
  readonly truncated: boolean;
  /** In bytes, as it is stored. */
  readonly size: number;
  /** Whether something is hidden that POST api/act/reveal would show. */
  readonly redacted: boolean;
}

export interface AttemptRow {
  readonly attempt: number;
  readonly worker: string | null;
  readonly startedAt: number | null;
  readonly endedAt: number;
  readonly outcome: string;
  readonly error: string | null;
  readonly nextAt: number | null;
}

export interface LogRow {
  readonly attempt: number;
  readonly line: number;
  readonly at: number;
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly text: string;
}
