/** The public names of `nestjs-typeorm-jobs/dashboard`. */
export { JobsDashboardModule } from './dashboard.module.js';
export type { JobsDashboardAsyncOptions } from './dashboard.module.js';
export type {
  DashboardGuard,
  DashboardRole,
  DashboardRoles,
  JobsDashboardIdentity,
  JobsDashboardOptions,
  JobsDashboardSettings,
  Redact,
  TraceUrl,
} from './dashboard.options.js';
