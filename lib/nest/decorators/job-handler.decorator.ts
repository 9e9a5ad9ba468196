import { JobDefinition } from '../../job/definition.js';
import { InvalidHandlerError } from '../../job/application-errors.js';
import { withDefaults, type JobHandlerOptions } from '../../job/handler-options.js';
import type { Job, JobContext } from '../../job/job.js';
import { rememberDecorated } from '../decorated-handlers.js';
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
): HandlerDecorator<MethodOf<Payload, Result> | ParamMethodOf<Payload, Result>>;
export function JobHandler(kind: string, options?: JobHandlerOptions): HandlerDecorator<AnyMethod>;
export function JobHandler(
  kind: string | JobDefinition,
  options: JobHandlerOptions = {},
): HandlerDecorator<AnyMethod> {
  const mark = markOf(kind, options);
  return (target, key, descriptor) => {
    const { method, run } = requireMethod(target, key, descriptor);
    addMark(run, mark);
    rememberDecorated({ ...mark, prototype: target, method });
  };
}

/**
 * Nest calls methods of instances, and finds them by name.
 * @throws InvalidHandlerError
 */
function requireMethod(
  target: object | undefined,
  key: string | symbol | object | undefined,
  descriptor: Pick<PropertyDescriptor, 'value' | 'get'> | undefined,
): { readonly method: string; readonly run: AnyMethod } {
  if (typeof key === 'object') {
    const { name } = key as { readonly name?: unknown };
    throw new InvalidHandlerError(
      String(name),
      'is decorated in the way of ECMAScript, which Nest does not support. Set "experimentalDecorators": true in tsconfig.json',
    );
  }
  if (target === undefined || key === undefined) {
    const name = typeof target === 'function' ? target.name : 'This';
    throw new InvalidHandlerError(name, 'is no method. Move the decorator to a method of the class');
  }
  if (typeof target === 'function') {
    throw new InvalidHandlerError(
      `${target.name}.${String(key)}`,
      'is static, and Nest calls methods of instances. Remove "static"',
    );
  }
  const where = `${target.constructor.name}.${String(key)}`;
  if (typeof key !== 'string')
    throw new InvalidHandlerError(
      where,
      'is named by a symbol, and Nest finds methods by text. Give it a name',
    );
  const run: unknown = descriptor?.value;
  if (typeof run === 'function') return { method: key, run: run as AnyMethod };
  const what = descriptor?.get === undefined ? 'a property' : 'a getter';
  throw new InvalidHandlerError(
    where,
    `is ${what}, and no method. Write it as a method: ${key}(job, context) { … }`,
  );
}

function markOf(kind: string | JobDefinition, options: JobHandlerOptions): JobHandlerMark {
  if (!(kind instanceof JobDefinition)) return { kind, options };
  return { kind: kind.kind, options: withDefaults(options, kind.options), definition: kind };
}
