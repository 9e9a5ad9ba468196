import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { settingsProvider, type AsyncSettings } from '../nest/async-settings.js';
import { dashboardController } from './dashboard.controller.js';
import { Dashboard } from './dashboard.js';
import {
  resolveDashboardOptions,
  resolveIdentity,
  resolveSettings,
  type JobsDashboardIdentity,
  type JobsDashboardOptions,
  type JobsDashboardSettings,
  type ResolvedIdentity,
} from './dashboard.options.js';
import { DASHBOARD_IDENTITY, DASHBOARD_SETTINGS } from './dashboard.tokens.js';

/** What `forRootAsync` takes: what Nest must know at once, and what makes the rest. */
export interface JobsDashboardAsyncOptions
  extends JobsDashboardIdentity, AsyncSettings<JobsDashboardSettings> {}

/** Pages that show the jobs of a `JobsModule`, and change them. Import it beside that. */
@Module({})
export class JobsDashboardModule {
  /**
   * A dashboard. It does not start without guards.
   *
   * ```ts
   * JobsDashboardModule.forRoot({ path: 'admin/jobs', guards: [AdminGuard] })
   * ```
   *
   * @throws InvalidOptionError naming the option, the value and what is allowed
   */
  static forRoot(options: JobsDashboardOptions): DynamicModule {
    const { identity, settings } = resolveDashboardOptions(options);
    return assemble(identity, { provide: DASHBOARD_SETTINGS, useValue: settings });
  }

  /**
   * As `forRoot`, with options that other providers make. `path`, `guards`, `unguarded`, `name` and `imports` stand beside the
   * factory, because Nest must know them before it runs.
   *
   * @throws InvalidOptionError; for what the factory makes, when the application starts
   */
  static forRootAsync({ inject, useFactory, ...options }: JobsDashboardAsyncOptions): DynamicModule {
    const identity = resolveIdentity(options);
    const early = Object.keys(identity);
    const settings = settingsProvider(DASHBOARD_SETTINGS, { inject, useFactory }, early, resolveSettings);
    return assemble(identity, settings);
  }
}

function assemble(identity: ResolvedIdentity, settings: Provider): DynamicModule {
  return {
    module: JobsDashboardModule,
    imports: identity.imports,
    controllers: [dashboardController(identity)],
    providers: [{ provide: DASHBOARD_IDENTITY, useValue: identity }, settings, Dashboard],
  };
}
