import { Loop, type Startable } from '../async/loop.js';
import { ExponentialPause, pollPauseMs } from '../async/pauses.js';
import type { JobsEvents } from '../events/jobs-events.js';
import type { Executor } from '../execution/executor.js';
import type { AttemptFactory } from '../execution/handler-registry.js';
import type { HeldJob } from '../execution/held-job.js';
import { OPEN_GATE, type StartGate } from '../execution/start-gate.js';
import { WorkerStoppedError } from '../job/errors.js';
import type { ClaimedJob } from '../job/job.js';
import type { JobQueue } from '../queue/job-queue.js';
import { bytesOf } from '../job/payload-size.js';
import { Arrivals } from './arrivals.js';
import { Backlog } from './backlog.js';
import { Dispatcher } from './dispatcher.js';
import type { EventLoopMonitor } from './event-loop-monitor.js';
import { Prefetch } from './prefetch.js';
import { Quarantine } from './quarantine.js';
import { isFull, Slots } from './slots.js';
import { ToldOutages } from './told-outages.js';
import { UnheldClaims } from './unheld-claims.js';

export interface ClaimLoopSettings {
  readonly workerId: string;
  readonly kinds: readonly string[];
  readonly kindLimits: ReadonlyMap<string, number>;
  readonly concurrency: number;
  readonly pollIntervalMs: number;
  readonly leaseMs: number;
  readonly maxCrashes: number;
}

/** A job that was claimed ahead and has not started by then is given back: the pace was misjudged. */
const MAX_WAIT_MS = 1_000;
/**
 * How many bytes of payloads a worker holds ready beyond those of running jobs. One job may be larger; it is then held
 * alone.
 */
const MAX_WAITING_BYTES = 16 * 1024 * 1024;
const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 5_000;

/**
 * Claims jobs for all free slots, and beyond them as many as will start within the next moment at the pace that it
 * measures. It starts them and then waits: for free slots where there may be more jobs, otherwise until it is woken or the
 * poll interval is over.
 */
export class ClaimLoop implements Startable {
  /** Once stopped: resolves when everything that was claimed and not started has been given back. */
  allGivenBack: Promise<unknown> = Promise.resolve();
  private readonly loop = new Loop((signal, succeeded) => this.turn(signal, succeeded), {
    pause: new ExponentialPause(FIRST_PAUSE_MS, MAX_PAUSE_MS),
    wait: (ms) => this.arrivals.wait(ms), // an enqueue that succeeds shows that the database is back
    onFailure: (error, failures) => this.failed(error, failures),
    onRecovery: (failures) => this.recovered(failures),
  });
  private readonly slots: Slots;
  private readonly dispatcher: Dispatcher;
  private readonly quarantine: Quarantine;
  private readonly prefetch: Prefetch;
  private readonly backlog: Backlog;
  private readonly arrivals: Arrivals;
  private claiming: Promise<unknown> = Promise.resolve();
  private isStopping = false;
  /** There may be more jobs: the last claim got all that it asked for, or failed. */
  private mayBeMore = true;
  private readonly unheld: UnheldClaims;
  private readonly outages = new ToldOutages();
  /** How many jobs to hold ready beyond the free slots. */
  private ahead = 0;
  /** The last claim brought a job whose worker died. If this worker dies too, few jobs should go with it. */
  private isCareful = false;

  constructor(
    private readonly queue: Pick<JobQueue, 'claim' | 'releaseUnheld' | 'watch'>,
    private readonly executor: Executor,
    private readonly attempts: AttemptFactory,
    private readonly monitor: Pick<EventLoopMonitor, 'isBlocked'>,
    private readonly settings: ClaimLoopSettings,
    private readonly events: JobsEvents,
    private readonly gate: StartGate = OPEN_GATE,
    private readonly ran: (kind: string, ms: number) => void = () => undefined,
  ) {
    this.arrivals = new Arrivals(queue, settings.kinds);
    this.unheld = new UnheldClaims(settings.leaseMs);
    this.slots = new Slots(settings.concurrency, settings.kindLimits, executor.held);
    this.backlog = new Backlog(executor, events);
    this.prefetch = new Prefetch(settings.concurrency);
    this.dispatcher = new Dispatcher(executor, this.slots, (kind, ms) => this.handlerEnded(kind, ms));
    this.quarantine = new Quarantine(executor, this.dispatcher, settings, events);
  }

  start(): void {
    this.loop.start();
  }

  /** There may be jobs to claim. */
  wake(): void {
    this.arrivals.wake();
  }

  /** Whether more jobs may be ready than it can run now. */
  get isBehind(): boolean {
    return this.mayBeMore;
  }

  /** How late its next step is, in milliseconds. */
  get silentMs(): number {
    return this.arrivals.pulse.silentMs;
  }

  /** Claims no more, and gives back what has not been started. */
  async stop(): Promise<void> {
    this.isStopping = true;
    this.quarantine.stop();
    this.arrivals.stop();
    const ends = this.loop.stop();
    this.allGivenBack = Promise.allSettled([this.giveBack(this.executor.held.unstarted), this.claiming]);
    await this.allGivenBack;
    await ends;
    this.arrivals.pulse.stop();
  }

  private async turn(signal: AbortSignal, succeeded: () => void): Promise<void> {
    this.arrivals.pulse.beat();
    if (!this.wantsMore()) await this.waitForJobs(signal);
    if (signal.aborted) return;
    this.arrivals.pulse.beat();
    const claimed = await (this.claiming = this.claim(signal));
    succeeded();
    await this.startAll(claimed);
  }

  private async claim(signal: AbortSignal): Promise<HeldJob[]> {
    await this.arrivals.pulse.during(this.backlog.isSmall(signal));
    if (this.isStopping) return [];
    if (this.unheld.isDue(performance.now())) await this.releaseUnheld();
    const claimedAt = performance.now();
    if (!this.mayBeMore || this.isCareful) this.prefetch.reset(claimedAt);
    this.ahead = this.monitor.isBlocked ? 0 : this.prefetch.ahead(claimedAt);
    const openKinds = this.settings.kinds.filter((kind) => this.gate.isOpen(kind));
    const kinds = openKinds.filter((kind) => this.slots.hasRoom(kind));
    const limit = this.room;
    if (kinds.length === 0 || limit <= 0 || this.freeBytes <= 0) {
      this.mayBeMore = openKinds.length > 0; // there is no room to find out
      return [];
    }
    const { workerId, leaseMs } = this.settings;
    const kindLimits = this.slots.room;
    const maxBytes = this.freeBytes;
    const claimed = await this.queue.claim(kinds, limit, { workerId, leaseMs, kindLimits, maxBytes });
    this.arrivals.claimed(claimed.length);
    this.mayBeMore = isFull(claimed, limit, kindLimits) || bytesOf(claimed) >= maxBytes;
    this.isCareful = claimed.some((job) => job.crashes > 0);
    return this.hold(claimed, claimedAt);
  }

  private async hold(claimed: readonly ClaimedJob[], claimedAt: number): Promise<HeldJob[]> {
    if (claimed.length > 0) this.events.emit('claimed', { jobs: claimed });
    const held = this.executor.holdAll(claimed, (job) => this.attempts.attempt(job), claimedAt);
    // The answer came late, so others may have the jobs by now. A lost job is not started.
    if (performance.now() - claimedAt >= this.settings.leaseMs) await this.executor.leases.catchUp();
    if (this.isStopping) {
      await this.giveBack(held);
      return [];
    }
    return this.openAmong(held);
  }

  /** Gives back those whose kinds have been closed while the claim was under way. @returns the others */
  private async openAmong(held: HeldJob[]): Promise<HeldJob[]> {
    const closed = held.filter(({ job }) => !this.gate.isOpen(job.kind));
    if (closed.length === 0) return held;
    await this.executor.giveBack(closed, this.gate.reason(closed[0]!.job.kind));
    return held.filter((job) => !closed.includes(job));
  }

  /** Gives back what a claim took whose answer was lost, so that others need not wait for the lease to run out. */
  private async releaseUnheld(): Promise<void> {
    const count = await this.queue.releaseUnheld(this.settings.workerId, this.executor.held.open);
    this.unheld.looked(performance.now());
    if (count > 0) this.events.emit('gaveBackUnheld', { count });
  }

  private async startAll(claimed: readonly HeldJob[]): Promise<void> {
    const suspects = claimed.filter((job) => this.quarantine.includes(job));
    if (suspects.length === 0) {
      this.dispatcher.add(claimed);
      if (this.isCareful) await this.giveBackWaiting();
      return;
    }
    await this.giveBack(claimed.filter((job) => !suspects.includes(job)));
    await this.giveBackWaiting();
    await this.arrivals.pulse.during(this.quarantine.run(suspects));
  }

  /** How many jobs may be claimed now. */
  private get room(): number {
    const { waitingCount } = this.executor.held;
    if (this.monitor.isBlocked) return this.isIdle && waitingCount === 0 ? 1 : 0;
    return this.slots.free + this.ahead - waitingCount;
  }

  /** How many bytes of payloads may be claimed now. */
  private get freeBytes(): number {
    return MAX_WAITING_BYTES - this.executor.held.waitingBytes;
  }

  private get isIdle(): boolean {
    return this.executor.held.runningCount === 0;
  }

  /** Whether the next claim should be sent at once: there may be more, and half of what is held ready has been used. */
  private wantsMore(): boolean {
    if (!this.mayBeMore) return false;
    const isLow = this.executor.held.waitingCount <= this.ahead / 2;
    if (!isLow || this.room <= 0 || this.freeBytes <= 0) return false;
    return this.settings.kinds.some((kind) => this.gate.isOpen(kind) && this.slots.hasRoom(kind));
  }

  private handlerEnded(kind: string, ms: number): void {
    this.prefetch.count(ms);
    this.ran(kind, ms);
    if (this.wantsMore() || this.slots.hasLimit(kind)) this.wake();
  }

  /** A busy worker need not be told of jobs. So the first wait only begins to listen, and another claim follows at once. */
  private async waitForJobs(signal: AbortSignal): Promise<void> {
    if (!this.arrivals.isWatching) {
      // Where handlers run already, an idle worker of another process may be faster.
      this.arrivals.watch(() => this.isIdle && this.room > 0);
      return;
    }
    const pollMs = pollPauseMs(this.settings.pollIntervalMs);
    const hasWaiting = this.executor.held.waitingCount > 0;
    await this.arrivals.wait(hasWaiting ? Math.min(pollMs, MAX_WAIT_MS) : pollMs);
    await this.arrivals.throttled(signal);
    if (this.monitor.isBlocked || this.dispatcher.hasWaitedLongerThan(MAX_WAIT_MS))
      await this.giveBackWaiting();
  }

  private async giveBackWaiting(): Promise<void> {
    this.prefetch.reset(performance.now());
    await this.giveBack(this.executor.held.waiting);
  }

  private giveBack(jobs: readonly HeldJob[]): Promise<void> {
    return this.executor.giveBack(jobs, new WorkerStoppedError());
  }

  private failed(error: unknown, failures: number): void {
    this.mayBeMore = true;
    const now = performance.now();
    this.unheld.failed(now);
    this.events.emit('claimFailed', { error, failures, isNews: this.outages.failed(failures, now) });
  }

  private recovered(failures: number): void {
    this.events.emit('claimRecovered', { failures, isNews: this.outages.recovered() });
  }
}
