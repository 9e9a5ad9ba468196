import type { EntityManager } from 'typeorm';

/**
 * `PENDING` until an attempt ends it: waiting, scheduled for later, running, or to be retried.
 * The other four are terminal; no worker touches such a job again.
 */
export type JobStatus = 'PENDING' | 'DONE' | 'FAILED' | 'PANIC' | 'CANCELLED';

/** A job as it is stored. */
export interface Job<Payload = unknown, Result = unknown> {
  /** 1 to 255 characters: the caller's, or a UUIDv7. */
  readonly id: string;
  /** The name that ties the job to its handler: case-sensitive, 1 to 255 characters. */
  readonly kind: string;
  /** What JSON makes of the payload, or its bytes as a `Uint8Array`; undefined where none was given. */
  readonly payload: Payload;
  /** No attempt starts before this. Moves forward with each retry. */
  readonly runAt: Date;
  /** `PENDING` until the job ends as `DONE`, `FAILED`, `PANIC` or `CANCELLED`; a running job is `PENDING` with `lockedBy`. */
  readonly status: JobStatus;
  /** When it was enqueued, by the clock of the database. */
  readonly createdAt: Date;
  /** When the row last changed, heartbeats apart. */
  readonly updatedAt: Date;
  /** What the handler returned, on a job that is `DONE`. */
  readonly result?: Result;
  /** How many attempts have ended, in whatever way. Those whose worker died count, a running one does not. */
  readonly attemptsDone: number;
  /** When the last ended attempt began. */
  readonly lastAttemptAt?: Date;
  /** Name, message and stack of the error of the last failed attempt; a panic has `panic: ` before it. Stays on a job that succeeds later. */
  readonly lastError?: string;
  /** The version of the payload's shape; see `defineJob`. */
  readonly payloadVersion: number;
  /** What the module's `contextCarrier` captured when the job was enqueued. */
  readonly carried?: unknown;
  /** Lower runs first. */
  readonly priority: number;
  /** How many attempts may fail before the job is `FAILED`; undefined leaves it to the handler. */
  readonly maxAttempts?: number;
  /** How many of the attempts ended with the death of their worker. */
  readonly crashes: number;
  /** The worker that runs the job now. */
  readonly lockedBy?: string;
  /** When that worker's lease ends, unless it is renewed. */
  readonly lockedUntil?: Date;
}

/** A job under a lease: what a claim returns. */
export interface ClaimedJob<Payload = unknown> extends Job<Payload> {
  readonly lockedBy: string;
  readonly lockedUntil: Date;
  /** Rises with each claim of this job. Pass it on to systems that must refuse a worker that froze and woke up. */
  readonly leaseToken: number;
  /** How large the payload is as it is stored, in bytes; a character of JSON counts as one. */
  readonly payloadSize: number;
  /** Why the stored job cannot be read, if it cannot. The attempt fails with this. */
  readonly unreadable?: Error;
}

/** The second argument of a handler. */
export interface JobContext<Payload = unknown> {
  readonly job: Job<Payload>;
  /** Aborts when the handler's time is up, its lease is lost or the worker gives it back; `signal.reason` says which. */
  readonly signal: AbortSignal;
  /** 1 on the first attempt. */
  readonly attempt: number;
  /** Rises with each claim of this job, so that a late write of an earlier attempt can be told from this one's. */
  readonly leaseToken: number;
  /** The worker that runs the job. */
  readonly workerId: string;
  /** The manager of the handler's transaction, with `transactional: true`. Reading it in another handler throws. */
  readonly manager: EntityManager;
}

/** What a caller may say about a job besides kind and payload. */
export interface JobSettings {
  /** 1 to 255 characters, trimmed. Default: a new UUIDv7. A job that exists already is a `DuplicateJobError`. */
  readonly id?: string;
  /** Not before this instant, from year 1 to 9999; one in the past means at once. Not together with `delayMs`. */
  readonly runAt?: Date;
  /** Not before this many milliseconds from now, by the database's clock. Not together with `runAt`. */
  readonly delayMs?: number;
  /** A 32-bit integer, default 0; lower runs first. */
  readonly priority?: number;
  /** How many attempts may fail before the job is `FAILED`. Takes precedence over the handler's own `maxAttempts`. */
  readonly maxAttempts?: number;
}

/** A job to be enqueued. */
export interface NewJob<Payload = unknown> extends JobSettings {
  readonly kind: string;
  /** Any JSON value, or a `Uint8Array`. */
  readonly payload?: Payload;
  /** Checks the payload. It is the `JobDefinition` that made this job by `with`. */
  readonly definition?: PayloadReader;
}

/** Checks the payloads of a kind, and brings those of earlier versions up to date. `JobDefinition` does. */
export interface PayloadReader {
  readonly version: number;
  /** @returns what the handler gets; rejects where the payload does not fit */
  read(stored: unknown, fromVersion: number): Promise<unknown>;
}

/** A job whose worker let its lease run out. */
export interface ReclaimedJob {
  readonly id: string;
  readonly kind: string;
  /** The worker that had it. */
  readonly workerId: string;
  /** This one included. */
  readonly crashes: number;
  /** `PENDING`: it is ready again. `PANIC`: it has killed its worker too often. */
  readonly status: 'PENDING' | 'PANIC';
}
