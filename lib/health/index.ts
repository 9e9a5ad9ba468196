/** The public names of `nestjs-typeorm-jobs/health`. */
export { getJobsHealthToken, InjectJobsHealth, JobsHealthModule } from './jobs-health.module.js';
export type { JobsHealthAsyncOptions, JobsHealthSettings } from './jobs-health.module.js';
export type { JobsHealthOptions } from './health-options.js';
export { JobsHealthIndicator } from './jobs-health-indicator.js';
export type { JobsIndicatorResult, ObservedJobs } from './jobs-health-indicator.js';
export type {
  Backlog,
  HealthCode,
  HealthProblem,
  JobsHealthReport,
  Liveness,
  Readiness,
} from './health-report.js';
