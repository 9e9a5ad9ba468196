import { Controller, Get } from '@nestjs/common';
import { HealthCheck, HealthCheckService, type HealthCheckResult } from '@nestjs/terminus';
import { JobsHealthIndicator } from 'nestjs-typeorm-jobs/health';

/** For the probes of an orchestrator, and for a monitor. */
@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly jobs: JobsHealthIndicator,
  ) {}

  @Get('live')
  @HealthCheck()
  live(): Promise<HealthCheckResult> {
    return this.health.check([() => this.jobs.isLive()]);
  }

  @Get('ready')
  @HealthCheck()
  ready(): Promise<HealthCheckResult> {
    return this.health.check([() => this.jobs.isReady()]);
  }

  @Get('jobs')
  @HealthCheck()
  backlog(): Promise<HealthCheckResult> {
    return this.health.check([() => this.jobs.isKeepingUp()]);
  }
}
