import { types } from 'node:util';
import { InvalidJobError } from './errors.js';

/** A payload or a result as it is stored. One of the two is set, or none where there is no value. */
export interface StoredDocument {
  readonly json: string | null;
  readonly bytes: Uint8Array | null;
}

/** Deeper documents, and those that contain themselves, are checked value by value. */
const MAX_PLAIN_DEPTH = 16;
const EMPTY: StoredDocument = { json: null, bytes: null };

/**
 * Turns a value into its stored form: bytes stay bytes, everything else becomes what JSON makes of it.
 *
 * @param name what the value is called in errors, `payload` or `result`
 * @throws InvalidJobError naming the path, where JSON cannot hold a value or would change it silently (NaN, Infinity,
 * BigInt, functions, symbols, undefined in an array, an invalid Date, a Map, Set, Promise, RegExp or Error, bytes that
 * are not the whole value, a cycle), and where the stored form is over `maxBytes`
 */
export function encodeDocument(value: unknown, name: string, maxBytes: number): StoredDocument {
  if (value === undefined) return EMPTY;
  if (types.isUint8Array(value)) {
    refuseOver(maxBytes, value.byteLength, name);
    return { json: null, bytes: value };
  }
  const json = stringify(value, name);
  // A character is at most three bytes of UTF-8 for each UTF-16 unit: count only where it could matter.
  if (json.length * 3 > maxBytes) refuseOver(maxBytes, Buffer.byteLength(json), name);
  return { json, bytes: null };
}

/** The reverse of `encodeDocument`. @throws SyntaxError where the stored text is no JSON */
export function decodeDocument(json: string | null, bytes: Uint8Array | null): unknown {
  if (bytes !== null) return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return json === null ? undefined : (JSON.parse(json) as unknown);
}

/** The approximate size of a document in bytes: a character counts as one. */
export function sizeOf({ json, bytes }: StoredDocument): number {
  return json?.length ?? bytes?.byteLength ?? 0;
}

function refuseOver(maxBytes: number, bytes: number, name: string): void {
  if (bytes <= maxBytes) return;
  throw new InvalidJobError(
    name,
    `is ${bytes} bytes; maxPayloadBytes allows ${maxBytes}. Store large data elsewhere and pass a reference.`,
  );
}

/**
 * Whether JSON holds the value as it is, with nothing to refuse. Most documents are like that, and finding it out is
 * several times faster than a callback of `JSON.stringify` for each value.
 */
function isPlain(value: unknown, depth = 0): boolean {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true;
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || depth > MAX_PLAIN_DEPTH) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (Array.isArray(value)) {
    if (prototype !== Array.prototype) return false;
    for (let index = 0; index < value.length; index++) if (!isPlain(value[index], depth + 1)) return false;
    return true;
  }
  if (prototype !== Object.prototype || Symbol.toStringTag in value) return false;
  for (const key in value) if (!isPlain((value as Record<string, unknown>)[key], depth + 1)) return false;
  return true;
}

function stringify(value: unknown, name: string): string {
  try {
    return isPlain(value) ? JSON.stringify(value) : stringifyChecked(value, name);
  } catch (error) {
    if (error instanceof InvalidJobError) throw error;
    throw new InvalidJobError(name, `cannot be turned into JSON: ${String(error)}`, { cause: error });
  }
}

function stringifyChecked(value: unknown, name: string): string {
  // The objects on the way down to the current value, and the key of each in the one before it.
  const holders: object[] = [];
  const keys: string[] = [];

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
      holders.pop();
      keys.pop();
    }
    const atRoot = holders.length === 0;
    const problem = problemWith(holder[key], current, Array.isArray(holder) || atRoot);
    const cyclic = typeof current === 'object' && current !== null && holders.includes(current);
    if (problem !== null || cyclic) {
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
  return LOST_IN_JSON.has(tag) ? `is a ${tag.slice(8, -1)}; JSON would keep nothing of it.` : null;
}

const LOST_IN_JSON = new Set(
  [
    ...['Symbol', 'URLSearchParams', 'Headers', 'FormData', 'Blob', 'File', 'Generator', 'AsyncGenerator'],
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
