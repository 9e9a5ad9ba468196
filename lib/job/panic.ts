import { isError } from './describe-error.js';

/** Errors that the engine raises where a program has a bug. */
const ENGINE_ERRORS = new Set(['TypeError', 'ReferenceError', 'RangeError', 'EvalError']);

/**
 * Whether a thrown value is what Go would call a panic, a bug in the program that another attempt will not fix:
 *
 * - a value that is no `Error`
 * - a `TypeError`, `ReferenceError`, `RangeError` or `EvalError` that the engine raised, which has no `cause` and no `code`
 *   (`fetch failed` is a `TypeError` with a cause, so it is no panic)
 * - an `AssertionError`
 */
export function isPanicByDefault(thrown: unknown): boolean {
  if (!isError(thrown)) return true;
  try {
    const { code, cause } = thrown as Error & { code?: unknown };
    if (code === 'ERR_ASSERTION') return true;
    const className = (Object.getPrototypeOf(thrown) as object | null)?.constructor.name;
    return (
      className !== undefined && ENGINE_ERRORS.has(className) && code === undefined && cause === undefined
    );
  } catch {
    return true; // an error that cannot even be read
  }
}
