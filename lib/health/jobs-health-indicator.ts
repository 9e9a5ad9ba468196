import type { JobQueue } from '../queue/job-queue.js';
import type { Worker } from '../worker/worker.js';
import { judgeBacklog, lookAtBacklog, type BacklogLook } from './backlog-look.js';
import { DatabaseProbe } from './database-probe.js';
import type { HealthSettings } from './health-options.js';
import type { Backlog, JobsHealthReport, Liveness, Readiness } from './health-report.js';
import { WorkerHealth } from './worker-health.js';

/** What an indicator looks at. */
export interface ObservedJobs {
  readonly queue: Pick<JobQueue, 'reads' | 'inspector' | 'kinds'>;
  /** Undefined where the process has none. */
  readonly worker?: Pick<Worker, 'state' | 'vitals'>;
}

/** The result of a check as `@nestjs/terminus` takes it, under the key that was given. */
export type JobsIndicatorResult<Key extends string, Details> = Readonly<
  Record<Key, Omit<Details, 'isUp'> & { readonly status: 'up' | 'down' }>
>;

/**
 * Tells whether jobs work: of this process, and of the whole cluster. Made by `JobsHealthModule`; inject it by its type, or
 * with `@InjectJobsHealth(name)`.
 *
 * ```ts
 * @Get('live') @HealthCheck()
 * live() { return this.health.check([() => this.jobs.isLive()]); }
 *
 * @Get('ready') @HealthCheck()
 * ready() { return this.health.check([() => this.jobs.isReady()]); }
 * ```
 *
 * No method rejects. It needs `@nestjs/terminus` neither to compile nor to run; `check` is for applications without it.
 */
export class JobsHealthIndicator {
  private readonly clock: DatabaseProbe<number>;
  private readonly looks: DatabaseProbe<BacklogLook>;

  /** @param observe asked each time: the parts are there when the application is up */
  constructor(
    private readonly observe: () => ObservedJobs,
    private readonly settings: HealthSettings,
  ) {
    const { databaseTimeoutMs } = settings;
    this.clock = new DatabaseProbe(() => this.observe().queue.reads.now(), databaseTimeoutMs);
    this.looks = new DatabaseProbe(() => lookAtBacklog(this.observe().queue, settings), databaseTimeoutMs);
  }

  /**
   * For a liveness probe: whether this process works. It asks no database, so an outage kills no process. It is down where
   * the loop of the worker has stopped, or where the worker has not known which kinds are paused for `maxSilentMs` though the
   * database answers. A process without a worker is up.
   *
   * @param key of the result. Default `'jobs'`.
   */
  async isLive<const Key extends string = 'jobs'>(key?: Key): Promise<JobsIndicatorResult<Key, Liveness>> {
    return resultOf(key, await Promise.resolve(this.liveness()));
  }

  /**
   * For a readiness probe: whether this process can enqueue jobs and run them. It is down where the database does not answer
   * within `databaseTimeoutMs`, where a database that may be down at the start has not been opened, and where the worker is
   * not started, stops or was stopped.
   *
   * @param key of the result. Default `'jobs'`.
   */
  async isReady<const Key extends string = 'jobs'>(key?: Key): Promise<JobsIndicatorResult<Key, Readiness>> {
    return resultOf(key, await this.readiness());
  }

  /**
   * For a monitor that calls a person, and for no probe: whether the jobs of the whole cluster run in time. It is the same in
   * all processes, so a probe would take all of them out at once. It is down where the oldest ready job of a kind, or a
   * schedule, is later than its threshold, and where a kind has ready jobs and no live worker.
   *
   * @param key of the result. Default `'jobs'`.
   */
  async isKeepingUp<const Key extends string = 'jobs'>(
    key?: Key,
  ): Promise<JobsIndicatorResult<Key, Backlog>> {
    return resultOf(key, await this.backlog());
  }

  /** All checks at once, for applications without Terminus. */
  async check(): Promise<JobsHealthReport> {
    const live = this.liveness();
    const [ready, backlog] = await Promise.all([this.readiness(), this.backlog()]);
    return { isUp: live.isUp && ready.isUp && backlog.isUp, live, ready, backlog };
  }

  private liveness(): Liveness {
    const { state: worker, fatal: problems } = this.workerHealth;
    return { isUp: problems.length === 0, worker, problems };
  }

  private async readiness(): Promise<Readiness> {
    const probed = await this.clock.answer();
    const { state: worker, notRunning } = this.workerHealth;
    const problems = 'problem' in probed ? [probed.problem, ...notRunning] : notRunning;
    const databaseMs = 'ms' in probed ? Math.round(probed.ms) : null;
    return { isUp: problems.length === 0, worker, databaseMs, problems };
  }

  private async backlog(): Promise<Backlog> {
    const probed = await this.looks.answer();
    if ('answer' in probed) return judgeBacklog(probed.answer, this.settings);
    const nothing = { oldestReadyMs: {}, overdueMs: {}, kindsWithoutWorker: [] };
    return { isUp: false, ...nothing, problems: [probed.problem] };
  }

  private get workerHealth(): WorkerHealth {
    return new WorkerHealth(this.observe().worker, this.settings.maxSilentMs);
  }
}

function resultOf<Key extends string, Details extends { readonly isUp: boolean }>(
  key: Key | undefined,
  { isUp, ...details }: Details,
): JobsIndicatorResult<Key, Details> {
  const result = { [key ?? 'jobs']: { status: isUp ? 'up' : 'down', ...details } };
  return result as JobsIndicatorResult<Key, Details>;
}
