import { Injectable } from '@nestjs/common';
import {
  defineJob,
  InvalidJobError,
  JobClient,
  JobHandler,
  JobsModule,
  RetryableError,
  type,
  type Job,
  type JobContext,
  type JobOf,
} from 'nestjs-typeorm-jobs';
import { clsTransactional } from 'nestjs-typeorm-jobs/cls-transactional';
import { JobsDashboardModule } from 'nestjs-typeorm-jobs/dashboard';
import { jobsMetrics, JobsMetricsModule } from 'nestjs-typeorm-jobs/prometheus';
import { JobsTelemetryModule } from 'nestjs-typeorm-jobs/telemetry';
import { JobsHealthIndicator, JobsHealthModule } from 'nestjs-typeorm-jobs/health';
import { jobsMatchers, JobsTestingModule } from 'nestjs-typeorm-jobs/testing';
import { typeormTransactional } from 'nestjs-typeorm-jobs/typeorm-transactional';

class CropDto {
  width!: number;

  area(): number {
    return this.width ** 2;
  }
}

export const dashboard = JobsDashboardModule.forRoot({
  path: 'admin/jobs',
  unguarded: true,
  roles: { act: (request: { user?: string }) => request.user === 'ada' },
  redact: (job, path) => job.kind === 'mail' && path === 'payload.to',
});
export const Crop = defineJob('crop', { schema: CropDto, returns: type<number>() });
export const Mail = defineJob<{ to: string }, number>('mail', { maxAttempts: 3 });

@Injectable()
export class Jobs {
  constructor(private readonly jobs: JobClient) {}

  async enqueue(): Promise<string> {
    await this.jobs.enqueue(Crop, { width: 3 });
    const { payload }: Job<{ to: string }, number> = await this.jobs.enqueue(Mail, { to: 'a@example.com' });
    return payload.to;
  }

  @JobHandler(Crop)
  crop({ payload }: JobOf<typeof Crop>): number {
    return payload.area();
  }

  @JobHandler(Mail)
  mail({ payload }: Job<{ to: string }>, { signal }: JobContext): number {
    signal.throwIfAborted();
    if (payload.to === '')
      throw new RetryableError('no address', { cause: new InvalidJobError('to', 'is empty') });
    return 1;
  }
}

export const modules = [
  JobsModule.forRoot({ transactions: clsTransactional() }),
  JobsTestingModule.forRoot({ transactions: typeormTransactional() }),
  JobsTelemetryModule.forRoot({ parent: true }),
  JobsMetricsModule.forRoot({ path: 'internal/metrics', unguarded: true }),
];
export const measure = jobsMetrics;
export const matchers = jobsMatchers;

/** As Terminus takes it, which is not installed here. */
type IndicatorResult = Record<'jobs', { status: 'up' | 'down' } & Record<string, unknown>>;

export const health = JobsHealthModule.forRoot({ maxReadyMsOf: { crop: 60_000 } });
export const isLive = (jobs: JobsHealthIndicator): Promise<IndicatorResult> => jobs.isLive();
export const isMine = async (jobs: JobsHealthIndicator) => (await jobs.isReady('mine')).mine.databaseMs;
