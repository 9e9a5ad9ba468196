import { types } from 'node:util';
import { encodeCarriage, type TraceContext } from './carriage.js';
import { likelyName } from './did-you-mean.js';
import { encodeDocument, type StoredDocument } from './document.js';
import { InvalidJobError } from './errors.js';
import { readField } from './job-field.js';
import type { NewJob } from './job.js';
import { describeNumber, describeType, millisOf, requireName } from './names.js';
import { isObject } from './option-checks.js';
import { checkBackoff, isDelay, MAX_DELAY_MS, type StoredBackoff } from './retry.js';
import { decodeSettings, encodeSettings } from './settings.js';
import { requireTags } from './tags.js';
import { encodeDebounce, encodeThrottle, encodeUnique, type EncodedUnique } from './unique.js';
import { UuidV7 } from './uuid.js';

/** A job that has been checked and can be written as it is. */
export interface EncodedJob {
  readonly id: string;
  readonly kind: string;
  readonly payload: StoredDocument;
  readonly payloadVersion: number;
  /** JSON; see `encodeCarriage`. */
  readonly carried: string | null;
  /** Milliseconds since 1970. Null: `delayMs` from the database's now. */
  readonly runAtMs: number | null;
  readonly delayMs: number;
  readonly priority: number;
  readonly maxAttempts: number | null;
  /** JSON of `StoredSettings`. */
  readonly settings: string | null;
  /** Its unique key. Absent on most jobs. */
  readonly unique?: EncodedUnique;
  /** Where a job with this id exists, that one counts. Absent on most jobs. */
  readonly ifExists?: 'join';
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
  backoff: true,
  tags: true,
  ifExists: true,
  unique: true,
  debounce: true,
  throttle: true,
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
  ['singletonKey', 'unique'],
  ['uniqueKey', 'unique'],
  ['jobKey', 'unique'],
  ['deduplication', 'unique'],
]);

/** Checks new jobs and encodes them as they are written. */
export class JobEncoder {
  private readonly uuids = new UuidV7();

  constructor(private readonly maxPayloadBytes: number) {}

  /**
   * @param carried what the context carrier has captured
   * @param trace the trace that it is enqueued in
   * @throws InvalidJobError naming what is wrong
   */
  encode(job: NewJob, carried?: unknown, trace?: TraceContext): EncodedJob {
    for (const name in job) if (!Object.hasOwn(FIELDS, name)) throw unknownField(name);
    const { runAt, delayMs, priority = 0, maxAttempts } = job;
    if (runAt !== undefined && delayMs !== undefined) {
      throw new InvalidJobError('delayMs', 'is given together with runAt; give one of them.');
    }
    const encoded: EncodedJob = {
      id: job.id === undefined ? this.uuids.next() : requireName(job.id, 'id'),
      kind: requireName(job.kind, 'kind'),
      payload: encodeDocument(job.payload, 'payload', this.maxPayloadBytes),
      payloadVersion: 1,
      carried: encodeCarriage(encodeDocument(carried, 'carried', this.maxPayloadBytes).json, trace),
      runAtMs: runAt === undefined ? null : requireRunAt(runAt),
      delayMs: delayMs === undefined ? 0 : requireDelayMs(delayMs),
      priority: requireInt(priority, 'priority', -MAX_INT - 1),
      maxAttempts: maxAttempts === undefined ? null : requireInt(maxAttempts, 'maxAttempts', 1),
      settings: settingsOf(job),
    };
    return isPlain(job) ? encoded : asOne(encoded, job);
  }
}

/** Whether another job may take the place of this one: by its key, or by its id. */
export function mayBeOne({ unique, ifExists }: EncodedJob): boolean {
  return unique !== undefined || ifExists !== undefined;
}

/** A job with a unique key, which is stored among its settings as well. */
export function withKey(job: EncodedJob, unique: EncodedUnique): EncodedJob {
  const { key, while: held, forMs } = unique;
  const stored = { key, while: held, ...(forMs !== null && { forMs }) };
  return { ...job, unique, settings: encodeSettings({ ...decodeSettings(job.settings), unique: stored }) };
}

const KEYS = ['unique', 'debounce', 'throttle'] as const;

/** Whether no other job can take its place, as with most jobs. */
function isPlain({ unique, debounce, throttle, ifExists }: NewJob): boolean {
  return unique === undefined && debounce === undefined && throttle === undefined && ifExists === undefined;
}

/** With what makes it one with another job: a key, or its id. @throws InvalidJobError */
function asOne(encoded: EncodedJob, job: NewJob): EncodedJob {
  const named = requireIfExists(job) === 'join' ? { ...encoded, ifExists: 'join' as const } : encoded;
  const [name, ...others] = KEYS.filter((key) => job[key] !== undefined);
  if (name === undefined) return named;
  if (others.length > 0)
    throw new InvalidJobError(others[0]!, `is given together with ${name}; give one of them.`);
  return readField(name, () => withKeyOf(named, job, job.id === undefined));
}

function withKeyOf(
  encoded: EncodedJob,
  { unique, debounce, throttle, ...job }: NewJob,
  isIdNew: boolean,
): EncodedJob {
  if (unique !== undefined) return withKey(encoded, encodeUnique(unique, isIdNew));
  if (debounce === undefined) return withKey(encoded, encodeThrottle(throttle!, isIdNew));
  const start = (['runAt', 'delayMs'] as const).find((name) => job[name] !== undefined);
  if (start !== undefined)
    throw new InvalidJobError('debounce', `is given together with ${start}; its waitMs says when to start.`);
  const { waitMs, ...key } = encodeDebounce(debounce, isIdNew);
  return withKey({ ...encoded, delayMs: waitMs }, key);
}

function requireIfExists({ id, ifExists = 'reject' }: NewJob): 'reject' | 'join' {
  if (!['reject', 'join'].includes(ifExists))
    throw new InvalidJobError('ifExists', `is ${describeValue(ifExists)}; it must be 'reject' or 'join'.`);
  if (ifExists === 'join' && id === undefined)
    throw new InvalidJobError('ifExists', "is 'join' without an id; no job can have a new id already.");
  return ifExists;
}

function describeValue(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : describeType(value);
}

/** Most jobs have none: they pay nothing for those that have. */
function settingsOf({ tags, backoff }: NewJob): string | null {
  if (tags === undefined && backoff === undefined) return null;
  return encodeSettings({
    ...(tags !== undefined && { tags: readField('tags', () => requireTags(tags)) }),
    ...(backoff !== undefined && { backoff: readField('backoff', () => requireBackoff(backoff)) }),
  });
}

function requireBackoff(backoff: StoredBackoff): StoredBackoff {
  if (typeof backoff === 'function') {
    throw new InvalidJobError(
      'backoff',
      'is a function, which cannot be stored with a job; give an object, or give the function to the handler.',
    );
  }
  const copy = isObject(backoff) ? { ...backoff } : backoff;
  checkBackoff(copy, 'backoff');
  return copy;
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
