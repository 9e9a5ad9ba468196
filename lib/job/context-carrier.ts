/**
 * Takes what belongs to a request (tenant, user, request id) along with the jobs that it enqueues. A job without
 * anything carried runs as if there were no carrier.
 */
export interface ContextCarrier<Carried = unknown> {
  /** Called at each enqueue. What it returns must be JSON; undefined carries nothing. */
  capture(): Carried | undefined;
  /** Calls `next`, which runs the handler, with what was captured in place, and returns what it returns. */
  restore<Result>(carried: Carried, next: () => Result): Result;
}
