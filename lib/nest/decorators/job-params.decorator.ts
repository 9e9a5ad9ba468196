import { createParamDecorator, type PipeTransform, type Type } from '@nestjs/common';
import { PAYLOAD_PARAM, ROUTE_ARGS_METADATA } from '../jobs.tokens.js';
import { JobExecutionContext } from '../job-execution-context.js';

type Pipe = Type<PipeTransform> | PipeTransform;
type Params = Readonly<Record<string, { index: number; data: unknown; pipes: readonly Pipe[] }>>;

/**
 * The payload of the job, after the pipes given here and those of the method and its class. With `ValidationPipe` the
 * parameter's class is what it is validated against.
 *
 * ```ts
 * @JobHandler('invoice.mail')
 * mail(@JobPayload(ValidationPipe) payload: InvoiceDto, @JobCtx() { signal }: JobContext) { … }
 * ```
 *
 * Once one parameter of a handler has a decorator, those without one are undefined.
 */
export function JobPayload(...pipes: readonly Pipe[]): ParameterDecorator {
  return (target, method, index) => {
    const type = target.constructor;
    const others = Reflect.getMetadata(ROUTE_ARGS_METADATA, type, method!) as Params | undefined;
    // To Nest it is the body of a request, for that is what pipes take for input.
    const params = { ...others, [`${PAYLOAD_PARAM}:${index}`]: { index, data: undefined, pipes } };
    Reflect.defineMetadata(ROUTE_ARGS_METADATA, params, type, method!);
  };
}

/** The job. */
export const JobParam: () => ParameterDecorator = createParamDecorator(
  (_data, host) => JobExecutionContext.from(host).job,
);

/** The `JobContext` of the attempt. */
export const JobCtx: () => ParameterDecorator = createParamDecorator(
  (_data, host) => JobExecutionContext.from(host).context,
);
