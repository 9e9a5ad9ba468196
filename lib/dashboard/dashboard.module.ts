import { Module, type DynamicModule, type FactoryProvider, type Provider } from '@nestjs/common';
import { aFunction, aList, anObject } from '../job/option-checks.js';
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
export interface JobsDashboardAsyncOptions extends JobsDashboardIdentity {
  /** What `useFactory` is called with, in this order. Default: nothing. */
  readonly inject?: FactoryProvider['inject'];
  /** Makes the other options when the application starts. */
  // Nest hands over whatever `inject` lists; only the user knows the types.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly useFactory: (...injected: any[]) => JobsDashboardSettings | Promise<JobsDashboardSettings>;
}

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
  static forRootAsync({ inject = [], useFactory, ...options }: JobsDashboardAsyncOptions): DynamicModule {
    aList(inject, 'inject', undefined);
    aFunction(useFactory, 'useFactory', undefined);
    return assemble(resolveIdentity(options), {
      provide: DASHBOARD_SETTINGS,
      inject,
      useFactory: async (...injected: unknown[]) => {
        const made = await useFactory(...injected);
        anObject(made, 'what the factory of options returns', undefined);
        return resolveSettings(made);
      },
    });
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
