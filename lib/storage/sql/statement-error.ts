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

/** An error for one of several callers whose statement has failed: each may change its own, as error trackers do. */
export function ownError(error: unknown): unknown {
  if (!(error instanceof QueryFailedError)) return error;
  return new QueryFailedError(error.query, [], error.driverError as Error);
}
