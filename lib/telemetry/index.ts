/** Spans and metrics for OpenTelemetry: `nestjs-typeorm-jobs/telemetry`. It needs `@opentelemetry/api`. */
export { JobsTelemetryModule } from './jobs-telemetry.module.js';
export type { JobsTelemetryAsyncOptions, JobsTelemetrySettings } from './jobs-telemetry.module.js';
export type { JobsTelemetryOptions } from './telemetry-options.js';
