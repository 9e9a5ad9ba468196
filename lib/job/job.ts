import type { EntityManager } from 'typeorm';
import type { TraceContext } from './carriage.js';
import type { JobLogLevel, JobProgress } from './job-log.js';
import type { JobState, JobStatus } from './job-state.js';
import type { StoredBackoff } from './retry.js';
import type { ShownSettings } from './settings.js';
import type { DebounceOptions, ThrottleOptions, UniqueByPayload, UniqueOptions } from './unique.js';

/** A job as it is stored. */
export interface Job<Payload = unknown, Result = unknown> extends ShownSettings {
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
  /** Where it stood when it was read, by the clock of the database. */
  readonly state: JobState;
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
  /** The trace that it was enqueued in, where telemetry was on: `traceparent` and what else the propagator writes. */
  readonly traceContext?: TraceContext;
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
  /** Why it was cancelled, or is to be; undefined also where no reason was given. */
  readonly cancelReason?: string;
  /** What its handler has told last by `context.progress`, by any attempt; undefined where it never has. */
  readonly progress?: JobProgress;
  /** What the enqueue that returned this job did. Only on what an enqueue returns. */
  readonly enqueued?: Enqueued;
}

/** What lists tell of a job: all but its payload, its result and what it carries, which may be large. */
export type JobSummary = Omit<Job, 'payload' | 'result' | 'carried' | 'traceContext' | 'enqueued'>;

/**
 * What an enqueue did:
 *
 * - `'created'`: it made the job
 * - `'joined'`: it wrote nothing, because this job has its unique key, or its id
 * - `'replaced'`: it wrote into this job, which has its unique key and had not begun
 */
export type Enqueued = 'created' | 'joined' | 'replaced';

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
  /** The instant that a job of a schedule is for; undefined on other jobs. */
  readonly tick: Date | undefined;
  /**
   * Puts the job back when the handler returns, which drops what it returns: the job is ready again after so many
   * milliseconds by the database's clock, from 0 to 100 years. No attempt is spent, and `attempt` is the same next time. Where
   * the handler throws after that, its error counts as always. Of several calls the last one counts.
   * @throws InvalidJobError where `ms` is no such number
   */
  readonly snooze: (ms: number) => void;
  /**
   * Tells how far the handler has come, for `Job.progress`: a number from 0 to 1, or an object of at most 4 kB of JSON. The
   * newest is written within a second, and before the outcome. Never throws: what cannot be stored is dropped, and the
   * event `noteRefused` tells so, once for an attempt.
   */
  readonly progress: (progress: JobProgress) => void;
  /**
   * Logs a text, fields or an error with the job, for `JobClient.logs`. Lines are written within a second, and before the
   * outcome; of an attempt the newest 1,000 and 64 kB are kept. Texts are cut after 8192 characters. Never throws, as
   * `progress`.
   * @param level default `'info'`
   */
  readonly log: (entry: string | Readonly<Record<string, unknown>> | Error, level?: JobLogLevel) => void;
  /** The manager of the handler's transaction, with `transactional: true`. Reading it in another handler throws. */
  readonly manager: EntityManager;
}

/** What a caller may say about a job besides kind and payload. */
export interface JobSettings {
  /** 1 to 255 characters, trimmed. Default: a new UUIDv7. A job that exists already is a `DuplicateJobError`; see `ifExists`. */
  readonly id?: string;
  /** What becomes of the enqueue where a job with this id exists: an error, or that job comes back. Default `'reject'`. */
  readonly ifExists?: 'reject' | 'join';
  /** Not before this instant, from year 1 to 9999; one in the past means at once. Not together with `delayMs`. */
  readonly runAt?: Date;
  /** Not before this many milliseconds from now, by the database's clock. Not together with `runAt`. */
  readonly delayMs?: number;
  /** A 32-bit integer, default 0; lower runs first. */
  readonly priority?: number;
  /** How many attempts may fail before the job is `FAILED`. Takes precedence over the handler's own `maxAttempts`. */
  readonly maxAttempts?: number;
  /**
   * How long to wait before the next attempt, as data: `{ type: 'fixed', delayMs }` or `{ type: 'exponential', … }`. Takes
   * precedence over the handler's own `backoff`.
   */
  readonly backoff?: StoredBackoff;
  /** To find the job by: at most 10, each trimmed and of 1 to 100 characters, none twice. */
  readonly tags?: readonly string[];
  /** Makes one job of those with the same key. Takes precedence over the handler's own `unique`. */
  readonly unique?: UniqueOptions;
  /** Runs once when enqueues of a key have paused for `waitMs`. Not together with `unique`, `throttle`, `runAt` and `delayMs`. */
  readonly debounce?: DebounceOptions;
  /** Makes at most one job of a key in `perMs`; the others join it. Not together with `unique` and `debounce`. */
  readonly throttle?: ThrottleOptions;
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
  readonly options?: { readonly unique?: UniqueByPayload };
  /** @returns what the handler gets; rejects where the payload does not fit */
  read(stored: unknown, fromVersion: number): Promise<unknown>;
}

/** A job whose worker let its lease run out. */
export interface ReclaimedJob {
  readonly id: string;
  readonly kind: string;
  /** The worker that had it. */
  readonly workerId: string;
  /** This one included, unless the job was asked to end. */
  readonly crashes: number;
  /** `PENDING`: it is ready again. `PANIC`: it has killed its worker too often. `CANCELLED`: it was asked to end. */
  readonly status: 'PENDING' | 'PANIC' | 'CANCELLED';
}
