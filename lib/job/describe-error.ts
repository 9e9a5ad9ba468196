import { inspect, types } from 'node:util';

/** How much of an error is kept in `lastError`, in UTF-16 units. */
export const MAX_ERROR_LENGTH = 8192;
/** How many causes of an error are described with it. */
const MAX_CAUSES = 5;
/** How many of the errors that an `AggregateError` gathers are told with it. */
const MAX_GATHERED = 5;
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
    current = isError(current) ? read(current, 'cause') : undefined;
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
  const errors = isError(thrown) ? read(thrown, 'errors') : undefined;
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
  const name = asText(read(thrown, 'name')) ?? 'Error';
  const message = asText(read(thrown, 'message')) ?? '';
  const title = message === '' ? name : `${name}: ${message}`;
  const stack = asText(read(thrown, 'stack'));
  if (stack === undefined || stack === '') return title;
  // V8 writes the title when the error is made, so a name or message that was set later is missing from it.
  return stack.startsWith(title) ? stack : `${title}\n${stack}`;
}

function printValue(thrown: unknown): string {
  if (typeof thrown === 'string') return thrown;
  try {
    return inspect(thrown, { depth: 2, maxStringLength: MAX_ERROR_LENGTH, getters: false });
  } catch {
    return 'a value that cannot be printed';
  }
}

/** Reads a property that may be a getter that throws. */
function read(object: object, key: string): unknown {
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
