import { deferred, type Deferred } from '../async/deferred.js';
import type { LeaseLostError } from '../job/errors.js';
import { sizeOfOutcome, type Outcome } from '../job/outcome.js';
import { LostAttempts } from './lost-attempts.js';
import type { HeldJob, HandlerState, KindCount, LeaseState, PendingSettlement } from './held-job.js';

interface Waiter extends Deferred<void> {
  readonly condition: () => boolean;
}

/**
 * Where every claimed job of a worker is, from its claim until its outcome is written and its handler has ended. The
 * claim loop, the dispatcher, the lease keeper and the settler ask here, and tell here what has become of a job.
 */
export class HeldJobs {
  readonly lostAttempts = new LostAttempts();
  /** By id. */
  private readonly jobs = new Map<string, HeldJob>();
  /** Those that this worker has claimed once more, after it had lost them and while they had not ended here. */
  private readonly superseded = new Set<HeldJob>();
  /** Waiting jobs, in the order in which they start. Jobs that stopped waiting otherwise are passed over. */
  private line: HeldJob[] = [];
  private waitingJobs = 0;
  private bytesWaiting = 0;
  private runningJobs = 0;
  private settlingJobs = 0;
  private unwrittenBytes = 0;
  private readonly byKind = new Map<string, KindCount>();
  private waiters: Waiter[] = [];

  add(job: HeldJob): void {
    const older = this.jobs.get(job.id);
    if (older !== undefined) this.superseded.add(older);
    this.jobs.set(job.id, job);
    job.kindCount = this.kindCountOf(job.job.kind);
    job.kindCount.count += 1;
  }

  /** The job may be started when there is a free slot. */
  queue(job: HeldJob): void {
    if (job.handler !== 'claimed') return;
    this.moveHandler(job, 'waiting');
    this.line.push(job);
  }

  /** Takes the next waiting job out of the line; undefined where none waits. */
  nextWaiting(): HeldJob | undefined {
    let job = this.line.shift();
    while (job !== undefined && job.handler !== 'waiting') job = this.line.shift();
    return job;
  }

  /** The handler is called. */
  start(job: HeldJob): void {
    this.moveHandler(job, 'running');
  }

  /** The handler has really ended. */
  end(job: HeldJob): void {
    this.moveHandler(job, 'ended');
    this.forgetIfDone(job);
  }

  /**
   * Takes over the lease of a job that is held already: the storage has forgotten its claim, as after a fail-over, and has
   * given it to the same worker again. The job must not be started twice.
   */
  adopt(job: HeldJob, leaseToken: number, endsAt: number): void {
    job.leaseToken = leaseToken;
    job.endsAt = endsAt;
    if (job.settlement !== undefined) job.settlement.leaseToken = leaseToken;
  }

  /** The lease is not ours any more. */
  lose(job: HeldJob, error: LeaseLostError): void {
    job.lost = error;
    this.lostAttempts.add(job.id);
    if (job.lease === 'held') this.moveLease(job, 'lost');
  }

  /** The outcome is on its way. */
  settle(job: HeldJob, settlement: PendingSettlement): void {
    job.settlement = settlement;
    this.moveLease(job, 'settling');
  }

  /** Another outcome is to be written in the place of the one that is on its way. */
  replaceOutcome(settlement: PendingSettlement, outcome: Outcome): void {
    this.unwrittenBytes += sizeOfOutcome(outcome) - sizeOfOutcome(settlement.outcome);
    settlement.outcome = outcome;
  }

  /** The lease has ended: the outcome is written or refused, or the job is given back or dropped. */
  close(job: HeldJob): void {
    this.moveLease(job, 'over');
    if (job.handler !== 'running') this.moveHandler(job, 'ended');
    this.forgetIfDone(job);
  }

  /** Jobs whose leases are to be renewed: ours as far as we know, and no outcome written yet. */
  get renewable(): HeldJob[] {
    return this.filter(({ lease, lost }) => lost === undefined && (lease === 'held' || lease === 'settling'));
  }

  /** Jobs whose leases are ours, or whose outcomes are still to be written. */
  get leases(): HeldJob[] {
    return this.filter(isLeased);
  }

  /** The job of this id that `leases` has, if it has one. */
  leaseOf(id: string): HeldJob | undefined {
    const newest = this.jobs.get(id);
    if (newest !== undefined && isLeased(newest)) return newest;
    return this.superseded.size === 0 ? undefined : this.leases.find((job) => job.id === id);
  }

  /** Jobs whose leases have not ended here, lost ones included. */
  get open(): HeldJob[] {
    return this.filter(({ lease }) => lease !== 'over');
  }

  /** Jobs that have not been started. */
  get unstarted(): HeldJob[] {
    return this.filter(({ handler }) => handler === 'claimed' || handler === 'waiting');
  }

  /** Jobs that wait for a slot. */
  get waiting(): HeldJob[] {
    return this.filter(({ handler }) => handler === 'waiting');
  }

  /** Jobs whose handlers are at work, with no outcome to be written yet. */
  get unfinished(): HeldJob[] {
    return this.filter(
      ({ handler, lease }) => handler === 'running' && (lease === 'held' || lease === 'lost'),
    );
  }

  /** Jobs whose outcomes are being written. */
  get settling(): HeldJob[] {
    return this.filter(({ lease }) => lease === 'settling');
  }

  /** The kind of each job whose handler runs at this moment. */
  get runningKinds(): string[] {
    return this.filter(({ handler }) => handler === 'running').map(({ job }) => job.kind);
  }

  get waitingCount(): number {
    return this.waitingJobs;
  }

  /** How large the payloads of waiting jobs are, in bytes. */
  get waitingBytes(): number {
    return this.bytesWaiting;
  }

  get runningCount(): number {
    return this.runningJobs;
  }

  get settlingCount(): number {
    return this.settlingJobs;
  }

  /** The size of the outcomes that are being written, approximately. */
  get settlingBytes(): number {
    return this.unwrittenBytes;
  }

  /** How many jobs of a kind are running or still to be started. */
  countOf(kind: string): number {
    return this.byKind.get(kind)?.count ?? 0;
  }

  /** Resolves when no handler runs. */
  noneRunning(): Promise<void> {
    return this.once(() => this.runningCount === 0);
  }

  /** Resolves when every outcome is written, refused or given up. */
  noneSettling(): Promise<void> {
    return this.once(() => this.settlingCount === 0);
  }

  private moveHandler(job: HeldJob, state: HandlerState): void {
    if (job.handler === state) return;
    this.countHandler(job, -1);
    job.handler = state;
    this.countHandler(job, 1);
    if (state === 'ended') job.kindCount!.count -= 1;
    this.tellWaiters();
  }

  private countHandler({ handler, job }: HeldJob, change: number): void {
    if (handler === 'running') this.runningJobs += change;
    if (handler !== 'waiting') return;
    this.waitingJobs += change;
    this.bytesWaiting += change * job.payloadSize;
  }

  private moveLease(job: HeldJob, state: LeaseState): void {
    this.countLease(job, -1);
    job.lease = state;
    this.countLease(job, 1);
    this.tellWaiters();
  }

  private countLease({ lease, settlement }: HeldJob, change: number): void {
    if (lease !== 'settling') return;
    this.settlingJobs += change;
    this.unwrittenBytes += change * sizeOfOutcome(settlement!.outcome);
  }

  private forgetIfDone(job: HeldJob): void {
    if (job.handler !== 'ended' || job.lease !== 'over') return;
    if (this.superseded.size === 0 || this.jobs.get(job.id) === job) this.jobs.delete(job.id);
    else this.superseded.delete(job);
  }

  private kindCountOf(kind: string): KindCount {
    let known = this.byKind.get(kind);
    if (known === undefined) this.byKind.set(kind, (known = { count: 0 }));
    return known;
  }

  private filter(wanted: (job: HeldJob) => boolean): HeldJob[] {
    return [...this.superseded, ...this.jobs.values()].filter(wanted);
  }

  private async once(condition: () => boolean): Promise<void> {
    if (condition()) return;
    const waiter: Waiter = { condition, ...deferred() };
    this.waiters.push(waiter);
    await waiter.promise;
  }

  private tellWaiters(): void {
    if (this.waiters.length === 0) return;
    const met = this.waiters.filter(({ condition }) => condition());
    if (met.length === 0) return;
    this.waiters = this.waiters.filter((waiter) => !met.includes(waiter));
    for (const { resolve } of met) resolve();
  }
}

function isLeased({ lease }: HeldJob): boolean {
  return lease === 'held' || lease === 'settling';
}
