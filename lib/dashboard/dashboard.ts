import {
  Injectable,
  Inject,
  Logger,
  type ExecutionContext,
  type InjectionToken,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common';
import { HttpAdapterHost, ModuleRef } from '@nestjs/core';
import type { HandlerRegistry } from '../execution/handler-registry.js';
import { JobsError } from '../job/errors.js';
import {
  DEFAULT_NAME,
  getJobClientToken,
  getJobKindsToken,
  getJobQueueToken,
  getJobSchedulesToken,
  internalToken,
} from '../nest/jobs.tokens.js';
import { AuditedActions } from './actions/audited-actions.js';
import { DASHBOARD_IDENTITY, DASHBOARD_SETTINGS } from './dashboard.tokens.js';
import type { ResolvedIdentity, ResolvedSettings } from './dashboard.options.js';
import type { JobsSources } from './jobs-sources.js';
import { Snapshots } from './screens/overview.js';
import { BoundedReads } from './values/bounded.js';
import { PayloadForms } from './values/payload-form.js';
import { Redaction } from './values/redaction.js';
import { TraceLinks } from './values/trace-links.js';
import { Assets } from './web/assets.js';
import { LiveFeed } from './web/live-feed.js';
import { RoleChecks, type Viewer } from './web/role-checks.js';

/** All that one dashboard is made of. */
export interface DashboardParts {
  readonly sources: JobsSources;
  readonly snapshots: Snapshots;
  readonly feed: LiveFeed;
  readonly actions: AuditedActions;
  readonly assets: Assets;
}

/** One dashboard, from the start of its application to its end. */
@Injectable()
export class Dashboard implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger('JobsDashboard');
  private readonly viewers = new WeakMap<object, Viewer>();
  private made: DashboardParts | undefined;
  private roles!: RoleChecks;

  constructor(
    @Inject(DASHBOARD_IDENTITY) private readonly identity: ResolvedIdentity,
    @Inject(DASHBOARD_SETTINGS) readonly settings: ResolvedSettings,
    readonly host: HttpAdapterHost,
    private readonly moduleRef: ModuleRef,
  ) {}

  /** @throws JobsError where there is no such JobsModule, and where the pages are not there */
  async onModuleInit(): Promise<void> {
    const { path, unguarded } = this.identity;
    if (unguarded)
      this.logger.warn(
        `The dashboard at ${path} has no guards (unguarded: true): whoever reaches this server may see and change jobs.`,
      );
    this.roles = await RoleChecks.create(this.settings.roles, this.moduleRef);
    const sources = this.sourcesOf(this.identity.name);
    const snapshots = new Snapshots(sources);
    this.made = {
      sources,
      snapshots,
      feed: new LiveFeed(() => snapshots.overview()),
      actions: new AuditedActions(sources, this.logger, () => snapshots.forget()),
      assets: new Assets(this.settings.assetsFolder),
    };
  }

  /** Before the server closes, which waits for open streams, and before the database does. */
  async onModuleDestroy(): Promise<void> {
    this.made?.feed.stop();
    await this.made?.actions.stop();
  }

  get parts(): DashboardParts {
    if (this.made === undefined)
      throw new JobsError('The dashboard has not been started; call app.init() or app.listen().');
    return this.made;
  }

  get title(): string {
    const { name } = this.identity;
    return this.settings.title ?? (name === DEFAULT_NAME ? 'Jobs' : name);
  }

  /** Notes whose request it is, while its guards are at hand. */
  admit(context: ExecutionContext): void {
    this.viewers.set(context.switchToHttp().getRequest<object>(), this.roles.viewer(context));
  }

  viewerOf(request: object): Viewer {
    const viewer = this.viewers.get(request);
    if (viewer === undefined)
      throw new JobsError('The guards of the dashboard did not run for this request.');
    return viewer;
  }

  /** What is none of the viewer's business, and what nobody has asked for. */
  logFailure(error: unknown): void {
    this.logger.error(error instanceof Error ? (error.stack ?? error.message) : String(error));
  }

  private sourcesOf(name: string): JobsSources {
    const forms = new PayloadForms(this.find<HandlerRegistry>(internalToken('handlers', name)));
    return {
      jobs: this.find(getJobClientToken(name)),
      kinds: this.find(getJobKindsToken(name)),
      schedules: this.find(getJobSchedulesToken(name)),
      queue: this.find(getJobQueueToken(name)),
      forms,
      redaction: new Redaction(forms, this.settings.redact),
      traceLinks: new TraceLinks(this.settings.traceUrl, (message) => this.logger.warn(message)),
      reads: new BoundedReads(),
    };
  }

  private find<T>(token: InjectionToken<T>): T {
    try {
      return this.moduleRef.get<T>(token, { strict: false });
    } catch (cause) {
      const { name } = this.identity;
      const which = name === DEFAULT_NAME ? 'a JobsModule without a name' : `the JobsModule "${name}"`;
      throw new JobsError(
        `The dashboard shows ${which}, which this application does not import. Import it, or give "name".`,
        { cause },
      );
    }
  }
}
