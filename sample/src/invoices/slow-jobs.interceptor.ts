import {
  Injectable,
  Logger,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { JobExecutionContext } from 'nestjs-typeorm-jobs';
import { finalize, type Observable } from 'rxjs';

const SLOW_MS = 5_000;

/** Logs jobs that take long. */
@Injectable()
export class SlowJobsInterceptor implements NestInterceptor {
  private readonly logger = new Logger('SlowJobs');

  intercept(host: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { job, context } = JobExecutionContext.from(host);
    const since = performance.now();
    return next.handle().pipe(
      finalize(() => {
        const ms = Math.round(performance.now() - since);
        if (ms >= SLOW_MS) this.logger.warn(`${job.kind} ${job.id}, attempt ${context.attempt}: ${ms} ms`);
      }),
    );
  }
}
