import type { PipeTransform, Type } from '@nestjs/common';
import { setPayloadParam } from '../nest-internals.js';

/**
 * The payload of the job, after the pipes given here and those of the method and its class. `ValidationPipe` validates
 * it against the class of the parameter.
 *
 * ```ts
 * @JobHandler('invoice.mail')
 * mail(@JobPayload(ValidationPipe) payload: InvoiceDto, @JobCtx() { signal }: JobContext) { … }
 * ```
 *
 * Once one parameter of a handler has a decorator, those without one are undefined.
 */
export function JobPayload(...pipes: readonly (Type<PipeTransform> | PipeTransform)[]): ParameterDecorator {
  return (target, method, index) => setPayloadParam(target.constructor, method!, { index, pipes });
}
