import { JobDefinition } from '../../job/definition.js';
import { withDefaults, type JobHandlerOptions } from '../../job/handler-options.js';
import type { Job, JobContext } from '../../job/job.js';
import { DECORATED_HANDLERS } from '../decorated-handlers.js';
import { addMark, type JobHandlerMark } from '../jobs.metadata.js';
import { requireMethod, type AnyMethod, type MethodDecorator } from './decorated-method.js';

type MethodOf<Payload, Result> = (
  job: Job<Payload, Result>,
  context: JobContext<Payload>,
) => Result | Promise<Result>;

/** A method whose parameters are decorated, the payload first. */
type ParamMethodOf<Payload, Result> = (payload: Payload, ...rest: never[]) => Result | Promise<Result>;

/**
 * Makes a method of a provider or controller the handler of a kind of job. The method is called with the job and its
 * context, and what it returns is stored as the job's result.
 *
 * ```ts
 * @JobHandler('invoice.mail', { maxAttempts: 5, timeoutMs: 30_000 })
 * async mail(job: Job<{ orderId: string }>, { signal }: JobContext) { … }
 * ```
 *
 * - returns: the job is `DONE`
 * - throws `RetryableError`: the job is tried again after its `retryAfterMs`
 * - throws any other `Error`: the job is `FAILED`, or tried again where `maxAttempts` leaves attempts
 * - throws `PermanentError`: the job is `FAILED`
 * - panics (see `isPanic` of the module): the job is `PANIC`
 *
 * Guards, interceptors, pipes and exception filters on the method or its class apply. Instead of the job and its context
 * the method may take what `@JobPayload()`, `@JobParam()` and `@JobCtx()` give.
 *
 * Options are checked at start-up; an unknown one is an `InvalidOptionError`. A kind with two handlers is a
 * `KindExistsError`. A method with several of these decorators serves several kinds. The class must be a provider or a
 * controller of the application; a start-up warning names the methods whose class is none.
 *
 * @param kind a kind, or its definition. With a definition the method is type-checked, the payload is checked before each
 * call, and the definition's options hold where `options` leaves them out.
 * @throws InvalidHandlerError when the class is loaded, on what Nest can never call: a static method, a method that is
 * named by a symbol, a property, a getter, a class
 */
export function JobHandler<Input, Payload, Result>(
  definition: JobDefinition<Input, Payload, Result>,
  options?: JobHandlerOptions,
): MethodDecorator<MethodOf<Payload, Result> | ParamMethodOf<Payload, Result>>;
export function JobHandler(kind: string, options?: JobHandlerOptions): MethodDecorator<AnyMethod>;
export function JobHandler(
  kind: string | JobDefinition,
  options: JobHandlerOptions = {},
): MethodDecorator<AnyMethod> {
  const mark = markOf(kind, options);
  return (target, key, descriptor) => {
    const { method, run } = requireMethod('@JobHandler', target, key, descriptor);
    addMark(run, mark);
    DECORATED_HANDLERS.remember({ ...mark, prototype: target, method });
  };
}

function markOf(kind: string | JobDefinition, options: JobHandlerOptions): JobHandlerMark {
  if (!(kind instanceof JobDefinition)) return { kind, options };
  return { kind: kind.kind, options: withDefaults(options, kind.options), definition: kind };
}
