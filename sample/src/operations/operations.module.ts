import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { JobsDashboardModule } from 'nestjs-typeorm-jobs/dashboard';
import { JobsHealthModule } from 'nestjs-typeorm-jobs/health';
import { JobsMetricsModule } from 'nestjs-typeorm-jobs/prometheus';
import { ADMIN, AdminGuard } from './admin.guard.js';
import { HealthController } from './health.controller.js';

export const DASHBOARD_PATH = 'admin/jobs';

/** What those need who keep the shop running: a dashboard, metrics for Prometheus, and health checks. */
@Module({
  imports: [
    TerminusModule,
    JobsHealthModule.forRoot(),
    JobsDashboardModule.forRoot({
      path: DASHBOARD_PATH,
      guards: [AdminGuard],
      who: () => ADMIN,
      title: 'Shop',
    }),
    JobsMetricsModule.forRoot({ path: 'metrics', guards: [AdminGuard] }),
  ],
  controllers: [HealthController],
})
export class OperationsModule {}
