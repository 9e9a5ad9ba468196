import { types } from 'node:util';

/** How much of an error is kept in `lastError`, in UTF-16 units. */
export const MAX_ERROR_LENGTH = 8192;
/** How many causes of an error are described with it. */
const MAX_CAUSES = 5;
/** How many of the errors that an `AggregateError` gathers are told with it. */
const MAX_GATHERED = 5;
/** What else is told of a thrown object that is no error. */
const TELLING = ['code', 'status', 'statusCode'];
const REPLACEMENT = '\uFFFD';

/** Whether a thrown value is an error, from whichever realm: Jest runs tests in realms of their own. */
export function isError(value: unknown): value is Error {
  try {
    return (
      types.isNativeError(value) ||
      value instanceof Error ||
      value instanceof DOMException ||
      isDomException(value)
    );
  } catch {
    return false; // a revoked proxy
  }
}

/**
 * An error as text for `lastError`: name, message and stack, the errors that it gathers, then its causes. It has at most
 * `MAX_ERROR_LENGTH` characters, and only those that every database takes. Never throws, whatever was thrown.
 */
export function describeError(thrown: unknown): string {
  const lines: string[] = [];
  const seen = new Set<unknown>();
  let current: unknown = thrown;
  for (let depth = 0; depth <= MAX_CAUSES && !seen.has(current); depth++) {
    seen.add(current);
    lines.push(
      depth === 0 ? describeOne(current) : `caused by: ${describeOne(current)}`,
      ...describeGathered(current),
    );
    current = isError(current) ? readProperty(current, 'cause') : undefined;
    if (current === undefined) break;
  }
  return storableText(lines.join('\n'));
}

/** Cuts a text to `MAX_ERROR_LENGTH`, and replaces what databases refuse: NUL and lone surrogates. */
export function storableText(text: string): string {
  return text.slice(0, MAX_ERROR_LENGTH).toWellFormed().replaceAll('\0', REPLACEMENT);
}

/** The errors of an `AggregateError`, a line each: its own message says nothing of them. */
function describeGathered(thrown: unknown): string[] {
  const errors = isError(thrown) ? readProperty(thrown, 'errors') : undefined;
  try {
    if (!Array.isArray(errors)) return [];
    const shown = errors.slice(0, MAX_GATHERED).map((error) => `- ${firstLine(describeOne(error))}`);
    const more = errors.length - shown.length;
    return more > 0 ? [...shown, `- and ${more} more`] : shown;
  } catch {
    return []; // a list that cannot be read
  }
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]!;
}

function describeOne(thrown: unknown): string {
  if (!isError(thrown)) return printValue(thrown);
  const name = asText(readProperty(thrown, 'name')) ?? 'Error';
  const message = asText(readProperty(thrown, 'message')) ?? '';
  const title = message === '' ? name : `${name}: ${message}`;
  const stack = asText(readProperty(thrown, 'stack'));
  if (stack === undefined || stack === '') return title;
  // V8 writes the title when the error is made, so a name or message that was set later is missing from it.
  return stack.startsWith(title) ? stack : `${title}\n${stack}`;
}

/**
 * What was thrown and is no error. Of an object only what names an error is told: what else is in it may be secret, as the
 * headers of a request are, or very large.
 */
function printValue(thrown: unknown): string {
  if (typeof thrown === 'string') return thrown;
  if (typeof thrown === 'bigint') return 'a bigint'; // may take long to print
  if (typeof thrown === 'function') return 'a function';
  if (typeof thrown !== 'object' || thrown === null) return String(thrown);
  return printObject(thrown);
}

function printObject(thrown: object): string {
  const title = ['name', 'message'].map((key) => textOf(thrown, key)).filter(Boolean);
  const facts = TELLING.flatMap((key) => {
    const value = readProperty(thrown, key);
    return typeof value === 'string' || typeof value === 'number' ? [`${key} ${value}`] : [];
  });
  if (title.length === 0) return `${typeOf(thrown)}${facts.length > 0 ? ` (${facts.join(', ')})` : ''}`;
  return `${title.join(': ')} (${[typeOf(thrown), ...facts].join(', ')})`;
}

/** `an object of the class HttpFailure` */
function typeOf(thrown: object): string {
  try {
    if (Array.isArray(thrown)) return `an array of ${thrown.length}`;
  } catch {
    return 'an object that cannot be read';
  }
  const type = readProperty(thrown, 'constructor');
  const name = typeof type === 'function' ? textOf(type, 'name') : undefined;
  return name === undefined || name === '' || name === 'Object'
    ? 'an object'
    : `an object of the class ${name}`;
}

function textOf(thrown: object, key: string): string | undefined {
  return asText(readProperty(thrown, key));
}

/** Reads a property that may be a getter that throws; undefined where it does. */
export function readProperty(object: object, key: string): unknown {
  try {
    return (object as Record<string, unknown>)[key];
  } catch {
    return undefined;
  }
}

function asText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function isDomException(value: unknown): boolean {
  return Object.prototype.toString.call(value) === '[object DOMException]';
}
