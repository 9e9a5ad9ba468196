/** What the errors of one database family say, by their codes: their words are in the language of the server. */
export interface DatabaseErrors {
  /** Whether the database has looked at a statement and refused it: nothing was written, and the answer was not lost. */
  wasRefused(error: unknown): boolean;
  /**
   * Whether a statement was refused for what is in it, by the database or by this process. The same statement would be
   * refused again, however often it is tried. For every error that is not known to be one, the answer is no.
   */
  refusesContent(error: unknown): boolean;
  /** Whether the database undid the transaction and wants all of it again: a deadlock, a serialization failure. */
  wantsRetry(error: unknown): boolean;
  /**
   * Whether the server refuses to work, and has written nothing: a replica after a fail-over, a node that is cut off from
   * its cluster. Another connection may find another server.
   */
  isWrongServer(error: unknown): boolean;
  /**
   * Whether a database that can be reached cannot be used until a person has mended something: an account, a password, a
   * right, a database that is not there, a statement that it would refuse again. For every error that is not known to be
   * that, the answer is no.
   */
  needsMending(error: unknown): boolean;
}

/** Errors that the engine raises where a value cannot be turned into a statement. */
const OWN_ERRORS = new Set([
  'TypeError',
  'RangeError',
  'ReferenceError',
  'SyntaxError',
  'EvalError',
  'URIError',
]);

/** What the driver threw, below TypeORM's `QueryFailedError`. Each database's errors.ts knows its fields. */
export function driverErrorOf(error: unknown): object {
  if (typeof error !== 'object' || error === null) return {};
  const { driverError } = error as { driverError?: object };
  return driverError ?? error;
}

/** Whether this process failed before anything was sent. */
export function isOwnError(error: unknown): boolean {
  const { name } = driverErrorOf(error) as { name?: unknown };
  return typeof name === 'string' && OWN_ERRORS.has(name);
}
