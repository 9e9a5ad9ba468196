import type { Startable } from '../async/loop.js';
import { endsWithin } from '../async/timers.js';
import type { JobsEvents } from '../events/jobs-events.js';
import type { AttemptPolicy } from '../execution/attempt.js';
import { Executor } from '../execution/executor.js';
import { AttemptFactory, type HandlerRegistry } from '../execution/handler-registry.js';
import { WorkerStoppedError } from '../job/errors.js';
import type { JobQueue } from '../queue/job-queue.js';
import { ClaimLoop } from './claim-loop.js';
import { EventLoopMonitor } from './event-loop-monitor.js';
import { Reclaimer } from './reclaimer.js';

export interface WorkerSettings extends AttemptPolicy {
  readonly workerId: string;
  readonly concurrency: number;
  readonly pollIntervalMs: number;
  readonly leaseMs: number;
  readonly heartbeatMs: number;
  readonly shutdownTimeoutMs: number;
  readonly maxCrashes: number;
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
  private stopped: Promise<void> | undefined;

  constructor(
    queue: JobQueue,
    handlers: HandlerRegistry,
    kinds: readonly string[],
    private readonly settings: WorkerSettings,
    private readonly events: JobsEvents,
  ) {
    this.executor = new Executor(queue, settings, events);
    this.monitor = new EventLoopMonitor(settings, events, () => this.executor.held.runningKinds);
    const attempts = new AttemptFactory(handlers, settings);
    const claiming = { ...settings, kinds, kindLimits: limitsOf(kinds, handlers) };
    this.claims = new ClaimLoop(queue, this.executor, attempts, this.monitor, claiming, events);
    this.reclaimer = new Reclaimer(queue, this.executor, settings, events, () => this.claims.wake());
  }

  start(): void {
    for (const part of [this.executor, this.monitor, this.reclaimer, this.claims]) part.start();
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
    await Promise.all([this.executor.stop(), this.monitor.stop()]);
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
