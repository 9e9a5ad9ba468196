import { types } from 'node:util';
import { likelyName } from './did-you-mean.js';
import { encodeDocument, type StoredDocument } from './document.js';
import { InvalidJobError } from './errors.js';
import type { NewJob } from './job.js';
import { describeNumber, describeType, millisOf, requireName } from './names.js';
import { isDelay, MAX_DELAY_MS } from './retry.js';
import { UuidV7 } from './uuid.js';

/** A job that has been checked and can be written as it is. */
export interface EncodedJob {
  readonly id: string;
  readonly kind: string;
  readonly payload: StoredDocument;
  readonly payloadVersion: number;
  /** JSON. */
  readonly carried: string | null;
  /** Milliseconds since 1970. Null: `delayMs` from the database's now. */
  readonly runAtMs: number | null;
  readonly delayMs: number;
  readonly priority: number;
  readonly maxAttempts: number | null;
}

/** The largest number in an integer column. */
export const MAX_INT = 2 ** 31 - 1;
/** PostgreSQL, MySQL and MariaDB can all hold the time from here to `LATEST_RUN_AT`. */
export const EARLIEST_RUN_AT = new Date('0001-01-01T00:00:00.000Z');
export const LATEST_RUN_AT = new Date('9999-12-31T23:59:59.999Z');

/** What a caller may say of a job. The compiler wants all of them, and no other. */
const FIELDS = {
  id: true,
  kind: true,
  payload: true,
  runAt: true,
  delayMs: true,
  priority: true,
  maxAttempts: true,
  definition: true,
} satisfies Record<keyof NewJob, true>;

/** What other job libraries call them. */
const NAMES_ELSEWHERE = new Map<string, keyof NewJob>([
  ['attempts', 'maxAttempts'],
  ['retryLimit', 'maxAttempts'],
  ['delay', 'delayMs'],
  ['startAfter', 'runAt'],
  ['jobId', 'id'],
  ['name', 'kind'],
  ['data', 'payload'],
]);

/** Checks new jobs and encodes them as they are written. */
export class JobEncoder {
  private readonly uuids = new UuidV7();

  constructor(private readonly maxPayloadBytes: number) {}

  /**
   * @param carried what the context carrier has captured
   * @throws InvalidJobError naming what is wrong
   */
  encode(job: NewJob, carried?: unknown): EncodedJob {
    for (const name in job) if (!Object.hasOwn(FIELDS, name)) throw unknownField(name);
    const { runAt, delayMs, priority = 0, maxAttempts } = job;
    if (runAt !== undefined && delayMs !== undefined) {
      throw new InvalidJobError('delayMs', 'is given together with runAt; give one of them.');
    }
    return {
      id: job.id === undefined ? this.uuids.next() : requireName(job.id, 'id'),
      kind: requireName(job.kind, 'kind'),
      payload: encodeDocument(job.payload, 'payload', this.maxPayloadBytes),
      payloadVersion: 1,
      carried: encodeDocument(carried, 'carried', this.maxPayloadBytes).json,
      runAtMs: runAt === undefined ? null : requireRunAt(runAt),
      delayMs: delayMs === undefined ? 0 : requireDelayMs(delayMs),
      priority: requireInt(priority, 'priority', -MAX_INT - 1),
      maxAttempts: maxAttempts === undefined ? null : requireInt(maxAttempts, 'maxAttempts', 1),
    };
  }
}

function unknownField(name: string): InvalidJobError {
  const names = Object.keys(FIELDS);
  const meant = NAMES_ELSEWHERE.get(name) ?? likelyName(name, names);
  const question = meant === undefined ? '' : ` Did you mean ${meant}?`;
  return new InvalidJobError(name, `is not known.${question} A job takes ${names.join(', ')}.`);
}

function requireRunAt(value: unknown): number {
  const millis = types.isDate(value) ? millisOf(value) : NaN; // of whichever realm
  if (millis >= EARLIEST_RUN_AT.getTime() && millis <= LATEST_RUN_AT.getTime()) return millis;
  throw new InvalidJobError('runAt', `is ${describeType(value)}; it must be a Date from year 1 to 9999.`);
}

function requireDelayMs(value: unknown): number {
  if (isDelay(value)) return value;
  throw new InvalidJobError(
    'delayMs',
    `is ${describeNumber(value)}; it must be milliseconds from 0 to ${MAX_DELAY_MS}.`,
  );
}

function requireInt(value: number, path: string, min: number): number {
  if (Number.isInteger(value) && value >= min && value <= MAX_INT) return value;
  throw new InvalidJobError(
    path,
    `is ${describeNumber(value)}; it must be a whole number from ${min} to ${MAX_INT}.`,
  );
}
