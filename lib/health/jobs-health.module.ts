import {
  Inject,
  Module,
  type DynamicModule,
  type InjectionToken,
  type OnModuleInit,
  type Provider,
} from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { InvalidOptionError } from '../job/errors.js';
import { namedSettings, type NamedAsyncSettings } from '../nest/async-settings.js';
import type { ResolvedOptions } from '../nest/jobs.options.js';
import { DEFAULT_NAME, getJobQueueToken, getWorkerToken, internalToken } from '../nest/jobs.tokens.js';
import type { JobQueue } from '../queue/job-queue.js';
import type { Worker } from '../worker/worker.js';
import { resolveHealthOptions, type HealthSettings, type JobsHealthOptions } from './health-options.js';
import { JobsHealthIndicator, type ObservedJobs } from './jobs-health-indicator.js';

/** The options that a factory may make. */
export type JobsHealthSettings = Omit<JobsHealthOptions, 'name'>;

/** What `forRootAsync` takes. */
export type JobsHealthAsyncOptions = NamedAsyncSettings<JobsHealthSettings>;

/** The injection token of the `JobsHealthIndicator` of a module. For the one without a name it is the class itself. */
export function getJobsHealthToken(name: string = DEFAULT_NAME): InjectionToken<JobsHealthIndicator> {
  return name === DEFAULT_NAME ? JobsHealthIndicator : `JobsHealthIndicator:${name}`;
}

/** Injects the `JobsHealthIndicator` of the `JobsModule` with this name. */
export function InjectJobsHealth(name?: string): PropertyDecorator & ParameterDecorator {
  return Inject(getJobsHealthToken(name));
}

/** Provides the `JobsHealthIndicator` of a `JobsModule`. Import it in the module that has the controller of the checks. */
@Module({})
export class JobsHealthModule {
  /**
   * ```ts
   * JobsHealthModule.forRoot({ maxReadyMs: 60_000, maxReadyMsOf: { report: 3_600_000 } })
   * ```
   *
   * @throws InvalidOptionError naming the option, the value and what is allowed; where the application has no `JobsModule` of
   * this name, when it starts
   */
  static forRoot(options: JobsHealthOptions = {}): DynamicModule {
    const settings = resolveHealthOptions(options);
    return assemble(settings.name, { provide: settingsToken(settings.name), useValue: settings });
  }

  /**
   * As `forRoot`, with options that other providers make. `name` and `imports` stand beside the factory, because Nest must know
   * them before it runs.
   *
   * @throws InvalidOptionError; for what the factory makes, when the application starts
   */
  static forRootAsync(options: JobsHealthAsyncOptions): DynamicModule {
    const { name, settings, imports } = namedSettings(options, settingsToken, resolveHealthOptions);
    return assemble(name, settings, imports);
  }
}

function settingsToken(name: string): InjectionToken<HealthSettings> {
  return `nestjs-typeorm-jobs:health-options:${name}`;
}

function assemble(name: string, settings: Provider, imports: DynamicModule['imports'] = []): DynamicModule {
  const token = getJobsHealthToken(name);
  const indicator = {
    provide: token,
    inject: [ModuleRef, settingsToken(name)],
    useFactory: (modules: ModuleRef, resolved: HealthSettings) =>
      new NestHealthIndicator(new ModuleParts(modules, name), resolved),
  };
  return { module: JobsHealthModule, imports, providers: [settings, indicator], exports: [token] };
}

/** Looks whether the `JobsModule` is there when all providers exist, and not when the first probe comes. */
class NestHealthIndicator extends JobsHealthIndicator implements OnModuleInit {
  constructor(
    private readonly parts: ModuleParts,
    settings: HealthSettings,
  ) {
    super(() => parts.observe(), settings);
  }

  onModuleInit(): void {
    this.parts.observe();
  }
}

/** What a `JobsModule` provides. */
class ModuleParts {
  private found: ObservedJobs | undefined;

  constructor(
    private readonly modules: ModuleRef,
    private readonly name: string,
  ) {}

  /** @throws InvalidOptionError where there is no such module */
  observe(): ObservedJobs {
    return (this.found ??= this.find());
  }

  private find(): ObservedJobs {
    const { name } = this;
    const { runsWorker } = this.get(internalToken('options', name)) as ResolvedOptions;
    const worker = this.get(getWorkerToken(name)) as object;
    const queue = this.get(getJobQueueToken(name)) as JobQueue;
    // In a test something else may stand in the place of the worker.
    return { queue, worker: runsWorker && isObservable(worker) ? worker : undefined };
  }

  private get(token: InjectionToken): unknown {
    try {
      return this.modules.get<unknown>(token, { strict: false });
    } catch {
      throw new InvalidOptionError('name', this.name, 'the name of a JobsModule of this application');
    }
  }
}

/** Of whatever copy of this package. */
function isObservable(worker: object): worker is Pick<Worker, 'state' | 'vitals'> {
  return 'state' in worker && 'vitals' in worker;
}
