import type { Startable } from '../async/loop.js';
import { inOwnContext } from '../async/own-context.js';
import { endsWithin } from '../async/timers.js';
import type { JobsEvents } from '../events/jobs-events.js';
import { JobCancelledError } from '../job/control-errors.js';
import type { ClaimedJob } from '../job/job.js';
import type { Outcome } from '../job/outcome.js';
import type { JobQueue } from '../queue/job-queue.js';
import type { Attempt } from './attempt.js';
import { attemptEnd } from './attempt-end.js';
import { HeldJob } from './held-job.js';
import { HeldJobs } from './held-jobs.js';
import { LeaseKeeper, type LeaseKeeperSettings } from './lease-keeper.js';
import { NoteWriter } from './note-writer.js';
import type { OutageState } from './outage.js';
import { Settler, type SettlerSettings } from './settler.js';
import { OPEN_GATE, type StartGate } from './start-gate.js';
import { StopHints } from './stop-hints.js';
import { runInTransaction } from './transactional-execution.js';

/** What an executor needs of its queue. */
export type ExecutorQueue = Pick<
  JobQueue,
  'renew' | 'settle' | 'refusesContent' | 'runAndSettle' | 'release' | 'edits' | 'notes'
>;

/** How long a handler may go on after its signal has aborted before an event tells of it. */
const ABORT_GRACE_MS = 1_000;

/**
 * Runs claimed jobs: keeps their leases, calls their handlers, writes their outcomes. A worker has one for all its jobs;
 * `dequeue` makes one for each.
 */
export class Executor implements Startable {
  readonly held = new HeldJobs();
  readonly leases: LeaseKeeper;
  private readonly settler: Settler;
  private readonly stopHints: StopHints;
  private readonly notes: NoteWriter;

  constructor(
    private readonly queue: ExecutorQueue,
    private readonly settings: LeaseKeeperSettings & SettlerSettings,
    private readonly events: JobsEvents,
    private readonly gate: StartGate = OPEN_GATE,
  ) {
    this.leases = new LeaseKeeper(queue, this.held, settings, events, (job, { reason }) =>
      this.stopJob(job, reason),
    );
    this.settler = new Settler(queue, this.held, settings, events);
    this.stopHints = new StopHints(queue.edits, this.leases);
    this.notes = new NoteWriter(queue, settings.leaseMs, events);
  }

  /** Why outcomes wait to be written, where that has failed. */
  get outage(): OutageState | undefined {
    return this.settler.currentOutage;
  }

  /** Begins to renew leases, and to listen for jobs that are asked to end. */
  start(): void {
    this.leases.start();
    this.stopHints.start();
  }

  /** Stops renewing leases, and gives up on outcomes that are not written yet. */
  async stop(): Promise<void> {
    this.settler.abandon();
    this.notes.stop();
    await Promise.all([this.stopHints.stop(), this.leases.stop()]);
  }

  /**
   * Takes a job that has been claimed; its lease is renewed from here on.
   *
   * @param claimedAt `performance.now()` from before the claim was sent
   * @param alone whether it was claimed to run with no other beside it
   */
  hold(attempt: Attempt, claimedAt: number, alone = false): HeldJob {
    const heldJob = new HeldJob(attempt, claimedAt + this.settings.leaseMs, alone);
    heldJob.noteSink = this.notes;
    this.held.add(heldJob);
    return heldJob;
  }

  /**
   * Takes jobs that have been claimed. One that is held already, with a token that has not risen since, goes on under its
   * new lease.
   *
   * @returns those that are new here
   */
  holdAll(
    jobs: readonly ClaimedJob[],
    attemptOf: (job: ClaimedJob) => Attempt,
    claimedAt: number,
  ): HeldJob[] {
    const isNew = (job: ClaimedJob) => {
      const known = this.held.leaseOf(job.id);
      if (known === undefined || job.leaseToken > known.leaseToken) return true;
      this.held.adopt(known, job.leaseToken, claimedAt + this.settings.leaseMs);
      return false;
    };
    return jobs.filter(isNew).map((job) => this.hold(attemptOf(job), claimedAt));
  }

  /**
   * Runs the attempt and begins to write its outcome. Gives the job back where the gate is closed to its kind. Resolves when
   * the handler has really ended, which may be long after its time was up. Never rejects.
   */
  async run(heldJob: HeldJob): Promise<void> {
    if (heldJob.lease !== 'held') {
      this.drop(heldJob);
      return;
    }
    if (!this.gate.isOpen(heldJob.job.kind)) {
      await this.giveBack([heldJob], this.gate.reason(heldJob.job.kind));
      return;
    }
    this.held.start(heldJob);
    this.events.emit('started', { job: heldJob.job });
    const outcome = await inOwnContext('Job', () => this.attempted(heldJob));
    if (heldJob.attempt.notes !== undefined) await this.flushNotes(heldJob);
    if (outcome !== undefined && heldJob.leaving === undefined) this.settle(heldJob, outcome);
    if (!heldJob.attempt.hasEnded) await this.reallyEnded(heldJob);
    if (heldJob.leaving !== undefined) await this.leave(heldJob, heldJob.leaving);
    this.held.end(heldJob);
  }

  /**
   * Tells handlers to stop, and gives their jobs back as they end: before that, another attempt could run beside one that does
   * not obey. What they still return is thrown away.
   */
  letGo(heldJobs: readonly HeldJob[], reason: Error): void {
    for (const heldJob of heldJobs) {
      heldJob.leaving = reason;
      heldJob.attempt.abort(reason);
    }
  }

  /** Makes jobs ready for others at once, no attempt spent, and throws away what their handlers still return. Never rejects. */
  async giveBack(heldJobs: readonly HeldJob[], reason: Error): Promise<void> {
    if (heldJobs.length === 0) return;
    for (const heldJob of heldJobs) this.drop(heldJob, reason);
    const jobs = heldJobs.map(({ job }) => job);
    const noted = heldJobs.filter(({ attempt }) => attempt.notes !== undefined);
    if (noted.length > 0) await this.notes.flush(noted);
    try {
      await this.queue.release(heldJobs);
      this.events.emit('gaveBack', { jobs });
    } catch (error) {
      this.events.emit('giveBackFailed', { jobs, error });
    }
  }

  /** Forgets a job, and with it whatever its handler returns. Its lease runs out unless it is released. */
  drop(heldJob: HeldJob, reason?: Error): void {
    this.held.close(heldJob);
    if (reason !== undefined) heldJob.attempt.abort(reason);
  }

  private async leave(heldJob: HeldJob, reason: Error): Promise<void> {
    if (heldJob.lease === 'held') await this.giveBack([heldJob], reason);
    else this.drop(heldJob);
  }

  /** A job that has not begun ends by being given back. One that runs ends when its handler does. */
  private stopJob(heldJob: HeldJob, reason: string | null): void {
    if (heldJob.isStopping || heldJob.lease !== 'held') return;
    heldJob.isStopping = true;
    const { job, handler } = heldJob;
    this.events.emit('stopRequested', { job, reason });
    const error = new JobCancelledError(job.id, reason);
    if (handler === 'running') heldJob.attempt.abort(error);
    else void this.giveBack([heldJob], error);
  }

  /** What a handler has noted last is written before its outcome. */
  private async flushNotes(heldJob: HeldJob): Promise<void> {
    if (heldJob.lease === 'held') await this.notes.flush([heldJob]);
  }

  /** Within what stands around attempts, if something does. @returns as `outcomeOf` */
  private attempted(heldJob: HeldJob): Promise<Outcome | undefined> {
    const watch = this.events.instrument?.process(heldJob.job);
    if (watch === undefined) return this.outcomeOf(heldJob);
    return watch.run(() =>
      this.outcomeOf(heldJob).then((outcome) => {
        watch.ended(attemptEnd(heldJob, outcome));
        return outcome;
      }),
    );
  }

  /** @returns undefined where there is nothing left to write */
  private outcomeOf(heldJob: HeldJob): Promise<Outcome | undefined> {
    const { attempt } = heldJob;
    return attempt.isTransactional ? this.outcomeInTransaction(heldJob) : attempt.run();
  }

  private async outcomeInTransaction(heldJob: HeldJob): Promise<Outcome | undefined> {
    const { job } = heldJob;
    const deletes = this.settings.retention?.deletesAtOnce(job.kind, 'DONE');
    const end = await runInTransaction(heldJob, this.queue, this.events, {
      deletes,
      notes: this.notes,
      onBegin: () => this.requireOpen(heldJob),
    });
    if (typeof end !== 'string') return end;
    this.held.close(heldJob);
    const { snoozed } = heldJob.attempt;
    heldJob.transactionEnd = end === 'lost' ? end : (snoozed?.type ?? 'done');
    if (end === 'lost') this.events.emit('transactionLost', { job });
    else if (snoozed === undefined) this.events.emit('settledInTransaction', { job });
    else this.events.emit('snoozed', { job, delayMs: snoozed.delayMs });
    return undefined;
  }

  /** A transaction may begin long after it was asked for. @throws why the gate is closed; the job is given back then */
  private requireOpen(heldJob: HeldJob): void {
    const { kind } = heldJob.job;
    if (heldJob.lease !== 'held' || this.gate.isOpen(kind)) return;
    const reason = this.gate.reason(kind);
    void this.giveBack([heldJob], reason);
    throw reason;
  }

  private settle(heldJob: HeldJob, outcome: Outcome): void {
    if (heldJob.lease === 'over') return; // given back
    if (heldJob.lease === 'held' || outcome.type === 'done') {
      this.settler.settle(heldJob, outcome);
      return;
    }
    // The handler obeyed the abort: what it threw says nothing about the job, which others will run again.
    this.drop(heldJob);
    this.events.emit('outcomeDropped', { job: heldJob.job });
  }

  /** A handler that goes on after its signal has aborted keeps its slot: what it uses is still in use. */
  private async reallyEnded({ attempt, job }: HeldJob): Promise<void> {
    if (await endsWithin(attempt.ended, ABORT_GRACE_MS)) return;
    this.events.emit('abortIgnored', { job });
    await attempt.ended;
  }
}
