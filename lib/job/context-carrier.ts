/**
 * Takes what belongs to a request (tenant, user, request id) along with the jobs that the request enqueues. A job that
 * carries nothing runs as if there were no carrier.
 */
export interface ContextCarrier<Carried = unknown> {
  /** Called for each job that is enqueued. What it returns must be JSON; undefined carries nothing. */
  capture(): Carried | undefined;
  /**
   * Restores what was captured, calls `next`, which runs the handler, and returns what that returns. `next` always gives a
   * promise, so `AsyncLocalStorage.run` fits, and so do the asynchronous `run`s of other libraries.
   */
  restore<Result>(carried: Carried, next: () => Promise<Result>): Promise<Result>;
}
