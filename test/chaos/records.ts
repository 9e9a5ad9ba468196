import type { JobPlan } from './behaviors.js';

/*
 * What a run leaves behind. The checker sees nothing else. Instants are milliseconds since 1970 by the machine's real
 * clock, which is also the database's. Some processes of a run have a wrong clock.
 */

/** The jobs that an enqueuer was about to write in one call, all or none. Recorded before they are sent. */
export interface SendRecord {
  readonly type: 'send';
  /** `<enqueuer>.<generation>-<number>` */
  readonly call: string;
  readonly at: number;
  readonly shape: 'one' | 'many' | 'transaction' | 'rolled back';
  /** The call without an answer that this call repeats. */
  readonly again?: string;
  readonly jobs: readonly { readonly id: string; readonly plan: JobPlan }[];
}

/** The result of a call. A call without this record counts as unknown: its process died. */
export interface AnswerRecord {
  readonly type: 'answer';
  readonly call: string;
  readonly at: number;
  /** `duplicate`: an id already existed. */
  readonly how: 'ok' | 'failed' | 'unknown' | 'duplicate';
  readonly error?: string;
  /** Of calls with unique keys: for each job that was sent, the one that there was then, and what the call did. */
  readonly jobs?: readonly { readonly id: string; readonly enqueued: string }[];
  /** When the transaction of the call was about to be committed. */
  readonly committingAt?: number;
}

/** A job that an enqueuer was about to cancel, to retry or to update. */
export interface ControlRecord {
  readonly type: 'control';
  readonly call: string;
  readonly at: number;
  readonly what: 'cancel' | 'retry' | 'update';
  readonly id: string;
}

/** What came of it. A call without this record counts as unknown. */
export interface ControlledRecord {
  readonly type: 'controlled';
  readonly call: string;
  readonly at: number;
  /** `nothing`: the answer was null. `refused`: another job has the key. `not waiting`: it was not updated, because it ran or had ended. */
  readonly how:
    ('cancelled' | 'stopping' | 'retried' | 'updated') | ('nothing' | 'refused' | 'not waiting' | 'unknown');
}

/** One line of an enqueuer's file. */
export type EnqueuerRecord = SendRecord | AnswerRecord | ControlRecord | ControlledRecord;

/** One line of a worker's file. */
export type WorkerRecord = { readonly pid: number; readonly at: number } & (
  | {
      readonly type: 'start';
      readonly id: string;
      readonly token: number;
      readonly worker: string;
      /** The call that wrote the payload, where it has a unique key. */
      readonly call?: string;
      /** The call that updated the payload. */
      readonly change?: string;
    }
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
  /** The event loop was blocked, or the whole process was frozen. */
  | { readonly type: 'lag'; readonly ms: number }
  | { readonly type: 'sample'; readonly sockets: number; readonly heapMb: number; readonly rssMb: number }
);

/** A row of the audit table: one change of one row of the jobs table. `seq` gives their order. */
export interface AuditRecord {
  readonly seq: number;
  readonly at: number;
  readonly id: string;
  /** Undefined for the insert. */
  readonly before?: RowState;
  readonly after: RowState;
}

export interface RowState {
  readonly status: 'PENDING' | 'DONE' | 'FAILED' | 'PANIC' | 'CANCELLED';
  readonly token: number;
  readonly worker: string | null;
  readonly until: number | null;
  readonly attempts: number;
  readonly crashes: number;
  readonly alone: boolean;
  /** It was asked to stop. */
  readonly isStopping: boolean;
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
  /** The schedule that made it, and the instant that it is for. */
  readonly schedule?: string;
  readonly tick?: number;
  /** The numbers of the attempts in its history, in order. */
  readonly history: readonly number[];
}

/** A kind that was paused by the suite. Jobs of it must not start in between. */
export interface Pause {
  readonly kind: string;
  /** When every live worker had said that it obeys. */
  readonly from: number;
  /** When the suite was about to resume it. */
  readonly until: number;
}

/** A schedule at the end. */
export interface ScheduleRow {
  readonly name: string;
  /** What its ticks are counted from. */
  readonly anchorAt: number;
}

/** A row that a handler wrote, keyed by job and lease token. */
export interface EffectRow {
  readonly id: string;
  readonly token: number;
}

/** A fault that the nemesis caused, or a slow database. */
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
    /** Not by the nemesis: the database or its machine took long for a small commit. */
    | 'slow database';
  /** Names of processes, `link of <process>`, or `database`. */
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
  /** The process was killed by the nemesis, or stopped at the end. */
  readonly wanted?: boolean;
}

export interface Settings {
  readonly leaseMs: number;
  /** How long an expired lease may stand until a worker reclaims it, if the database answers. */
  readonly reclaimMs: number;
  readonly maxCrashes: number;
  /** How many connections a process may have. */
  readonly maxSockets: number;
  readonly drainBoundMs: number;
  /** How long a process may wait for an answer. A broken link can do harm for this long after it is repaired. */
  readonly answerMs: number;
}

/** A call that cancels, retries or updates a job. */
export interface Control extends Pick<ControlRecord, 'what' | 'id' | 'call'> {
  readonly from: number;
  /** Infinity where there was no answer: it may still be carried out. */
  readonly until: number;
  readonly how: ControlledRecord['how'];
}

/** Everything about one run. */
export interface History {
  readonly settings: Settings;
  readonly sends: readonly SendRecord[];
  readonly answers: readonly AnswerRecord[];
  readonly controls: readonly Control[];
  readonly pauses: readonly Pause[];
  readonly workers: readonly WorkerRecord[];
  readonly audit: readonly AuditRecord[];
  readonly rows: readonly JobRow[];
  readonly schedules: readonly ScheduleRow[];
  readonly effects: readonly EffectRow[];
  /** Ids of rows that were written in the same transaction as a job of the same id. */
  readonly business: readonly string[];
  readonly faults: readonly Fault[];
  readonly processes: readonly ProcessRecord[];
  readonly startedAt: number;
  /** When the nemesis had healed everything. */
  readonly healedAt: number;
  /** When no job was pending anymore; undefined if that never happened. */
  readonly drainedAt: number | undefined;
  readonly endedAt: number;
  /** The number of deadlocks in the server's log. */
  readonly deadlocks: number;
}

/** An invariant that a history breaks. */
export interface Violation {
  readonly invariant: string;
  readonly job?: string;
  readonly message: string;
}
