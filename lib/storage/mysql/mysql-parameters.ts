import type { EncodedJob } from '../../job/encode-job.js';
import type { Settlement } from '../../queue/job-queue.js';
import { asBuffer, STATUS_AFTER } from '../sql/row.js';

/** So much of an INSERT is sent at once; the smallest `max_allowed_packet` in common use is 16 MiB. */
const INSERT_BYTES = 4 * 1024 * 1024;
const INSERT_ROWS = 1000;

interface EncodedSettlement {
  readonly id: string;
  readonly status: string;
  readonly result: string | null;
  readonly resultBytes: string | null;
  readonly lastError: string | null;
  readonly delayMs: number | null;
}

/** Fewer are not worth a statement of their own. */
const MIN_ALIKE = 8;

/** An outcome as the settle statement reads it from JSON. */
export function encodeSettlement({ id, outcome }: Settlement): EncodedSettlement {
  return {
    id,
    status: STATUS_AFTER[outcome.type],
    result: outcome.type === 'done' ? outcome.result.json : null,
    resultBytes:
      outcome.type === 'done' && outcome.result.bytes !== null
        ? asBuffer(outcome.result.bytes)!.toString('base64')
        : null,
    lastError: outcome.type === 'done' ? null : outcome.lastError,
    delayMs: outcome.type === 'retry' ? outcome.delayMs : null,
  };
}

/** Parts the largest group of outcomes that are the same from the others, if there are enough of them. */
export function byOutcome(settlements: readonly EncodedSettlement[]) {
  const groups = new Map<string, EncodedSettlement[]>();
  let alike: readonly EncodedSettlement[] = [];
  for (const settlement of settlements) {
    const { status, result, resultBytes, lastError, delayMs } = settlement;
    const key = JSON.stringify([status, result, resultBytes, lastError, delayMs]);
    const group = groups.get(key) ?? [];
    group.push(settlement);
    groups.set(key, group);
    if (group.length >= MIN_ALIKE && group.length > alike.length) alike = group;
  }
  const taken = new Set(alike);
  return { alike, others: settlements.filter((settlement) => !taken.has(settlement)) };
}

/** The parameters of the statement for outcomes that are the same. */
export function bindAlike(alike: readonly EncodedSettlement[]): unknown[] {
  const { status, result, resultBytes, lastError, delayMs } = alike[0]!;
  const isDue = delayMs === null || delayMs === 0;
  const ids = alike.map(({ id }) => id);
  return [status, result, resultBytes, lastError, delayMs, delayMs ?? 0, isDue, ids];
}

/** Whether everything of a job but its id, kind and JSON payload is what the table has by default; most are. */
export function isPlain(job: EncodedJob): boolean {
  return (
    job.payload.bytes === null &&
    job.runAtMs === null &&
    job.delayMs === 0 &&
    job.priority === 0 &&
    job.maxAttempts === null &&
    job.payloadVersion === 1 &&
    job.carried === null
  );
}

/** The rows of jobs that are plain. @param now by the clock of the database, as below */
export function bindPlainJobs(jobs: readonly EncodedJob[], now: number): unknown[][] {
  const nowText = asDatetime(now);
  return jobs.map((job) => [job.id, job.kind, job.payload.json, nowText, nowText, nowText]);
}

export function bindJobs(jobs: readonly EncodedJob[], now: number): unknown[][] {
  const nowText = asDatetime(now);
  return jobs.map((job) => [
    job.id,
    job.kind,
    job.payload.json,
    asBuffer(job.payload.bytes),
    job.payloadVersion,
    job.carried,
    asDatetime(startOf(job, now)),
    startOf(job, now) <= now,
    job.priority,
    job.maxAttempts,
    nowText,
    nowText,
  ]);
}

export function startOf({ runAtMs, delayMs }: EncodedJob, now: number): number {
  return runAtMs ?? now + delayMs;
}

/** Cuts rows to insert into packets that the server takes. */
export function inPackets(rows: readonly (readonly unknown[])[]): unknown[][] {
  const packets: unknown[][] = [];
  let room = 0;
  for (const row of rows) {
    const bytes = row.reduce<number>((sum, value) => sum + sizeOf(value), 0);
    if (bytes > room || packets.at(-1)!.length >= INSERT_ROWS) {
      packets.push([]);
      room = INSERT_BYTES;
    }
    packets.at(-1)!.push(row);
    room -= bytes;
  }
  return packets;
}

/** About: three bytes a character, two hexadecimal digits a byte. */
function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length * 3;
  return Buffer.isBuffer(value) ? value.length * 2 : 8;
}

/** UTC, as a DATETIME(6) takes it. */
export function asDatetime(millis: number): string {
  return new Date(millis).toISOString().replace('T', ' ').replace('Z', '');
}
