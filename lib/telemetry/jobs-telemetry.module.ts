import { Module, type DynamicModule } from '@nestjs/common';
import { resolveByRules } from '../job/option-rules.js';
import { observerProvider } from '../nest/observed-module.js';
import { JobsTelemetry } from './jobs-telemetry.js';
import { TELEMETRY_RULES, type JobsTelemetryOptions } from './telemetry-options.js';

/**
 * Spans and metrics of jobs for OpenTelemetry. Import it beside `JobsModule`; without it, nothing of this is done.
 *
 * ```ts
 * imports: [JobsModule.forRoot(), JobsTelemetryModule.forRoot()]
 * ```
 */
@Module({})
export class JobsTelemetryModule {
  /**
   * Start the SDK of OpenTelemetry before the application, or give its providers.
   * @throws InvalidOptionError; also when the application starts, where there is no `JobsModule` of that name
   */
  static forRoot(options: JobsTelemetryOptions = {}): DynamicModule {
    const resolved = resolveByRules(options, TELEMETRY_RULES);
    const token = `nestjs-typeorm-jobs:telemetry:${resolved.name}`;
    const provider = observerProvider(
      token,
      resolved.name,
      (modules, events) => new JobsTelemetry(resolved, modules, events),
    );
    return { module: JobsTelemetryModule, providers: [provider] };
  }
}
