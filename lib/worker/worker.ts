import type { Startable } from '../async/loop.js';
import { inOwnContext } from '../async/own-context.js';
import type { JobsEvents } from '../events/jobs-events.js';
import type { HandlerRegistry } from '../execution/handler-registry.js';
import type { JobQueue } from '../queue/job-queue.js';
import type { WorkerState, WorkerVitals } from './pulse.js';
import { WorkerSession, type WorkerSettings } from './worker-session.js';

export type { WorkerState, WorkerVitals } from './pulse.js';

/**
 * Claims jobs of the kinds that have handlers here, runs them, and writes what they end in. The Nest lifecycle starts and
 * stops it; a worker that was stopped may be started again.
 */
export class Worker implements Startable {
  private session: WorkerSession | undefined;
  private stateBetween: Exclude<WorkerState, 'running' | 'stopping'> = 'unstarted';

  /** @param companions start and stop together with it */
  constructor(
    private readonly queue: JobQueue,
    private readonly handlers: HandlerRegistry,
    private readonly settings: WorkerSettings,
    private readonly events: JobsEvents,
    private readonly companions: readonly Startable[] = [],
  ) {}

  /** The kinds that this worker serves. */
  get kinds(): readonly string[] {
    const wanted = this.settings.kinds?.map((kind) => kind.trim());
    return this.handlers.kinds.filter((kind) => wanted === undefined || wanted.includes(kind));
  }

  /** Whether more jobs may be ready than it can run now. */
  get isBehind(): boolean {
    return this.session?.isBehind ?? false;
  }

  /** True from `start` until `stop` has resolved. */
  get isRunning(): boolean {
    return this.session !== undefined;
  }

  get state(): WorkerState {
    if (this.session === undefined) return this.stateBetween;
    return this.session.isStopping ? 'stopping' : 'running';
  }

  /** How its loops are; null where it does not run. */
  get vitals(): WorkerVitals | null {
    return this.session?.vitals ?? null;
  }

  /** @throws UnsupportedDatabaseError where a handler is transactional and the database cannot do that */
  check(): void {
    for (const kind of this.kinds)
      if (this.handlers.get(kind)!.options.transactional)
        this.queue.requireTransactionalHandlers(`kind ${kind}`);
  }

  /**
   * Begins to claim jobs. Does nothing where the worker runs already, or where it serves no kind.
   *
   * @throws UnsupportedDatabaseError where a handler is transactional and the database cannot do that
   */
  // eslint-disable-next-line @typescript-eslint/require-await -- a later kind of start may have to wait
  async start(): Promise<void> {
    if (this.session !== undefined) return;
    const { kinds, settings } = this;
    const { workerId, concurrency, retention } = settings;
    if (kinds.length === 0) {
      this.stateBetween = 'idle';
      this.events.emit('workerIdle', { workerId });
      return;
    }
    this.check();
    const session = new WorkerSession(this.queue, this.handlers, kinds, settings, this.events);
    this.session = session;
    inOwnContext('Worker', () => {
      session.start();
      for (const companion of this.companions) void companion.start();
    });
    this.events.emit('workerStarted', { workerId, concurrency, kinds });
    if (retention?.keepsAll === false) this.events.emit('retentionStarted', { retention });
  }

  /**
   * Stops claiming and lets running handlers finish for up to `shutdownTimeoutMs`. Then their signals abort, and their
   * jobs are given back: ready at once, with no attempt spent. Never rejects.
   */
  async stop(): Promise<void> {
    const { session } = this;
    if (session === undefined) return;
    await Promise.all([session.stop(), ...this.companions.map((companion) => companion.stop())]);
    if (this.session !== session) return;
    this.session = undefined;
    this.stateBetween = 'stopped';
    this.events.emit('workerStopped', { workerId: this.settings.workerId });
  }
}
