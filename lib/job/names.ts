import { types } from 'node:util';
import { InvalidJobError } from './errors.js';

/** In Unicode code points, as databases count them. */
const MAX_NAME_LENGTH = 255;
/** In UTF-16 units, of which a code point has one or two. What is longer is refused without being counted. */
const MAX_COUNTED_LENGTH = 4 * MAX_NAME_LENGTH;

/**
 * An id, a kind, a tag or a unique key: trimmed, 1 to 255 characters (Unicode code points, as databases count them).
 *
 * @param maxLength the most characters, where 255 are too many
 * @throws InvalidJobError
 */
export function requireName(value: unknown, path: string, maxLength = MAX_NAME_LENGTH): string {
  if (typeof value !== 'string')
    throw new InvalidJobError(path, `is ${describeType(value)}; it must be a string.`);
  const name = value.trim();
  const length = lengthOf(name, maxLength);
  if (length < 1 || length > maxLength) {
    const count = length === Infinity ? `more than ${maxLength}` : length;
    throw new InvalidJobError(path, `has ${count} characters; it must have 1 to ${maxLength}.`);
  }
  if (name.includes('\0') || !name.isWellFormed()) {
    throw new InvalidJobError(path, 'has a NUL character or half a surrogate pair, which databases refuse.');
  }
  return name;
}

/** In code points. `Infinity` for what is too long whatever it is made of: it is not counted. */
function lengthOf(name: string, maxLength: number): number {
  if (name.length <= maxLength) return name.length;
  return name.length > MAX_COUNTED_LENGTH ? Infinity : Array.from(name).length;
}

/** Describes a value in a message that refuses it. */
export function describeType(value: unknown): string {
  // No code of the value is run: that may throw, as a revoked proxy does.
  if (types.isDate(value)) {
    const millis = millisOf(value);
    return Number.isNaN(millis) ? 'an invalid Date' : new Date(millis).toISOString();
  }
  return value === null ? 'null' : `of type ${typeof value}`;
}

/** The same where a number is wanted: a wrong one is named. */
export function describeNumber(value: unknown): string {
  return typeof value === 'number' ? String(value) : describeType(value);
}

/** A date in milliseconds since 1970, whatever its class makes of it. */
export function millisOf(date: Date): number {
  return Date.prototype.getTime.call(date);
}
