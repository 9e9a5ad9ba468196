/*
 * Stands for a dependency in CommonJS: it requires the package, and so loads another copy of it than the application,
 * which imports it.
 */
import { Injectable, Module, UseGuards, type CanActivate, type ExecutionContext } from '@nestjs/common';
import * as copy from 'nestjs-typeorm-jobs';
import * as testing from 'nestjs-typeorm-jobs/testing';

export { copy, testing };

export const Greet = copy.defineJob<{ name: string }, string>('mail.greet', { maxAttempts: 3, priority: 7 });

@Injectable()
export class NoStrangers implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return copy.JobExecutionContext.from(context).job.id !== 'stranger';
  }
}

@Injectable()
export class Mailing {
  constructor(
    readonly client: copy.JobClient,
    readonly worker: copy.Worker,
    readonly queue: copy.JobQueue,
    @copy.InjectJobClient() readonly clientByToken: copy.JobClient,
  ) {}

  @copy.JobHandler(Greet)
  greet({ payload }: copy.Job<{ name: string }>): string {
    return `Hello ${payload.name}`;
  }

  @copy.JobHandler('mail.again')
  again(_job: copy.Job, { attempt }: copy.JobContext): number {
    if (attempt === 1) throw new copy.RetryableError('later', { retryAfterMs: 0 });
    return attempt;
  }

  @copy.JobHandler('mail.never', { maxAttempts: 5 })
  never(): void {
    throw new copy.PermanentError('no such address');
  }

  @UseGuards(NoStrangers)
  @copy.JobHandler('mail.guarded')
  guarded(@copy.JobPayload() payload: number, @copy.JobCtx() { attempt }: copy.JobContext): number {
    return payload + attempt;
  }
}

@Module({ providers: [Mailing], exports: [Mailing] })
export class MailingModule {}
