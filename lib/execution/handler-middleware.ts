import type { HandlerFn } from './attempt.js';
import type { ContextCarrier } from '../job/context-carrier.js';
import type { JobDefinition } from '../job/definition.js';
import type { ClaimedJob, JobContext } from '../job/job.js';
import { NewerPayloadError, PermanentError, RetryableError } from '../job/errors.js';

/** Checks the payload before the handler sees it. A payload that does not fit fails the job for good. */
export function withDefinition(definition: JobDefinition, handler: HandlerFn): HandlerFn {
  return async (job, context) => {
    const payload = (await read(definition, job.payload, job.payloadVersion)) as never;
    const checked = { ...job, payload };
    return handler(checked, contextWith(checked, context));
  };
}

/** Calls the handler with what its job carries restored. */
export function withCarrier(carrier: ContextCarrier, handler: HandlerFn): HandlerFn {
  return (job, context) =>
    job.carried === undefined
      ? handler(job, context)
      : carrier.restore(job.carried, async () => await handler(job, context));
}

/** The same context, with the checked job. It inherits the signal, which is made only when it is asked for. */
function contextWith(job: ClaimedJob<never>, context: JobContext<never>): JobContext<never> {
  return Object.create(context, { job: { value: job, enumerable: true } }) as JobContext<never>;
}

async function read(definition: JobDefinition, stored: unknown, version: number): Promise<unknown> {
  try {
    return await definition.read(stored, version);
  } catch (cause) {
    if (cause instanceof NewerPayloadError)
      throw new RetryableError('A newer release must run this job.', { cause });
    throw new PermanentError('The handler was not called: the stored payload does not fit.', { cause });
  }
}
