import { types } from 'node:util';
import { describeError } from './describe-error.js';
import { InvalidJobError } from './errors.js';
import { UnreadableDocumentError } from './unreadable-document-error.js';

/** A payload or a result as it is stored. One of the two is set, or none where there is no value. */
export interface StoredDocument {
  readonly json: string | null;
  readonly bytes: Uint8Array | null;
}

/** Deeper documents, and those that contain themselves, are checked value by value. */
const MAX_PLAIN_DEPTH = 16;
/** A value that is this many times too large is refused while it is walked through, before it is turned into JSON. */
const HOPELESS = 2;
const EMPTY: StoredDocument = { json: null, bytes: null };

/**
 * Turns a value into its stored form: bytes become a copy of them, everything else becomes what JSON makes of it. What
 * becomes of the value afterwards changes nothing.
 *
 * @param name what the value is called in errors, `payload` or `result`
 * @throws InvalidJobError naming the path, where JSON cannot hold a value or would change it silently (NaN, Infinity,
 * BigInt, functions, symbols, undefined in an array, an invalid Date, a Map, Set, Promise, RegExp, Error, Response or
 * stream, bytes that are not the whole value, a cycle), where the memory of bytes was transferred to another thread, and
 * where the stored form is over `maxBytes`
 */
export function encodeDocument(value: unknown, name: string, maxBytes: number): StoredDocument {
  if (value === undefined) return EMPTY;
  if (types.isUint8Array(value)) {
    refuseOver(maxBytes, value.byteLength, name);
    return { json: null, bytes: copyOf(value, name) };
  }
  const json = stringify(value, name, maxBytes);
  // A character is at most three bytes of UTF-8 for each UTF-16 unit: count only where it could matter.
  if (json.length * 3 > maxBytes) refuseOver(maxBytes, Buffer.byteLength(json), name);
  return { json, bytes: null };
}

/**
 * The reverse of `encodeDocument`. Bytes have memory of their own.
 *
 * @param name what the value is called in errors, `payload` or `result`
 * @throws UnreadableDocumentError where the stored text is no JSON
 */
export function decodeDocument(json: string | null, bytes: Uint8Array | null, name = 'document'): unknown {
  if (bytes !== null) return new Uint8Array(bytes);
  if (json === null) return undefined;
  try {
    return JSON.parse(json) as unknown;
  } catch {
    throw new UnreadableDocumentError(name); // without its cause, which quotes the text
  }
}

/** The approximate size of a document in bytes: a character counts as one. */
export function sizeOf({ json, bytes }: StoredDocument): number {
  return json?.length ?? bytes?.byteLength ?? 0;
}

function copyOf(bytes: Uint8Array, name: string): Uint8Array {
  try {
    return new Uint8Array(bytes); // `slice` of a Buffer would not copy
  } catch (cause) {
    throw new InvalidJobError(
      name,
      'is bytes whose memory is gone, because it was transferred to another thread; pass a copy.',
      { cause },
    );
  }
}

function refuseOver(maxBytes: number, bytes: number, name: string, counted = ''): void {
  if (bytes <= maxBytes) return;
  throw new InvalidJobError(
    name,
    `is ${counted}${bytes} bytes; maxPayloadBytes allows ${maxBytes}. Store large data elsewhere and pass a reference.`,
  );
}

/** How many bytes of JSON a value may still become before it is hopeless. */
interface Allowance {
  bytes: number;
}

/**
 * Whether JSON holds the value as it is, with nothing to refuse. Most documents are like that, and finding it out is
 * several times faster than a callback of `JSON.stringify` for each value. Not where the allowance is used up: what is
 * hopelessly large is walked through no further.
 */
function isPlain(value: unknown, left: Allowance, depth = 0): boolean {
  left.bytes -= leastBytes(value);
  if (left.bytes < 0) return false;
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true;
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || depth > MAX_PLAIN_DEPTH) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (Array.isArray(value)) {
    if (prototype !== Array.prototype) return false;
    for (let index = 0; index < value.length; index++)
      if (!isPlain(value[index], left, depth + 1)) return false;
    return true;
  }
  if (prototype !== Object.prototype || Symbol.toStringTag in value) return false;
  for (const key in value)
    if (!isPlain((value as Record<string, unknown>)[key], left, depth + 1)) return false;
  return true;
}

/** What a value takes of JSON at the least, without what is in it. */
function leastBytes(value: unknown): number {
  if (value === undefined) return 0; // left out
  return typeof value === 'string' ? value.length : 1;
}

function stringify(value: unknown, name: string, maxBytes: number): string {
  try {
    const isKnownPlain = isPlain(value, { bytes: HOPELESS * maxBytes });
    return isKnownPlain ? JSON.stringify(value) : stringifyChecked(value, name, maxBytes);
  } catch (error) {
    if (error instanceof InvalidJobError) throw error;
    const [reason] = describeError(error).split('\n', 1);
    throw new InvalidJobError(name, `cannot be turned into JSON: ${reason!}`, { cause: error });
  }
}

function stringifyChecked(value: unknown, name: string, maxBytes: number): string {
  // The objects on the way down to the current value, and the key of each in the one before it.
  const holders: object[] = [];
  const held = new Set<unknown>();
  const keys: string[] = [];
  let bytes = 0;

  const pathTo = (key: string): string =>
    [...keys.slice(2), key].reduce((path, step, depth) => {
      if (Array.isArray(holders[depth + 1])) return `${path}[${step}]`;
      return /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(step)
        ? `${path}.${step}`
        : `${path}[${JSON.stringify(step)}]`;
    }, name);

  const check = function (this: unknown, key: string, current: unknown): unknown {
    const holder = this as Record<string, unknown>;
    while (holders.length > 0 && holders.at(-1) !== holder) {
      held.delete(holders.pop());
      keys.pop();
    }
    bytes += leastBytes(current);
    if (bytes > HOPELESS * maxBytes) refuseOver(maxBytes, HOPELESS * maxBytes, name, 'more than ');
    const atRoot = holders.length === 0;
    const problem = problemWith(holder[key], current, Array.isArray(holder) || atRoot);
    if (problem !== null || held.has(current)) {
      throw new InvalidJobError(
        atRoot ? name : pathTo(key),
        problem ?? 'refers back to an object that contains it.',
      );
    }
    if (atRoot) {
      holders.push(holder);
      keys.push('');
    }
    if (typeof current === 'object' && current !== null) {
      holders.push(current);
      held.add(current);
      keys.push(key);
    }
    return current;
  };
  return JSON.stringify(value, check);
}

/** `original` is the value before `toJSON`, `current` the one after it. */
function problemWith(original: unknown, current: unknown, undefinedIsLost: boolean): string | null {
  switch (typeof current) {
    case 'number':
      return Number.isFinite(current) ? null : `is ${current}, which JSON cannot hold.`;
    case 'bigint':
      return 'is a BigInt, which JSON cannot hold; pass it as a string.';
    case 'function':
    case 'symbol':
      return `is a ${typeof current}, which JSON cannot hold.`;
    case 'undefined':
      return undefinedIsLost ? 'is undefined where JSON needs a value; use null.' : null;
    case 'object':
      return problemWithObject(original, current);
    default:
      return null;
  }
}

function problemWithObject(original: unknown, current: object | null): string | null {
  if (types.isDate(original)) return 'is an invalid Date.';
  if (ArrayBuffer.isView(original)) return 'is binary data inside a JSON value; pass it alone, or as base64.';
  if (current === null) return null;
  const tag = Object.prototype.toString.call(current);
  if (tag === '[object Number]') return problemWith(original, Number(current), false);
  if (isNodeStream(current)) return 'is a stream; JSON would keep nothing of it.';
  return LOST_IN_JSON.has(tag) ? `is a ${tag.slice(8, -1)}; JSON would keep nothing of it.` : null;
}

/** The streams of Node have no tag of their own. */
function isNodeStream(value: object): boolean {
  const { pipe, write, on } = value as Record<string, unknown>;
  return typeof on === 'function' && (typeof pipe === 'function' || typeof write === 'function');
}

const LOST_IN_JSON = new Set(
  [
    ...['Symbol', 'URLSearchParams', 'Headers', 'FormData', 'Blob', 'File', 'Generator', 'AsyncGenerator'],
    ...['Request', 'Response', 'ReadableStream', 'WritableStream', 'TransformStream'],
    'Map',
    'Set',
    'WeakMap',
    'WeakSet',
    'WeakRef',
    'Promise',
    'RegExp',
    'Error',
    'ArrayBuffer',
    'SharedArrayBuffer',
  ].map((name) => `[object ${name}]`),
);
