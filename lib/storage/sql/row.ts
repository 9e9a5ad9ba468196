import { decodeDocument, sizeOf } from '../../job/document.js';
import type { ClaimedJob, Job, JobStatus, ReclaimedJob } from '../../job/job.js';
import type { EncodedJob } from '../../job/encode-job.js';
import type { LeaseTerms } from '../../queue/lease.js';
import type { SeenLease, WrittenLease } from './jobs-dialect.js';
import type { OpenTransaction } from './dialect.js';
import type { CLAIMED_COLUMNS, JOB_COLUMNS } from './columns.js';
import type { Row } from './sql.js';

/** A row that has these columns, whatever the driver makes of them. */
type RowOf<Columns> = Readonly<Record<keyof Columns, unknown>>;

/** A row of `JOB_COLUMNS`. */
export function decodeJob(selected: Row): Job {
  const row = selected as RowOf<typeof JOB_COLUMNS>;
  return {
    id: row.id as string,
    kind: row.kind as string,
    payload: decodeDocument(row.payload as string | null, row.payload_bytes as Uint8Array | null, 'payload'),
    payloadVersion: Number(row.payload_version),
    carried: decodeDocument(row.carried as string | null, null, 'carried'),
    result: decodeDocument(row.result as string | null, row.result_bytes as Uint8Array | null, 'result'),
    runAt: toDate(row.run_at),
    status: row.status as JobStatus,
    createdAt: toDate(row.created_at),
    updatedAt: toDate(row.updated_at),
    attemptsDone: Number(row.attempts_done),
    lastAttemptAt: row.last_attempt_at === null ? undefined : toDate(row.last_attempt_at),
    lastError: (row.last_error as string | null) ?? undefined,
    priority: Number(row.priority),
    maxAttempts: row.max_attempts === null ? undefined : Number(row.max_attempts),
    crashes: Number(row.crashes),
    lockedBy: (row.locked_by as string | null) ?? undefined,
    lockedUntil: row.locked_until === null ? undefined : toDate(row.locked_until),
  };
}

/**
 * A job that has just been claimed, from a row of `CLAIMED_COLUMNS` and the database's `now`, and from the terms of the
 * claim. A document that cannot be read fails its own job alone. One literal and no spread: this is half of what a claim
 * costs a process.
 */
export function decodeClaimed(selected: Row, { workerId, leaseMs }: LeaseTerms): ClaimedJob {
  const row = selected as RowOf<typeof CLAIMED_COLUMNS> & { readonly now: unknown };
  let payload: unknown;
  let carried: unknown;
  let unreadable: Error | undefined;
  try {
    payload = decodeDocument(row.payload as string | null, row.payload_bytes as Uint8Array | null, 'payload');
    carried = decodeDocument(row.carried as string | null, null, 'carried');
  } catch (error) {
    unreadable = error as Error;
  }
  const now = Number(row.now);
  return {
    id: row.id as string,
    kind: row.kind as string,
    payload,
    payloadVersion: Number(row.payload_version),
    carried,
    runAt: toDate(row.run_at),
    status: 'PENDING',
    createdAt: toDate(row.created_at),
    updatedAt: toDate(now),
    attemptsDone: Number(row.attempts_done),
    lastAttemptAt: row.last_attempt_at === null ? undefined : toDate(row.last_attempt_at),
    lastError: (row.last_error as string | null) ?? undefined,
    priority: Number(row.priority),
    maxAttempts: row.max_attempts === null ? undefined : Number(row.max_attempts),
    crashes: Number(row.crashes),
    lockedBy: workerId,
    lockedUntil: toDate(now + leaseMs),
    leaseToken: Number(row.lease_token),
    payloadSize: sizeOf({
      json: row.payload as string | null,
      bytes: row.payload_bytes as Uint8Array | null,
    }),
    unreadable,
  };
}

/** Databases count in microseconds. Seconds as a double are exact to far less than half a millisecond up to year 9999. */
function toDate(millis: unknown): Date {
  return new Date(Math.round(Number(millis)));
}

/** A job that has just been inserted: what was written, and the instants that the database gave it, in milliseconds. */
export function decodeInserted(job: EncodedJob, runAtMs: number, createdAtMs: number): Job {
  const createdAt = toDate(createdAtMs);
  return {
    id: job.id,
    kind: job.kind,
    payload: decodeDocument(job.payload.json, job.payload.bytes),
    payloadVersion: job.payloadVersion,
    carried: decodeDocument(job.carried, null),
    runAt: toDate(runAtMs),
    status: 'PENDING',
    createdAt,
    updatedAt: createdAt,
    attemptsDone: 0,
    priority: job.priority,
    maxAttempts: job.maxAttempts ?? undefined,
    crashes: 0,
  };
}

export function decodeLease(row: Row): WrittenLease {
  return { id: row.id as string, leaseToken: Number(row.lease_token) };
}

/** From the columns that `look` selects. */
export function decodeSeenLease(row: Row): SeenLease {
  return {
    ...decodeLease(row),
    lockedBy: (row.locked_by as string | null) ?? '',
    isHeld: Boolean(row.is_held),
  };
}

export function decodeOpenTransaction([row]: readonly Row[]): OpenTransaction | null {
  if (row === undefined) return null;
  return { openMs: Number(row.open_ms), description: row.description as string };
}

export function decodeReclaimed(row: Row): ReclaimedJob {
  return {
    id: row.id as string,
    kind: row.kind as string,
    workerId: row.locked_by as string,
    crashes: Number(row.crashes),
    status: row.status as ReclaimedJob['status'],
  };
}

/** The same bytes as drivers take them. */
export function asBuffer(bytes: Uint8Array | null): Buffer | null {
  return bytes === null ? null : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
