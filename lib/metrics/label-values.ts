import { readProperty } from '../job/describe-error.js';

/** How many values a label may have. A metrics system pays for each of them. */
const MAX_VALUES = 1_000;
const MAX_ERROR_TYPES = 100;
/** What stands for all further values, as the semantic conventions have it for `error.type`. */
const OTHER = '_OTHER';
const CLASS_NAME = /^[\w$.]{1,100}$/;

/** Keeps the values of labels few, whatever kinds and errors there are. */
export class LabelValues {
  private readonly kinds = new Set<string>();
  private readonly errorTypes = new Set<string>();

  /** The kind; `_OTHER` for those after the first thousand. */
  kind(kind: string): string {
    return among(this.kinds, kind, MAX_VALUES);
  }

  /** The class of an error; `_OTHER` for those after the first hundred, and where it has no name that can be one. */
  errorType(error: unknown): string {
    return among(this.errorTypes, errorTypeOf(error), MAX_ERROR_TYPES);
  }
}

/** The class of an error, or the type of what was thrown and is none. Never throws. */
export function errorTypeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return error === null ? 'null' : typeof error;
  const names = [readProperty(error, 'name'), classOf(error)];
  const given = names.filter((name) => typeof name === 'string' && CLASS_NAME.test(name)) as string[];
  // A class that does not set its name inherits that of Error.
  return given.find((name) => name !== 'Error') ?? given[0] ?? OTHER;
}

function classOf(error: object): unknown {
  const type = readProperty(error, 'constructor');
  return typeof type === 'function' ? readProperty(type, 'name') : undefined;
}

function among(known: Set<string>, value: string, max: number): string {
  if (known.has(value)) return value;
  if (known.size >= max) return OTHER;
  known.add(value);
  return value;
}
