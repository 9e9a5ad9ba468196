import { Module, type DynamicModule, type InjectionToken, type Provider } from '@nestjs/common';
import { resolveByRules } from '../job/option-rules.js';
import { namedSettings, type NamedAsyncSettings } from '../nest/async-settings.js';
import { observerProvider } from '../nest/observed-module.js';
import { JobsTelemetry } from './jobs-telemetry.js';
import { TELEMETRY_RULES, type JobsTelemetryOptions, type ResolvedTelemetry } from './telemetry-options.js';

/** The options that a factory may make. */
export type JobsTelemetrySettings = Omit<JobsTelemetryOptions, 'name'>;

/** What `forRootAsync` takes. */
export type JobsTelemetryAsyncOptions = NamedAsyncSettings<JobsTelemetrySettings>;

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
    const { name } = resolved;
    return assemble(name, { provide: settingsToken(name), useValue: resolved });
  }

  /**
   * As `forRoot`, with options that other providers make. `name` and `imports` stand beside the factory, because Nest must know
   * them before it runs. What providers enqueue before the factory has returned has no span.
   *
   * @throws InvalidOptionError; for what the factory makes, when the application starts
   */
  static forRootAsync(options: JobsTelemetryAsyncOptions): DynamicModule {
    const { name, settings, imports } = namedSettings(options, settingsToken, (made) =>
      resolveByRules(made, TELEMETRY_RULES),
    );
    return assemble(name, settings, imports);
  }
}

function settingsToken(name: string): InjectionToken<ResolvedTelemetry> {
  return `nestjs-typeorm-jobs:telemetry-options:${name}`;
}

function assemble(name: string, settings: Provider, imports: DynamicModule['imports'] = []): DynamicModule {
  const token = `nestjs-typeorm-jobs:telemetry:${name}`;
  const observer = observerProvider(
    token,
    name,
    settingsToken(name),
    (resolved, modules, events) => new JobsTelemetry(resolved, modules, events),
  );
  return { module: JobsTelemetryModule, imports, providers: [settings, observer] };
}
