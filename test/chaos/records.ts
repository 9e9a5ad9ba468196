import type { JobPlan } from './behaviours.js';

/*
 * What a run leaves behind, and all that the checker sees. Instants are milliseconds since 1970, of the machine's real
 * clock and of the database's, which are the same clock here; some processes of a run believe in another.
 */

/** What an enqueuer was about to write in one call, all or none. Logged before it is sent. */
export interface SendRecord {
  readonly type: 'send';
  /** `<enqueuer>.<generation>-<number>` */
  readonly call: string;
  readonly at: number;
  readonly shape: 'one' | 'many' | 'transaction' | 'rolled back';
  /** The call whose answer was lost, where this one says the same again. */
  readonly again?: string;
  readonly jobs: readonly { readonly id: string; readonly plan: JobPlan }[];
}

/** What became of the call. One without an answer is as good as unknown: its process died. */
export interface AnswerRecord {
  readonly type: 'answer';
  readonly call: string;
  readonly at: number;
  /** `duplicate`: an id was there already. */
  readonly how: 'ok' | 'failed' | 'unknown' | 'duplicate';
  readonly error?: string;
}

/** One line of a worker's file. */
export type WorkerRecord = { readonly pid: number; readonly at: number } & (
  | { readonly type: 'start'; readonly id: string; readonly token: number; readonly worker: string }
  | { readonly type: 'end'; readonly id: string; readonly token: number; readonly how: string }
  /** The handler is about to end its process by itself. */
  | { readonly type: 'exit'; readonly id: string; readonly token: number }
  /** An outcome is about to be sent to the database. */
  | { readonly type: 'settle'; readonly id: string; readonly token: number; readonly outcome: string }
  | { readonly type: 'settled'; readonly written: number; readonly lost: number; readonly busy: number }
  | { readonly type: 'settle failed'; readonly count: number; readonly error: string }
  | { readonly type: 'claim'; readonly ms: number; readonly count: number }
  | { readonly type: 'claim failed'; readonly ms: number; readonly error: string }
  | { readonly type: 'renew failed'; readonly ms: number; readonly error: string }
  /** The event loop stood still, or the whole process did. */
  | { readonly type: 'lag'; readonly ms: number }
  | { readonly type: 'sample'; readonly sockets: number; readonly heapMb: number; readonly rssMb: number }
);

/** A row of the audit table: one change of one row of the jobs table, in the order in which they came. */
export interface AuditRecord {
  readonly seq: number;
  readonly at: number;
  readonly id: string;
  /** Undefined for the insert. */
  readonly before?: RowState;
  readonly after: RowState;
}

export interface RowState {
  readonly status: 'PENDING' | 'DONE' | 'FAILED' | 'PANIC';
  readonly token: number;
  readonly worker: string | null;
  readonly until: number | null;
  readonly attempts: number;
  readonly crashes: number;
  readonly alone: boolean;
  readonly runAt: number;
}

/** A row of the jobs table at the end. */
export interface JobRow {
  readonly id: string;
  readonly status: RowState['status'];
  readonly attempts: number;
  readonly crashes: number;
  readonly worker: string | null;
  readonly result: unknown;
  readonly lastError: string | null;
}

/** A row that a handler wrote, keyed by job and lease token. */
export interface EffectRow {
  readonly id: string;
  readonly token: number;
}

/** What the nemesis did, and what else stood in the way. */
export interface Fault {
  readonly kind:
    | 'kill'
    | 'stop'
    | 'terminate'
    | 'restart'
    | 'latency'
    | 'resets'
    | 'hold'
    | 'forget'
    | 'drop answers'
    | 'cut'
    | 'lock'
    /** Not the nemesis: the database, or the machine under it, took long for a small commit. */
    | 'slow database';
  /** Names of processes, or `database`. */
  readonly targets: readonly string[];
  readonly from: number;
  readonly until: number;
  /** The rows that were locked. */
  readonly ids?: readonly string[];
}

export interface ProcessRecord {
  readonly name: string;
  readonly pid: number;
  readonly spawnedAt: number;
  readonly exitedAt?: number;
  readonly code?: number | null;
  readonly signal?: string | null;
  /** Killed by the nemesis, or told to stop at the end. */
  readonly wanted?: boolean;
}

export interface Settings {
  readonly leaseMs: number;
  /** How long after its end a lease may stand until somebody takes it back, where the database answers. */
  readonly sweepMs: number;
  readonly maxCrashes: number;
  /** How many connections a process may have. */
  readonly maxSockets: number;
  readonly drainBoundMs: number;
  /** For how long a lost link goes on to hurt: as long as the database may take to answer. */
  readonly answerMs: number;
}

/** Everything about one run. */
export interface History {
  readonly settings: Settings;
  readonly sends: readonly SendRecord[];
  readonly answers: readonly AnswerRecord[];
  readonly workers: readonly WorkerRecord[];
  readonly audit: readonly AuditRecord[];
  readonly rows: readonly JobRow[];
  readonly effects: readonly EffectRow[];
  /** Ids of rows that were written in the same transaction as a job of the same id. */
  readonly business: readonly string[];
  readonly faults: readonly Fault[];
  readonly processes: readonly ProcessRecord[];
  readonly startedAt: number;
  /** When the nemesis had healed everything. */
  readonly healedAt: number;
  /** When nothing was pending any more; undefined where that was never seen. */
  readonly drainedAt: number | undefined;
  readonly endedAt: number;
  /** As the server's own log tells them. */
  readonly deadlocks: number;
}

/** A sentence of the suite that this history breaks. */
export interface Violation {
  readonly invariant: string;
  readonly job?: string;
  readonly message: string;
}
