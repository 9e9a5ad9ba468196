import { JobDefinition } from '../../job/definition.js';
import { withDefaults, type JobHandlerOptions } from '../../job/handler-options.js';
import type { Job, JobContext } from '../../job/job.js';
import { addMark, type JobHandlerMark } from '../jobs.metadata.js';

type MethodOf<Payload, Result> = (
  job: Job<Payload, Result>,
  context: JobContext<Payload>,
) => Result | Promise<Result>;

/** A method whose parameters are decorated, the payload first. */
type ParamMethodOf<Payload, Result> = (payload: Payload, ...rest: never[]) => Result | Promise<Result>;

/** Decorated parameters may be anything, in any order. */
type AnyMethod = (...args: never[]) => unknown;

type HandlerDecorator<Method> = <T extends Method>(
  target: object,
  key: string | symbol,
  descriptor: TypedPropertyDescriptor<T>,
) => void;

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
 * `KindExistsError`. A method with several of these decorators serves several kinds.
 *
 * @param kind a kind, or its definition. With a definition the method is type-checked, the payload is checked before each
 * call, and the definition's options hold where `options` leaves them out.
 */
export function JobHandler<Input, Payload, Result>(
  definition: JobDefinition<Input, Payload, Result>,
  options?: JobHandlerOptions,
): HandlerDecorator<MethodOf<Payload, Result> | ParamMethodOf<Payload, Result>>;
export function JobHandler(kind: string, options?: JobHandlerOptions): HandlerDecorator<AnyMethod>;
export function JobHandler(
  kind: string | JobDefinition,
  options: JobHandlerOptions = {},
): HandlerDecorator<AnyMethod> {
  const mark = markOf(kind, options);
  return (_target, _key, descriptor) => addMark(descriptor.value!, mark);
}

function markOf(kind: string | JobDefinition, options: JobHandlerOptions): JobHandlerMark {
  if (!(kind instanceof JobDefinition)) return { kind, options };
  return { kind: kind.kind, options: withDefaults(options, kind.options), definition: kind };
}
