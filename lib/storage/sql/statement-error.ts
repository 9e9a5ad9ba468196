import { QueryFailedError } from 'typeorm';
import { driverErrorOf } from './database-errors.js';

/**
 * A statement of the queue has failed. The parameters are left out, as is the text into which mysql2 has put them: they are
 * payloads, and a statement may carry those of several callers.
 */
export function statementError(text: string, error: unknown): QueryFailedError {
  const driverError = driverErrorOf(error) as Error & { sql?: string };
  delete driverError.sql;
  return new QueryFailedError(text, [], driverError);
}

/**
 * An error for one of several callers whose statement has failed: each may change its own, as error trackers do. It is of the
 * same class, with the same properties.
 */
export function ownError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { stack: _stack, ...properties } = Object.getOwnPropertyDescriptors(error);
  const own = Object.setPrototypeOf(new Error(), Object.getPrototypeOf(error) as object) as Error;
  Object.defineProperties(own, properties);
  own.stack = error.stack; // in later versions of V8 its descriptor is an accessor, which would read the copy's
  return own;
}
