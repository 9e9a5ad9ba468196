import { InvalidJobError, InvalidOptionError } from './errors.js';
import { describeType, requireName } from './names.js';
import { aFunction, allow, anObject, isObject, oneOf, type OptionCheck } from './option-checks.js';
import { resolveByRules, type OptionRules } from './option-rules.js';
import { MAX_DELAY_MS } from './retry.js';

/**
 * How long a job holds its key:
 *
 * - `'waiting'`: until its first attempt starts. What is enqueued while it runs makes another job.
 * - `'unsettled'`: until it ends. What is enqueued while it runs changes nothing, though it may have read already what it works on.
 * - `{ forMs }`: so many milliseconds from its enqueue on, by the clock of the database, whatever becomes of it.
 */
export type UniqueWhile = 'waiting' | 'unsettled' | { readonly forMs: number };

/**
 * What becomes of an enqueue whose key another job holds:
 *
 * - `'join'`: nothing is written, and the other job comes back.
 * - `'replace'`: payload, start, priority and all else that an enqueue says of a job are those of the new one, if the other
 *   has not begun. If it has, one job is made that follows it and holds the key from then on.
 * - `'reject'`: a `DuplicateJobError` with the id of the other job.
 */
export type OnConflict = 'join' | 'replace' | 'reject';

export interface UniqueTerms {
  /** How long the job holds its key. Default `'waiting'`. */
  readonly while?: UniqueWhile;
  /** What becomes of this enqueue where another job holds the key. Default `'join'`. */
  readonly onConflict?: OnConflict;
}

/** `unique` of an enqueue. */
export interface UniqueOptions extends UniqueTerms {
  /** 1 to 255 characters, trimmed, and compared byte by byte. Each kind has keys of its own. */
  readonly key: string;
}

/** `unique` of a handler or of a definition. */
export interface UniqueByPayload<Payload = never> extends UniqueTerms {
  /** The key of a job with this payload, which is the one that the handler would get. */
  readonly key: (payload: Payload) => string;
}

/** Runs once when enqueues of a key have paused. */
export interface DebounceOptions {
  /** 1 to 255 characters, trimmed. */
  readonly key: string;
  /** The job starts so many milliseconds after the last enqueue. */
  readonly waitMs: number;
  /** But not later than so many milliseconds after the first. Default: however long it takes. */
  readonly maxWaitMs?: number;
}

/** Makes at most one job of a key in a time. */
export interface ThrottleOptions {
  /** 1 to 255 characters, trimmed. */
  readonly key: string;
  /** From the enqueue of a job on, so many milliseconds belong to it. */
  readonly perMs: number;
}

/** A key as it is written. */
export interface EncodedUnique {
  readonly key: string;
  readonly while: 'waiting' | 'unsettled' | 'window';
  /** How long the window is. Null where there is none. */
  readonly forMs: number | null;
  readonly onConflict: OnConflict;
  /** The latest start after the first enqueue, with `debounce`. */
  readonly maxWaitMs: number | null;
  /** The id of the job is a new one, so no job can have it yet. */
  readonly isIdNew: boolean;
}

const milliseconds = allow(
  `a number of milliseconds from 1 to ${MAX_DELAY_MS}`,
  (value) => typeof value === 'number' && value >= 1 && value <= MAX_DELAY_MS,
);

const checkWhile: OptionCheck = (value, option) => {
  if (value === 'waiting' || value === 'unsettled') return;
  if (!isObject(value) || !('forMs' in value))
    throw new InvalidOptionError(option, value, "'waiting', 'unsettled' or { forMs }");
  resolveByRules(value, { forMs: { check: milliseconds } }, { prefix: `${option}.` });
  milliseconds(value.forMs, `${option}.forMs`, undefined); // has no default
};

const TERMS_RULES = {
  while: { default: 'waiting', check: checkWhile },
  onConflict: { default: 'join', check: oneOf('join', 'replace', 'reject') },
} satisfies OptionRules<UniqueTerms>;

const anyKey: OptionCheck = () => undefined; // `requireName` looks at it

const UNIQUE_RULES = { key: { check: anyKey }, ...TERMS_RULES } satisfies OptionRules<UniqueOptions>;

const BY_PAYLOAD_RULES = { key: { check: aFunction }, ...TERMS_RULES } satisfies OptionRules<UniqueByPayload>;

const DEBOUNCE_RULES = {
  key: { check: anyKey },
  waitMs: { check: milliseconds },
  maxWaitMs: { check: milliseconds },
} satisfies OptionRules<DebounceOptions>;

const THROTTLE_RULES = {
  key: { check: anyKey },
  perMs: { check: milliseconds },
} satisfies OptionRules<ThrottleOptions>;

/** `unique` of a handler or of a definition. @throws InvalidOptionError */
export function checkUniqueByPayload(value: unknown, option: string): void {
  anObject(value, option, undefined);
  const { key } = resolveByRules(value as UniqueByPayload, BY_PAYLOAD_RULES, { prefix: `${option}.` });
  aFunction(key, `${option}.key`, undefined); // has no default
}

/** @param isIdNew whether the job gets an id that no other job has @throws InvalidJobError, InvalidOptionError */
export function encodeUnique(value: UniqueOptions, isIdNew: boolean): EncodedUnique {
  const given = copyOf(value, 'unique');
  const terms = resolveByRules(given, UNIQUE_RULES, { prefix: 'unique.' });
  return { ...keyed(given.key, 'unique', isIdNew), ...lasting(terms.while), onConflict: terms.onConflict };
}

/**
 * The key that a handler or a definition gives a job.
 * @throws InvalidJobError where its function throws, or returns no key
 */
export function encodeUniqueByPayload(
  unique: UniqueByPayload,
  payload: unknown,
  isIdNew: boolean,
): EncodedUnique {
  return encodeUnique({ ...unique, key: keyOf(unique, payload) }, isIdNew);
}

/** @throws InvalidJobError, InvalidOptionError */
export function encodeDebounce(value: DebounceOptions, isIdNew: boolean): EncodedUnique & { waitMs: number } {
  const given = copyOf(value, 'debounce');
  const { waitMs, maxWaitMs } = resolveByRules(given, DEBOUNCE_RULES, { prefix: 'debounce.' });
  milliseconds(waitMs, 'debounce.waitMs', undefined); // has no default
  if (maxWaitMs !== undefined && maxWaitMs < waitMs)
    throw new InvalidJobError('debounce.maxWaitMs', `is ${maxWaitMs}; it must not be less than waitMs.`);
  const key = keyed(given.key, 'debounce', isIdNew);
  return { ...key, onConflict: 'replace', maxWaitMs: maxWaitMs ?? null, waitMs };
}

/** @throws InvalidJobError, InvalidOptionError */
export function encodeThrottle(value: ThrottleOptions, isIdNew: boolean): EncodedUnique {
  const given = copyOf(value, 'throttle');
  const { perMs } = resolveByRules(given, THROTTLE_RULES, { prefix: 'throttle.' });
  milliseconds(perMs, 'throttle.perMs', undefined); // has no default
  return { ...keyed(given.key, 'throttle', isIdNew), ...lasting({ forMs: perMs }) };
}

function keyed(key: unknown, option: string, isIdNew: boolean): EncodedUnique {
  const name = requireName(key, `${option}.key`);
  return { key: name, while: 'waiting', forMs: null, onConflict: 'join', maxWaitMs: null, isIdNew };
}

function lasting(time: UniqueWhile): Pick<EncodedUnique, 'while' | 'forMs'> {
  return typeof time === 'string' ? { while: time, forMs: null } : { while: 'window', forMs: time.forMs };
}

/** It may be anything: a proxy, an object whose getters return something else each time. */
function copyOf<Options extends object>(value: Options, path: string): Options {
  if (isObject(value)) return { ...value };
  throw new InvalidJobError(path, `is ${describeType(value)}; it must be an object.`);
}

function keyOf({ key }: UniqueByPayload, payload: unknown): string {
  let found: unknown;
  try {
    found = key(payload as never);
  } catch (cause) {
    throw new InvalidJobError('unique.key', 'cannot be told: the function of the handler threw.', { cause });
  }
  if (typeof found === 'string') return found;
  throw new InvalidJobError(
    'unique.key',
    `is ${describeType(found)}; the function of the handler must return a string.`,
  );
}
