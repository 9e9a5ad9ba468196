import type { Job, JobContext } from './job/job.js';
import type { JobHandlerOptions } from './job/handler.js';
import { JOB_HANDLER_METADATA } from './jobs.constants.js';

/** What `@JobHandler` leaves on a method. */
export interface JobHandlerMark {
  readonly kind: string;
  readonly options: JobHandlerOptions;
}

// The parameters are the user's to type: `Job<Invoice>` must be accepted where `Job<unknown>` is what there is.
type JobHandlerMethod = (job: Job<never, never>, context: JobContext<never>) => unknown;

/**
 * Makes a method of a provider or controller the handler of a kind of job. It is called with the job and its context,
 * and what it returns is stored as the job's result.
 *
 * ```ts
 * @JobHandler('invoice.mail', { maxAttempts: 5, timeoutMs: 30_000 })
 * async mail(job: Job<{ orderId: string }>, { signal }: JobContext) { … }
 * ```
 *
 * - returns: the job is `DONE`
 * - throws `RetryableError`: again after its `retryAfterMs`
 * - throws any other `Error`: `FAILED`, or again where `maxAttempts` leaves attempts
 * - throws `PermanentError`: `FAILED`
 * - panics (see `isPanic` of the module): `PANIC`
 *
 * Options are checked at start-up, as is that no kind has two handlers (`KindExistsError`). A method may carry several
 * of these decorators; it then serves several kinds.
 */
export function JobHandler(kind: string, options: JobHandlerOptions = {}) {
  return <T extends JobHandlerMethod>(
    _target: object,
    _key: string | symbol,
    descriptor: TypedPropertyDescriptor<T>,
  ): void => {
    const method = descriptor.value as object;
    Reflect.defineMetadata(JOB_HANDLER_METADATA, [{ kind, options }, ...marksOf(method)], method);
  };
}

/** The marks on a method, in the order in which they are written above it. */
export function marksOf(method: object): readonly JobHandlerMark[] {
  return (Reflect.getMetadata(JOB_HANDLER_METADATA, method) as JobHandlerMark[] | undefined) ?? [];
}
