import type { Startable } from '../async/loop.js';
import { endsWithin } from '../async/timers.js';
import type { JobsEvents } from '../events/jobs-events.js';
import type { AttemptPolicy } from '../execution/attempt.js';
import { Executor } from '../execution/executor.js';
import { AttemptFactory, type HandlerRegistry } from '../execution/handler-registry.js';
import type { HeldJob } from '../execution/held-job.js';
import { WorkerStoppedError } from '../job/errors.js';
import type { Retention } from '../job/retention.js';
import type { JobQueue } from '../queue/job-queue.js';
import { AboutWorker } from './about-worker.js';
import { ClaimLoop } from './claim-loop.js';
import { ControlWatch } from './control-watch.js';
import { EventLoopMonitor } from './event-loop-monitor.js';
import type { WorkerVitals } from './pulse.js';
import { Reclaimer } from './reclaimer.js';
import { Tally } from './tally.js';

export interface WorkerSettings extends AttemptPolicy {
  readonly workerId: string;
  readonly concurrency: number;
  readonly pollIntervalMs: number;
  readonly leaseMs: number;
  readonly heartbeatMs: number;
  readonly shutdownTimeoutMs: number;
  readonly maxCrashes: number;
  /** Which settled jobs are deleted, and when. Default: none. */
  readonly retention?: Retention;
  /** Only these of the kinds that have handlers; undefined for all. */
  readonly kinds?: readonly string[];
}

/** How long a stop waits, after its time limit, for outcomes and releases to be written. */
const FINAL_WRITES_MS = 3_000;

/** A worker from its start to its stop. */
export class WorkerSession implements Startable {
  private readonly executor: Executor;
  private readonly monitor: EventLoopMonitor;
  private readonly claims: ClaimLoop;
  private readonly reclaimer: Reclaimer;
  private readonly watch: ControlWatch;
  private readonly about = new AboutWorker();
  private readonly tally: Tally;
  private openKinds: readonly string[] = [];
  private stopped: Promise<void> | undefined;

  constructor(
    queue: JobQueue,
    handlers: HandlerRegistry,
    private readonly kinds: readonly string[],
    private readonly settings: WorkerSettings,
    private readonly events: JobsEvents,
  ) {
    this.watch = new ControlWatch(
      queue,
      settings,
      events,
      {
        about: () => this.report(),
        counts: (now) => this.tally.report(now),
        counted: (sent) => this.tally.sent(sent),
      },
      () => this.obey(),
    );
    const { gate } = this.watch;
    this.tally = new Tally(settings.workerId, events);
    this.executor = new Executor(queue, settings, events, gate);
    this.monitor = new EventLoopMonitor(settings, events, () => this.executor.held.runningKinds);
    const attempts = new AttemptFactory(handlers, settings);
    const claiming = { ...settings, kinds, kindLimits: limitsOf(kinds, handlers) };
    this.claims = new ClaimLoop(
      queue,
      this.executor,
      attempts,
      this.monitor,
      claiming,
      events,
      gate,
      (kind, ms) => this.tally.ran(kind, ms),
    );
    this.reclaimer = new Reclaimer(queue, this.executor, settings, events, () => this.claims.wake());
  }

  /** Whether more jobs may be ready than it can run now. */
  get isBehind(): boolean {
    return this.claims.isBehind;
  }

  get isStopping(): boolean {
    return this.stopped !== undefined;
  }

  /** One that stops is expected to do nothing any more. */
  get vitals(): WorkerVitals {
    if (this.isStopping) return { silentMs: 0, fencedMs: 0 };
    const { claims, watch } = this;
    return { silentMs: Math.max(claims.silentMs, watch.silentMs), fencedMs: watch.fencedMs };
  }

  start(): void {
    for (const part of [
      this.executor,
      this.monitor,
      this.reclaimer,
      this.about,
      this.tally,
      this.watch,
      this.claims,
    ])
      part.start();
  }

  stop(): Promise<void> {
    this.stopped ??= this.drain();
    return this.stopped;
  }

  private async drain(): Promise<void> {
    this.tellOfRunning();
    await endsWithin(this.everythingEnds(), this.settings.shutdownTimeoutMs);
    const { held } = this.executor;
    const { unfinished } = held;
    if (unfinished.length > 0)
      this.events.emit('shutdownTimedOut', { jobs: unfinished.map(({ job }) => job) });
    const givenBack = this.executor.giveBack(unfinished, new WorkerStoppedError());
    await endsWithin(
      Promise.all([givenBack, held.noneSettling(), this.claims.allGivenBack]),
      FINAL_WRITES_MS,
    );
    await Promise.all([
      this.executor.stop(),
      this.monitor.stop(),
      this.watch.stop(),
      this.about.stop(),
      this.tally.stop(),
    ]);
  }

  /** What operators have said since is in force when this returns. */
  private obey(): void {
    const { executor, kinds } = this;
    const { gate } = this.watch;
    for (const kind of kinds) {
      if (gate.isOpen(kind)) continue;
      const { unstarted, unfinished } = executor.held;
      const ofKind = ({ job }: HeldJob) => job.kind === kind;
      void executor.giveBack(unstarted.filter(ofKind), gate.reason(kind));
      if (gate.stopsRunning(kind)) executor.letGo(unfinished.filter(ofKind), gate.reason(kind));
    }
    const before = this.openKinds;
    this.openKinds = kinds.filter((kind) => gate.isOpen(kind));
    if (this.openKinds.some((kind) => !before.includes(kind))) this.claims.wake();
  }

  private report(): string {
    const { kinds, settings, executor } = this;
    const runningKinds: Record<string, number> = {};
    for (const kind of executor.held.runningKinds) runningKinds[kind] = (runningKinds[kind] ?? 0) + 1;
    const { isStopping: stopping } = this;
    return this.about.json({ kinds, concurrency: settings.concurrency, runningKinds, stopping });
  }

  private tellOfRunning(): void {
    const { shutdownTimeoutMs: timeoutMs } = this.settings;
    const jobs = this.executor.held.unfinished.map(({ job }) => job);
    if (jobs.length > 0) this.events.emit('shutdownWaits', { jobs, timeoutMs });
  }

  private async everythingEnds(): Promise<void> {
    const { held } = this.executor;
    await Promise.all([this.reclaimer.stop(), this.claims.stop()]);
    await held.noneRunning();
    await held.noneSettling();
  }
}

function limitsOf(kinds: readonly string[], handlers: HandlerRegistry): Map<string, number> {
  const limits = kinds.map((kind) => [kind, handlers.get(kind)?.options.concurrency] as const);
  return new Map(limits.filter((entry): entry is [string, number] => entry[1] !== undefined));
}
