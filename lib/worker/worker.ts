import { Attempt, type AttemptPolicy } from '../job/attempt.js';
import { describeError } from '../job/describe-error.js';
import { WorkerStoppedError } from '../job/errors.js';
import { policyOf, type Handler, type HandlerRegistry } from '../job/handler.js';
import type { ClaimedJob } from '../job/job.js';
import type { JobsLogger } from '../job/logger.js';
import { endsWithin } from '../job/timers.js';
import { JobRun } from '../queue/job-run.js';
import type { JobQueue } from '../queue/job-queue.js';
import type { Lease } from '../queue/lease.js';
import { LeaseKeeper } from '../queue/lease-keeper.js';
import { Settler } from '../queue/settler.js';
import { ClaimLoop } from './claim-loop.js';
import { LoopMonitor } from './loop-monitor.js';
import { Sweeper } from './sweeper.js';

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

/** How long a stop waits, after its time-out, for outcomes and releases to be written. */
const FINAL_WRITES_MS = 3_000;
/** How long a handler may go on after its signal has aborted before that is logged. */
const ABORT_GRACE_MS = 1_000;

/**
 * Claims jobs of the kinds that have handlers here, runs them, and writes what they end in.
 * Started and stopped by the Nest lifecycle; a worker that was stopped may be started again.
 */
export class Worker {
  private session: WorkerSession | undefined;

  constructor(
    private readonly queue: JobQueue,
    private readonly handlers: HandlerRegistry,
    private readonly settings: WorkerSettings,
    private readonly logger: JobsLogger,
  ) {}

  /** The kinds this worker serves. */
  get kinds(): readonly string[] {
    const wanted = this.settings.kinds?.map((kind) => kind.trim());
    return this.handlers.kinds.filter((kind) => wanted === undefined || wanted.includes(kind));
  }

  /** From `start` on, and until `stop` has resolved. */
  get isRunning(): boolean {
    return this.session !== undefined;
  }

  /**
   * Begins to claim jobs. Does nothing where the worker runs already, or where it serves no kind.
   *
   * @throws UnsupportedDatabaseError where a handler is transactional and the database does not allow for that
   */
  // eslint-disable-next-line @typescript-eslint/require-await -- a later kind of start may have to wait
  async start(): Promise<void> {
    if (this.session !== undefined) return;
    if (this.kinds.length === 0) {
      this.logger.log('No handlers, so no worker is started.');
      return;
    }
    const isTransactional = (kind: string) => this.handlers.get(kind)!.options.transactional;
    for (const kind of this.kinds.filter(isTransactional))
      this.queue.requireJointTransactions(`kind ${kind}`);
    const { workerId, concurrency } = this.settings;
    this.session = new WorkerSession(this.queue, this.handlers, this.kinds, this.settings, this.logger);
    this.logger.log(`Worker ${workerId} started: concurrency ${concurrency}, kinds ${listed(this.kinds)}.`);
  }

  /**
   * Stops claiming and lets running handlers finish until `shutdownTimeoutMs`. Then their signals abort, and what is
   * left is given back, ready at once and with no attempt spent. Never rejects.
   */
  async stop(): Promise<void> {
    const { session } = this;
    if (session === undefined) return;
    await session.stop();
    if (this.session !== session) return;
    this.session = undefined;
    this.logger.log(`Worker ${this.settings.workerId} stopped.`);
  }
}

/** A worker from its start to its stop. */
class WorkerSession {
  /** Claimed, and not started yet. */
  private readonly held = new Set<JobRun>();
  private readonly running = new Map<JobRun, Promise<void>>();
  private readonly policies = new Map<Handler, AttemptPolicy>();
  private readonly keeper: LeaseKeeper;
  private readonly settler: Settler;
  private readonly claims: ClaimLoop;
  private readonly sweeper: Sweeper;
  private readonly monitor: LoopMonitor;
  private stopped: Promise<void> | undefined;

  constructor(
    private readonly queue: JobQueue,
    private readonly handlers: HandlerRegistry,
    kinds: readonly string[],
    private readonly settings: WorkerSettings,
    private readonly logger: JobsLogger,
  ) {
    this.keeper = new LeaseKeeper(queue, settings, logger);
    this.settler = new Settler(queue, logger);
    this.monitor = new LoopMonitor(settings, logger, () =>
      [...this.running.keys()].map(({ job }) => job.kind),
    );
    this.claims = new ClaimLoop(queue, { ...settings, kinds, kindLimits: this.kindLimits(kinds) }, logger, {
      hold: (job, claimedAt) => this.hold(job, claimedAt),
      catchUp: () => this.keeper.catchUp(),
      leases: () => this.leases(),
      run: (run) => this.run(run),
      allWritten: () => this.settler.idle(),
      isBlocked: () => this.monitor.isBlocked,
      unwritten: () => this.settler.size,
      setApart: (run) => this.keeper.markAlone(run.lease),
      giveBack: (runs) => this.giveBack(runs),
    });
    const own = {
      catchUp: () => this.keeper.catchUp(),
      leases: () => [...this.keeper.leases, ...this.settler.leases],
    };
    this.sweeper = new Sweeper(queue, settings, logger, own, () => this.claims.wake());
  }

  stop(): Promise<void> {
    this.stopped ??= this.drain();
    return this.stopped;
  }

  private async drain(): Promise<void> {
    const loopsEnd = Promise.all([this.sweeper.stop(), this.claims.stop(), this.giveBack([...this.held])]);
    await endsWithin(this.allEnd(loopsEnd), this.settings.shutdownTimeoutMs);
    const unfinished = [...this.running.keys()].filter((run) => run.isUnfinished);
    if (unfinished.length > 0) {
      const ids = listed(unfinished.map(({ job }) => job.id));
      this.logger.warn(
        `${unfinished.length} jobs did not finish within shutdownTimeoutMs and are given back: ${ids}.`,
      );
    }
    await endsWithin(
      Promise.all([this.giveBack(unfinished), this.settler.idle(), this.claims.allGivenBack]),
      FINAL_WRITES_MS,
    );
    this.settler.abandon();
    this.monitor.stop();
  }

  private async allEnd(first: Promise<unknown>): Promise<void> {
    await first;
    await Promise.all(this.running.values());
    await this.settler.idle();
  }

  /** Of all jobs that are claimed, run, or have ended and are still to be written. */
  private leases(): Lease[] {
    const claimed = [...this.held, ...this.running.keys()].map(({ lease }) => lease);
    return [...claimed, ...this.settler.leases];
  }

  private hold(job: ClaimedJob, claimedAt: number): JobRun {
    const handler = this.handlers.get(job.kind)!;
    const attempt = new Attempt(job, handler.run, this.policyOf(handler));
    const { queue, keeper, settler, logger } = this;
    const run = new JobRun(attempt, claimedAt, { queue, keeper, settler, logger });
    this.held.add(run);
    return run;
  }

  private run(run: JobRun): Promise<void> {
    this.held.delete(run);
    const ends = run.run().then(() => this.ended(run));
    this.running.set(run, ends);
    return ends;
  }

  private ended(run: JobRun): Promise<void> | undefined {
    if (!run.attempt.hasEnded) return this.awaitStraggler(run);
    this.running.delete(run);
    return undefined;
  }

  /** A handler that goes on after its signal has aborted keeps its slot: what it uses is still in use. */
  private async awaitStraggler(run: JobRun): Promise<void> {
    const { attempt, job } = run;
    if (!(await endsWithin(attempt.ended, ABORT_GRACE_MS))) {
      const name = `job ${job.id} (kind ${job.kind}, attempt ${job.attemptsDone + 1})`;
      this.logger.warn(`The handler of ${name} ignores its aborted signal; it keeps its slot until it ends.`);
      await attempt.ended;
    }
    this.running.delete(run);
  }

  /** Ready at once for others, no attempt spent. What cannot be released others take when the lease has run out. */
  private async giveBack(runs: readonly JobRun[]): Promise<void> {
    if (runs.length === 0) return;
    for (const run of runs) {
      this.held.delete(run);
      run.giveBack(new WorkerStoppedError());
    }
    try {
      await this.queue.release(runs.map(({ lease }) => lease));
    } catch (error) {
      const ids = listed(runs.map(({ job }) => job.id));
      this.logger.error(
        `Could not give back ${ids}; others take them when their leases run out: ${describeError(error)}`,
      );
    }
  }

  private policyOf(handler: Handler): AttemptPolicy {
    let policy = this.policies.get(handler);
    if (policy === undefined) this.policies.set(handler, (policy = policyOf(handler.options, this.settings)));
    return policy;
  }

  private kindLimits(kinds: readonly string[]): Map<string, number> {
    const limits = kinds.map((kind) => [kind, this.handlers.get(kind)?.options.concurrency] as const);
    return new Map(limits.filter((entry): entry is [string, number] => entry[1] !== undefined));
  }
}

/** Names for a message, not too many. */
function listed(names: readonly string[]): string {
  const shown = names.slice(0, 20).join(', ');
  return names.length > 20 ? `${shown} and ${names.length - 20} more` : shown;
}
