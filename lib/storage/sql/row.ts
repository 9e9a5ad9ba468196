import { decodeCarriage, type Carriage } from '../../job/carriage.js';
import { decodeDocument, sizeOf } from '../../job/document.js';
import type { ClaimedJob, Job, JobSummary, ReclaimedJob } from '../../job/job.js';
import type { AttemptOutcome, JobAttempt } from '../../job/job-attempt.js';
import type { JobLogLevel, JobLogLine, JobProgress } from '../../job/job-log.js';
import { stateOf, type JobState, type JobStatus } from '../../job/job-state.js';
import type { EncodedJob } from '../../job/encode-job.js';
import { decodeSettings, shownSettings, type ShownSettings } from '../../job/settings.js';
import { UnreadableDocumentError } from '../../job/unreadable-document-error.js';
import type { CancelledJob } from '../../queue/job-editor.js';
import type { LeaseTerms } from '../../queue/lease.js';
import type { RenewedLease, SeenLease, WrittenLease } from './jobs-dialect.js';
import type { OpenTransaction } from './dialect.js';
import type { COMMON_COLUMNS, JOB_COLUMNS, RARE_COLUMNS, SUMMARY_COLUMNS } from './columns.js';
import type { Row } from './sql.js';

/** A row that has these columns, whatever the driver makes of them. */
type RowOf<Columns> = Readonly<Record<keyof Columns, unknown>>;

/** A row of `JOB_COLUMNS`, and the database's `now`. @throws UnreadableDocumentError */
export function decodeJob(selected: Row): Job {
  const row = selected as RowOf<typeof JOB_COLUMNS> & { readonly now: unknown };
  const job: Job = {
    ...decodeFacts(row),
    payload: decodeDocument(row.payload as string | null, row.payload_bytes as Uint8Array | null, 'payload'),
    ...decodeCarriage(row.carried as string | null),
    result: decodeDocument(row.result as string | null, row.result_bytes as Uint8Array | null, 'result'),
    progress: decodeProgress(row),
  };
  return withSettings(job, row.settings as string | null);
}

/** A row of `SUMMARY_COLUMNS`, and the database's `now`. What cannot be read is left out. */
export function decodeSummary(selected: Row): JobSummary {
  const row = selected as SummaryRow;
  const facts = decodeFacts(row);
  const summary = { ...facts, progress: ifReadable(() => decodeProgress(row)) };
  return ifReadable(() => withSettings(summary, row.settings as string | null)) ?? summary;
}

type SummaryRow = RowOf<typeof SUMMARY_COLUMNS> & { readonly now: unknown };

/** All of a job that is no document. */
function decodeFacts(row: SummaryRow): Omit<JobSummary, 'progress'> {
  return {
    id: row.id as string,
    kind: row.kind as string,
    payloadVersion: Number(row.payload_version),
    runAt: toDate(row.run_at),
    status: row.status as JobStatus,
    state: stateOfRow(row),
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
    cancelReason: (row.cancel_reason as string | null) ?? undefined,
  };
}

function decodeProgress({ progress }: SummaryRow): JobProgress | undefined {
  return decodeDocument(progress as string | null, null, 'progress') as JobProgress | undefined;
}

function ifReadable<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch (error) {
    if (error instanceof UnreadableDocumentError) return undefined;
    throw error;
  }
}

function stateOfRow(row: SummaryRow): JobState {
  const facts = {
    status: row.status as JobStatus,
    isHeld: row.locked_by !== null,
    isCancelRequested: row.cancel_requested_at !== null,
    runAtMs: Number(row.run_at),
    attemptsDone: Number(row.attempts_done),
  };
  return stateOf(facts, Number(row.now));
}

/** Few jobs have settings. */
function withSettings<J extends JobSummary>(job: J, settings: string | null): J {
  return settings === null ? job : { ...job, ...shownSettings(decodeSettings(settings)) };
}

/** What a claim returns of a job that few jobs have; see `RARE_COLUMNS`. */
export type RareValues = RowOf<typeof RARE_COLUMNS>;

/**
 * A job that has just been claimed, from a row of `COMMON_COLUMNS` and the database's `now`, and from the terms of the
 * claim. A document that cannot be read fails its own job alone. One literal and no spread: this is half of what a claim
 * costs a process.
 *
 * @param rare the same row, if it has these values as well
 */
export function decodeClaimed(selected: Row, terms: LeaseTerms, rare = selected as RareValues): ClaimedJob {
  const row = selected as RowOf<typeof COMMON_COLUMNS> & { readonly now: unknown };
  const json = row.payload as string | null;
  const bytes = row.payload_bytes as Uint8Array | null;
  let payload: unknown;
  let carriage: Carriage | undefined;
  let settings: ShownSettings | null = null;
  let unreadable: Error | undefined;
  try {
    if (rare.settings !== null) settings = shownSettings(decodeSettings(rare.settings as string));
    payload = decodeDocument(json, bytes, 'payload');
    carriage = decodeCarriage(row.carried as string | null);
  } catch (error) {
    unreadable = error as Error;
  }
  const now = Number(row.now);
  const job: ClaimedJob = {
    id: row.id as string,
    kind: row.kind as string,
    payload,
    payloadVersion: Number(rare.payload_version),
    carried: carriage?.carried,
    traceContext: carriage?.traceContext,
    runAt: toDate(row.run_at),
    status: 'PENDING',
    state: 'running',
    createdAt: toDate(row.created_at),
    updatedAt: toDate(now),
    attemptsDone: Number(rare.attempts_done),
    lastAttemptAt: rare.last_attempt_at === null ? undefined : toDate(rare.last_attempt_at),
    lastError: (rare.last_error as string | null) ?? undefined,
    priority: Number(row.priority),
    maxAttempts: rare.max_attempts === null ? undefined : Number(rare.max_attempts),
    crashes: Number(rare.crashes),
    lockedBy: terms.workerId,
    lockedUntil: toDate(now + terms.leaseMs),
    leaseToken: Number(row.lease_token),
    payloadSize: sizeOf({ json, bytes }),
    unreadable,
  };
  return settings === null ? job : { ...job, ...settings };
}

/** Databases count in microseconds. Seconds as a double are exact to far less than half a millisecond up to year 9999. */
function toDate(millis: unknown): Date {
  return new Date(Math.round(Number(millis)));
}

/**
 * A job that has just been inserted: what was written, and the instants that the database gave it, in milliseconds.
 * @param nowMs where the instant of its creation is that of an earlier begin of the transaction
 */
export function decodeInserted(
  job: EncodedJob,
  runAtMs: number,
  createdAtMs: number,
  nowMs = createdAtMs,
): Job {
  const createdAt = toDate(createdAtMs);
  const { carried, traceContext } = decodeCarriage(job.carried);
  const stored: Job = {
    id: job.id,
    kind: job.kind,
    payload: decodeDocument(job.payload.json, job.payload.bytes),
    payloadVersion: job.payloadVersion,
    carried,
    traceContext,
    runAt: toDate(runAtMs),
    status: 'PENDING',
    state: runAtMs <= nowMs ? 'ready' : 'scheduled',
    createdAt,
    updatedAt: createdAt,
    attemptsDone: 0,
    priority: job.priority,
    maxAttempts: job.maxAttempts ?? undefined,
    crashes: 0,
    enqueued: 'created',
  };
  return withSettings(stored, job.settings);
}

export function decodeLease(row: Row): WrittenLease {
  return { id: row.id as string, leaseToken: Number(row.lease_token) };
}

/** From the columns that a renewal returns. */
export function decodeRenewal(row: Row): RenewedLease {
  const lease = decodeLease(row);
  if (!Number(row.is_stopping)) return lease;
  return { ...lease, stop: { reason: row.cancel_reason as string | null } };
}

/** From the columns that a cancel returns. */
export function decodeCancelled(row: Row): CancelledJob {
  return { id: row.id as string, kind: row.kind as string, isRunning: Boolean(row.is_running) };
}

/** From the columns that `look` selects. */
export function decodeSeenLease(row: Row): SeenLease {
  return {
    ...decodeLease(row),
    lockedBy: (row.locked_by as string | null) ?? '',
    isHeld: Boolean(row.is_held),
  };
}

/** From a row of the table of attempts. */
export function decodeAttempt(row: Row): JobAttempt {
  return {
    attempt: Number(row.attempt),
    ...(row.worker !== null && { worker: row.worker as string }),
    ...(row.started_at !== null && { startedAt: toDate(row.started_at) }),
    endedAt: toDate(row.ended_at),
    outcome: row.outcome as AttemptOutcome,
    ...(row.error !== null && { error: row.error as string }),
    ...(row.next_at !== null && { nextAt: toDate(row.next_at) }),
  };
}

/** From a row of the table of logs. */
export function decodeLogLine(row: Row): JobLogLine {
  const entry = decodeDocument(row.entry as string, null, 'entry');
  return {
    attempt: Number(row.attempt),
    line: Number(row.line),
    at: toDate(row.logged_at),
    level: row.level as JobLogLevel,
    ...(typeof entry === 'string' ? { text: entry } : { fields: entry as Record<string, unknown> }),
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
