import { brandOf, branded } from './copies.js';

/** What an error may be given. It is the standard `ErrorOptions`, which an application with `lib: ["ES2021"]` does not have. */
export interface WithCause {
  readonly cause?: unknown;
}

/** The base of every error that this package throws on purpose: `catch (e) { if (e instanceof JobsError) … }`. */
@branded('JobsError')
export class JobsError extends Error {
  constructor(message: string, options?: WithCause) {
    super(message, options);
    this.name = brandOf(new.target) ?? new.target.name;
  }
}

/**
 * An option of the module, of a handler or of a queue is not allowed.
 * Thrown at start-up. The message names the option, the value and what is allowed.
 */
@branded('InvalidOptionError')
export class InvalidOptionError extends JobsError {
  constructor(
    readonly option: string,
    readonly value: unknown,
    readonly allowed: string,
  ) {
    super(`Option "${option}" is ${printable(value)}; it must be ${allowed}.`);
  }

  /** What is wrong, without the option's name. */
  get problem(): string {
    return `is ${printable(this.value)}; it must be ${this.allowed}.`;
  }
}

/**
 * A job, or a value that belongs to one, cannot be stored as it is. Nothing was written.
 * `path` says where, for example `payload.items[3].price`.
 */
@branded('InvalidJobError')
export class InvalidJobError extends JobsError {
  constructor(
    readonly path: string,
    readonly problem: string,
    options?: WithCause,
  ) {
    super(`${path} ${problem}`, options);
  }
}

/**
 * A schedule cannot work as it is declared or given. Nothing was written. `path` says which option is wrong, for example
 * `timeZone`.
 */
@branded('InvalidScheduleError')
export class InvalidScheduleError extends JobsError {
  constructor(
    readonly path: string,
    readonly problem: string,
    options?: WithCause,
  ) {
    super(`${path} ${problem}`, options);
  }
}

/** What told that a job is there already, where it was not the id. */
export interface DuplicateKey {
  readonly kind: string;
  readonly key: string;
}

/**
 * A job with this id exists already, or holds the unique key of the new one. Nothing of the call was written, so it is safe
 * to read that job with `get(id)`.
 */
@branded('DuplicateJobError')
export class DuplicateJobError extends JobsError {
  /** The kind of the job, where it holds the key. */
  readonly kind?: string;
  /** The unique key; undefined where the ids are the same. */
  readonly key?: string;

  /** @param id of the job that is there already */
  constructor(
    readonly id: string,
    options?: WithCause & Partial<DuplicateKey>,
  ) {
    const { key, kind, ...rest } = options ?? {};
    super(key === undefined ? idTaken(id) : keyTaken(id, key, kind ?? ''), rest);
    if (key === undefined) return;
    this.kind = kind;
    this.key = key;
  }
}

function idTaken(id: string): string {
  return (
    `A job with the id "${id}" exists already; nothing was written. Read it with get(), leave out the id to get a new ` +
    `one, or say ifExists: 'join' to get that job back.`
  );
}

function keyTaken(id: string, key: string, kind: string): string {
  return (
    `The job "${id}" of kind "${kind}" holds the unique key "${key}"; nothing was written. Read it with get(), or say ` +
    `onConflict: 'join' to get that job back.`
  );
}

/** No handler of this process serves the kind, so the job was refused. Nothing was written. */
@branded('UnknownKindError')
export class UnknownKindError extends JobsError {
  constructor(
    readonly kind: string,
    readonly knownKinds: readonly string[],
    advice = `Add a method with @JobHandler('${kind}') to a class among the providers of an imported module`,
  ) {
    super(
      `No handler serves the kind "${kind}"; nothing was written. Known kinds: ${knownKinds.join(', ') || 'none'}. ` +
        `${advice}, or set unknownKinds: 'allow' where another process serves it.`,
    );
  }
}

/** Two handlers serve one kind. Thrown at start-up; the message names both. */
@branded('KindExistsError')
export class KindExistsError extends JobsError {
  constructor(
    readonly kind: string,
    /** Where they are declared: `Mails.send in MailModule`. */
    readonly handlers: readonly [string, string],
  ) {
    super(
      `The kind "${kind}" has two handlers: ${handlers[0]} and ${handlers[1]}. ` +
        `Give one of them another kind, or another queue.`,
    );
  }
}

/** The handler did not end within its `timeoutMs`. The attempt counts as failed. */
@branded('JobTimeoutError')
export class JobTimeoutError extends JobsError {
  constructor(readonly timeoutMs: number) {
    super(`The handler did not end within its timeoutMs of ${timeoutMs} ms.`);
  }
}

/**
 * The reason of `context.signal` when the lease of the job is lost. This worker will not write the outcome, whatever the
 * handler still does.
 */
@branded('LeaseLostError')
export class LeaseLostError extends JobsError {
  constructor(
    readonly jobId: string,
    problem: string,
  ) {
    super(`The lease of job ${jobId} is lost: ${problem}`);
  }
}

/** The reason of `context.signal` when the worker shuts down and the time for running handlers is over. */
@branded('WorkerStoppedError')
export class WorkerStoppedError extends JobsError {
  constructor() {
    super('The worker is shutting down; the job is given back and will be run again.');
  }
}

/**
 * Thrown by a handler: try this job again later. The job stays `PENDING` and is ready again after `retryAfterMs`,
 * never sooner than the module's `minRetryDelayMs` (5000). Without a `maxAttempts` it may come back without end.
 */
@branded('RetryableError')
export class RetryableError extends JobsError {
  /** Milliseconds until the next attempt. Undefined leaves it to the handler's `backoff`. */
  readonly retryAfterMs: number | undefined;

  /** @param options `retryAfterMs`: milliseconds until the next attempt; `cause`: what went wrong */
  constructor(message = 'Try again later.', options: { cause?: unknown; retryAfterMs?: number } = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** Thrown by a handler: the job is `FAILED` now, whatever its retry policy says. */
@branded('PermanentError')
export class PermanentError extends JobsError {
  constructor(message = 'The job failed for good.', options?: { cause?: unknown }) {
    super(message, options);
  }
}

/** The payload was written by a newer release. This one leaves it to a worker of that release. */
@branded('NewerPayloadError')
export class NewerPayloadError extends JobsError {
  constructor(kind: string, version: number, known: number) {
    super(`The payload of "${kind}" is of version ${version}, and this release knows up to ${known}.`);
  }
}

/** Something that is wrong with a payload. */
export interface PayloadIssue {
  /** `payload.items[0].price` */
  readonly path: string;
  readonly message: string;
}

/** A payload does not fit the schema of its job. Thrown by an enqueue, which has written nothing; or the cause of a failed attempt. */
@branded('InvalidPayloadError')
export class InvalidPayloadError extends InvalidJobError {
  constructor(
    readonly kind: string,
    readonly issues: readonly PayloadIssue[],
  ) {
    const list = issues.map(({ path, message }) => `${path}: ${message}`).join('; ');
    super('payload', `does not fit the schema of "${kind}": ${list}`);
  }
}

function printable(value: unknown): string {
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value !== 'object' || value === null) return String(value);
  try {
    return JSON.stringify(value).slice(0, 100);
  } catch {
    return 'an object';
  }
}
