import type { ArgumentsHost } from '@nestjs/common';
import type { Job, JobContext } from '../job/job.js';
import { JobsError } from '../job/errors.js';

/** What `getType()` of an `ExecutionContext` returns for a job. */
export const JOB_CONTEXT_TYPE = 'job';

/**
 * What guards, interceptors, filters and parameter decorators see of a job:
 *
 * ```ts
 * const { job, context } = JobExecutionContext.from(ctx);
 * ```
 */
export class JobExecutionContext<Payload = unknown> {
  private constructor(
    /** Its payload is what the handler gets: checked by the schema of the definition, if there is one. */
    readonly job: Job<Payload>,
    readonly context: JobContext<Payload>,
  ) {}

  /** Whether this is the context of a job, and not of a request or a message. */
  static is(host: ArgumentsHost): boolean {
    return host.getType<string>() === JOB_CONTEXT_TYPE;
  }

  /** @throws JobsError where `host` is not the context of a job */
  static from<Payload = unknown>(host: ArgumentsHost): JobExecutionContext<Payload> {
    if (!this.is(host)) {
      throw new JobsError(`This is a context of type "${host.getType<string>()}", and not that of a job.`);
    }
    const [job, context] = host.getArgs<[Job<Payload>, JobContext<Payload>]>();
    return new JobExecutionContext(job, context);
  }
}
