/** What the errors of one database family say. */
export interface DatabaseErrors {
  /** Whether the database has looked at a statement and refused it: nothing was written, and the answer was not lost. */
  wasRefused(error: unknown): boolean;
  /** Whether the database undid the transaction and wants all of it again: a deadlock, a serialization failure. */
  wantsRetry(error: unknown): boolean;
  /** Whether the server refuses to write, as a replica does after a fail-over. Another connection may find another server. */
  isReadOnly(error: unknown): boolean;
}

/** What the driver threw, below TypeORM's `QueryFailedError`. Each database's errors.ts knows its fields. */
export function driverErrorOf(error: unknown): object {
  const { driverError } = error as { driverError?: object };
  return driverError ?? (error as object);
}
