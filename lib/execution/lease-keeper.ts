import { Loop, type Startable } from '../async/loop.js';
import { sleep } from '../async/timers.js';
import type { JobsEvents } from '../events/jobs-events.js';
import { LeaseLostError } from '../job/errors.js';
import type { JobQueue } from '../queue/job-queue.js';
import type { RenewalAnswer, StopRequest } from '../queue/lease.js';
import type { HeldJob } from './held-job.js';
import type { HeldJobs } from './held-jobs.js';

export interface LeaseKeeperSettings {
  readonly leaseMs: number;
  readonly heartbeatMs: number;
}

/**
 * How often within a heartbeat the keeper looks at its leases, and so how soon a renewal that failed, or met a locked
 * row, is tried again.
 */
const LOOKS_PER_HEARTBEAT = 4;
/** For this share of the time of a lease the answer to a renewal is awaited: a lost connection must not take it all. */
const ANSWER_SHARE = 1 / 2;

/**
 * Renews the leases of held jobs, all in one call. A renewal that fails is tried again until the lease has really ended.
 * Only then, or where the storage answers that it is lost, does the signal of the attempt abort. Of a job whose outcome is
 * on its way that answer says nothing: the lease is gone with the outcome, too.
 */
export class LeaseKeeper implements Startable {
  private readonly loop = new Loop((signal) => this.lookLater(signal));
  private lastLook = 0;
  private lastRenewal = 0;
  /** When the renewal under way was sent. */
  private sentAt: number | undefined;
  /** In a row. */
  private failures = 0;

  constructor(
    private readonly queue: Pick<JobQueue, 'renew' | 'refusesContent'>,
    private readonly held: HeldJobs,
    private readonly settings: LeaseKeeperSettings,
    private readonly events: JobsEvents,
    /** Is told of jobs that are asked to end. */
    private readonly onStop: (job: HeldJob, request: StopRequest) => void,
  ) {}

  start(): void {
    this.lastLook = this.lastRenewal = performance.now();
    this.loop.start();
  }

  /** Does not wait for a renewal that is under way: its answer concerns no job any more. */
  stop(): Promise<void> {
    return this.loop.stop();
  }

  /** Records that the job runs alone from now on. @returns whether the lease is still ours */
  async markAlone(job: HeldJob): Promise<boolean> {
    job.alone = true;
    const { leaseMs } = this.settings;
    const [answer] = await this.queue.renew([job], leaseMs, Math.ceil(leaseMs * ANSWER_SHARE));
    if (answer === 'lost') this.lose(job, 'another worker has it');
    if (typeof answer === 'object') this.onStop(job, answer);
    return answer === 'written';
  }

  /**
   * Renews the leases of these jobs, if they are held here, to find out whether they are asked to end. Never rejects.
   * @param ids null for all
   */
  async checkStops(ids: readonly string[] | null): Promise<void> {
    const wanted = ids === null ? null : new Set(ids);
    const leased = this.held.renewable.filter(({ id }) => wanted?.has(id) ?? true);
    if (leased.length > 0) await this.renew(leased, performance.now(), false);
  }

  /** Renews at once where a lease has run out: the process stood still, or a claim was answered late. Never rejects. */
  async catchUp(): Promise<void> {
    const now = performance.now();
    const leased = this.held.renewable;
    if (leased.some(({ endsAt }) => now >= endsAt)) await this.renew(leased, now, true);
  }

  private async lookLater(signal: AbortSignal): Promise<void> {
    if (await sleep(this.settings.heartbeatMs / LOOKS_PER_HEARTBEAT, signal)) this.look();
  }

  private look(): void {
    const now = performance.now();
    // After a freeze of the whole process an answer may be waiting to be read: judge at the next look.
    const isFrozen = now - this.lastLook > this.settings.heartbeatMs;
    this.lastLook = now;
    const isStuck = this.sentAt !== undefined && now - this.sentAt >= this.settings.heartbeatMs;
    if (isStuck && !isFrozen) this.loseEnded('its renewal is not answered');
    if (this.sentAt !== undefined && !isStuck) return;
    const leased = this.held.renewable;
    if (leased.length === 0) this.lastRenewal = now;
    const isDue = now - this.lastRenewal >= this.settings.heartbeatMs;
    const renewed = leased.filter(({ isBusy }) => isDue || isBusy);
    if (renewed.length > 0) void this.renew(renewed, now, isDue);
  }

  /** @param areAll the next heartbeat counts from here */
  private async renew(renewed: readonly HeldJob[], now: number, areAll: boolean): Promise<void> {
    this.sentAt = now;
    const refused = renewed.filter(({ isRenewalRefused }) => isRenewalRefused);
    const others = renewed.filter(({ isRenewalRefused }) => !isRenewalRefused);
    const areRenewed = await this.renewTogether(others, now);
    if (areAll && areRenewed) this.lastRenewal = Math.max(this.lastRenewal, now);
    const areAllRenewed = (await this.renewTogether(refused, now)) && areRenewed;
    if (this.sentAt === now) this.sentAt = undefined;
    if (areAllRenewed) this.recovered();
  }

  /** Those whose content the storage refuses hold back no others. @returns whether the others are renewed */
  private async renewTogether(jobs: readonly HeldJob[], now: number): Promise<boolean> {
    if (jobs.length === 0) return true;
    try {
      const { leaseMs } = this.settings;
      const answers = await this.queue.renew(jobs, leaseMs, Math.ceil(leaseMs * ANSWER_SHARE));
      for (const [index, job] of jobs.entries()) this.answered(job, answers[index]!, now);
      return true;
    } catch (error) {
      const isRefused = this.queue.refusesContent(error);
      if (isRefused && jobs.length > 1) return this.renewInHalves(jobs, now);
      this.failed(jobs, error);
      if (isRefused) jobs[0]!.isRenewalRefused = true;
      return isRefused;
    }
  }

  private async renewInHalves(jobs: readonly HeldJob[], now: number): Promise<boolean> {
    const half = Math.ceil(jobs.length / 2);
    const isFirstRenewed = await this.renewTogether(jobs.slice(0, half), now);
    return (await this.renewTogether(jobs.slice(half), now)) && isFirstRenewed;
  }

  private answered(job: HeldJob, answer: RenewalAnswer, now: number): void {
    job.isBusy = answer === 'busy' || answer === 'stale';
    job.isRenewalRefused = false;
    if (answer === 'written' || typeof answer === 'object') job.endsAt = now + this.settings.leaseMs;
    if (typeof answer === 'object') this.onStop(job, answer);
    if (job.mayBeSettled) return; // its settlement tells whether it is lost
    if (answer === 'lost') this.lose(job, 'another worker has it');
    if (answer === 'stale' && performance.now() >= job.endsAt)
      this.lose(job, 'the storage has forgotten its claim');
  }

  private failed(jobs: readonly HeldJob[], error: unknown): void {
    this.failures += 1;
    this.events.emit('renewFailed', { count: jobs.length, error, failures: this.failures });
    this.loseEnded('it could not be renewed');
  }

  private recovered(): void {
    if (this.failures === 0 || this.held.renewable.some(({ isRenewalRefused }) => isRenewalRefused)) return;
    this.events.emit('renewRecovered', { failures: this.failures });
    this.failures = 0;
  }

  private loseEnded(problem: string): void {
    const now = performance.now();
    for (const job of this.held.renewable)
      if (now >= job.endsAt) this.lose(job, `it has run out, ${problem}`);
  }

  private lose(job: HeldJob, problem: string): void {
    if (job.lost !== undefined || job.lease === 'over') return;
    const error = new LeaseLostError(job.id, problem);
    this.held.lose(job, error);
    this.events.emit('lost', { job: job.job, error });
    job.attempt.abort(error);
  }
}
