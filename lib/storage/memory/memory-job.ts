import { decodeCarriage } from '../../job/carriage.js';
import { decodeDocument, sizeOf } from '../../job/document.js';
import type { ClaimedJob, Job } from '../../job/job.js';
import type { JobProgress } from '../../job/job-log.js';
import { stateOf, type StateFacts } from '../../job/job-state.js';
import type { EncodedJob } from '../../job/encode-job.js';
import { decodeSettings, shownSettings, type ShownSettings } from '../../job/settings.js';
import type { LeaseTerms } from '../../queue/lease.js';

/** A job as the queue in memory keeps it: documents as they are stored, and fields that no `Job` shows. */
export type Stored = Writable<StoredJob>;

type Writable<T> = { -readonly [K in keyof T]: T[K] };

interface StoredJob extends Omit<
  Job,
  'payload' | 'carried' | 'traceContext' | 'result' | 'progress' | 'state' | keyof ShownSettings
> {
  payload: EncodedJob['payload'];
  carried: string | null;
  settings: string | null;
  result?: EncodedJob['payload'];
  /** JSON. */
  progress?: string;
  leaseToken: number;
  lockedAt?: Date;
  heartbeatAt?: Date;
  alone: boolean;
  /** When it was asked to end while it ran. */
  cancelRequestedAt?: Date;
}

export function store(job: EncodedJob, now: number): Stored {
  return {
    id: job.id,
    kind: job.kind,
    payload: copyOf(job.payload),
    payloadVersion: job.payloadVersion,
    carried: job.carried,
    settings: job.settings,
    runAt: new Date(job.runAtMs ?? now + job.delayMs),
    status: 'PENDING',
    createdAt: new Date(now),
    updatedAt: new Date(now),
    attemptsDone: 0,
    priority: job.priority,
    ...(job.maxAttempts === null ? {} : { maxAttempts: job.maxAttempts }),
    crashes: 0,
    leaseToken: 0,
    alone: false,
  };
}

/** @param now in milliseconds, by the clock of the queue */
export function show(stored: Stored, now: number): Job {
  const {
    payload,
    carried,
    settings,
    result,
    progress,
    leaseToken: _token,
    lockedAt: _at,
    heartbeatAt: _beat,
    alone: _alone,
    cancelRequestedAt: _cancel,
    ...job
  } = stored;
  const value = result === undefined ? undefined : read(result);
  return {
    ...job,
    state: stateOf(factsOf(stored), now),
    payload: read(payload),
    ...decodeCarriage(carried),
    ...shownSettings(decodeSettings(settings)),
    ...(value === undefined ? {} : { result: value }),
    ...(progress !== undefined && { progress: decodeDocument(progress, null) as JobProgress }),
  };
}

function factsOf(job: Stored): StateFacts {
  return {
    status: job.status,
    isHeld: job.lockedBy !== undefined,
    isCancelRequested: job.cancelRequestedAt !== undefined,
    runAtMs: job.runAt.getTime(),
    attemptsDone: job.attemptsDone,
  };
}

export function showClaimed(job: Stored, now: number): ClaimedJob {
  const { leaseToken, lockedBy, lockedUntil, payload } = job;
  return {
    ...show(job, now),
    leaseToken,
    lockedBy: lockedBy!,
    lockedUntil: lockedUntil!,
    payloadSize: sizeOf(payload),
  };
}

/** Bytes are copied on their way in and out, as a database does: a later change of the array changes no job. */
export function copyOf({ json, bytes }: EncodedJob['payload']): EncodedJob['payload'] {
  return { json, bytes: bytes === null ? null : Uint8Array.from(bytes) };
}

function read(document: EncodedJob['payload']): unknown {
  const { json, bytes } = copyOf(document);
  return decodeDocument(json, bytes);
}

export function isRunning(job: Stored): boolean {
  return job.status === 'PENDING' && job.lockedBy !== undefined;
}

/** Ready or scheduled. */
export function isWaiting(job: Stored): boolean {
  return job.status === 'PENDING' && !isRunning(job);
}

export function lock(job: Stored, { workerId, leaseMs, alone = false }: LeaseTerms, now: number): void {
  job.leaseToken += 1;
  job.lockedBy = workerId;
  job.lockedAt = job.heartbeatAt = new Date(now);
  job.lockedUntil = new Date(now + leaseMs);
  job.alone = alone;
  job.updatedAt = new Date(now);
}

export function endAttempt(job: Stored, now: number): void {
  job.attemptsDone += 1;
  if (job.lockedAt !== undefined) job.lastAttemptAt = job.lockedAt;
  unlock(job, now);
}

/** As if it had not been claimed. What was asked to end, and has not begun or is given back, ends with this. */
export function giveBack(job: Stored, now: number): void {
  if (job.cancelRequestedAt !== undefined) job.status = 'CANCELLED';
  unlock(job, now);
}

function unlock(job: Stored, now: number): void {
  delete job.lockedBy;
  delete job.lockedAt;
  delete job.lockedUntil;
  job.alone = false;
  job.updatedAt = new Date(now);
}

/** What a job tells of a worker that let its lease run out, when the crash has been counted. */
export function crashMessage(job: Stored, maxCrashes: number): string {
  return (
    `${job.status === 'PANIC' ? 'panic: ' : ''}the worker ${job.lockedBy!} stopped renewing the lease of this job: ` +
    `its last heartbeat was at ${job.heartbeatAt!.toISOString()}, the lease ran out at ` +
    `${job.lockedUntil!.toISOString()}${job.alone ? '; the job ran alone' : ''}` +
    (job.status === 'CANCELLED' ? '; it was to be cancelled' : ` (crash ${job.crashes} of ${maxCrashes})`)
  );
}
