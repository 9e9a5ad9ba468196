import { endsWithin } from '../async/timers.js';
import type { JobsEvents } from '../events/jobs-events.js';
import type { Executor } from '../execution/executor.js';
import type { HeldJob } from '../execution/held-job.js';
import { WorkerStoppedError } from '../job/errors.js';
import type { Dispatcher } from './dispatcher.js';

export interface QuarantineSettings {
  readonly leaseMs: number;
  readonly maxCrashes: number;
}

/** For this share of the time of a lease the worker waits for the answer that a job is marked as running alone. */
const PATIENCE = 1 / 3;

/**
 * Runs the jobs whose workers have died under them. Each may have killed its worker, or may have been beside the job that
 * did. It is run with nothing beside it in its process: if the process dies again, this job was the reason.
 */
export class Quarantine {
  private isStopping = false;

  constructor(
    private readonly executor: Pick<Executor, 'held' | 'leases' | 'giveBack'>,
    private readonly dispatcher: Pick<Dispatcher, 'start'>,
    private readonly settings: QuarantineSettings,
    private readonly events: JobsEvents,
  ) {}

  /** Whether this is a job whose next crash would convict it. */
  includes({ job }: HeldJob): boolean {
    return job.crashes >= Math.max(1, this.settings.maxCrashes - 1);
  }

  /**
   * Runs suspects one after the other. Where the handlers that run do not end within the time of a lease, or an outcome
   * cannot be written, the suspects are not kept waiting any longer, and a crash then convicts none of them.
   */
  async run(suspects: readonly HeldJob[]): Promise<void> {
    let isAlone = await this.isQuiet();
    for (const [index, suspect] of suspects.entries()) {
      if (this.isStopping) return this.giveBack(suspects.slice(index));
      if (!isAlone) void this.dispatcher.start(suspect);
      else if (!(await this.setApart(suspect))) await this.giveBack([suspect]);
      else {
        await this.dispatcher.start(suspect);
        isAlone = await this.isQuiet();
      }
    }
  }

  stop(): void {
    this.isStopping = true;
  }

  /** Whether everything that ran here has ended and is written, within the time of a lease. */
  private isQuiet(): Promise<boolean> {
    const { held } = this.executor;
    return endsWithin(
      held.noneRunning().then(() => held.noneSettling()),
      this.settings.leaseMs,
    );
  }

  /**
   * Marks the job as running alone.
   *
   * @returns whether to run it. A job whose answer does not come is run: the storage may have written the mark, and would
   * convict the job when its lease runs out, without its ever having been started.
   */
  private async setApart(suspect: HeldJob): Promise<boolean> {
    if (isLost(suspect)) return false;
    const { job } = suspect;
    this.events.emit('quarantined', { job });
    let isOurs: boolean | undefined;
    const answer = this.executor.leases.markAlone(suspect).then(
      (isWritten) => {
        isOurs = isWritten;
      },
      (error: unknown) => this.events.emit('quarantineFailed', { job, error }),
    );
    await endsWithin(answer, this.settings.leaseMs * PATIENCE);
    return isOurs ?? !isLost(suspect);
  }

  private giveBack(suspects: readonly HeldJob[]): Promise<void> {
    return this.executor.giveBack(suspects, new WorkerStoppedError());
  }
}

function isLost({ lost }: HeldJob): boolean {
  return lost !== undefined;
}
