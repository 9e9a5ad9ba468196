import { describeError } from '../job/describe-error.js';
import type { JobsLogger } from '../job/logger.js';
import { endsWithin } from '../job/timers.js';
import type { JobRun } from '../queue/job-run.js';
import type { ClaimedJobs } from './claim-loop.js';
import type { Dispatcher } from './dispatcher.js';
import type { Slots } from './slots.js';

/** For this share of the time of a lease the answer is awaited that a job is set apart. */
const PATIENCE = 1 / 3;

/**
 * Runs the jobs whose workers have died under them. Each may have killed them, or may have been beside the one that did.
 * It is run with nothing beside it in its process, so that if the process dies again, it is known which job it was.
 */
export class Suspects {
  private stopping = false;

  constructor(
    private readonly slots: Slots,
    private readonly dispatcher: Dispatcher,
    private readonly settings: { readonly leaseMs: number; readonly maxCrashes: number },
    private readonly logger: JobsLogger,
    private readonly jobs: Pick<ClaimedJobs, 'setApart' | 'giveBack' | 'allWritten'>,
  ) {}

  /** Whether this is a job whose next crash would convict it. */
  includes({ job }: JobRun): boolean {
    return job.crashes >= Math.max(1, this.settings.maxCrashes - 1);
  }

  /**
   * Runs them one after the other. Where the handlers that run do not end within the time of a lease, or an outcome cannot
   * be written, the suspects are not kept waiting any longer; a crash is then nobody's conviction.
   */
  async run(suspects: readonly JobRun[]): Promise<void> {
    let isAlone = await this.isQuiet();
    for (const [place, run] of suspects.entries()) {
      if (this.stopping) return this.giveBack(suspects.slice(place));
      if (!isAlone) void this.dispatcher.start(run);
      else if (!(await this.setApart(run))) await this.giveBack([run]);
      else {
        await this.dispatcher.start(run);
        isAlone = await this.isQuiet();
      }
    }
  }

  stop(): void {
    this.stopping = true;
  }

  /** Whether all that ran here has ended and is written, within the time of a lease. */
  private isQuiet(): Promise<boolean> {
    const end = this.dispatcher.allEnd().then(() => this.jobs.allWritten());
    return endsWithin(end, this.settings.leaseMs);
  }

  /**
   * @returns whether it is to be run. That it is where no answer comes, too: the storage may have written that the job
   * runs alone, and then it would be convicted when its lease runs out, without ever having been started.
   */
  private async setApart(run: JobRun): Promise<boolean> {
    if (isLost(run)) return false;
    const name = `Job ${run.job.id} (kind ${run.job.kind})`;
    this.logger.debug(`${name} runs alone after ${run.job.crashes} crashes.`);
    let isOurs: boolean | undefined;
    const answer = this.jobs.setApart(run).then(
      (written) => {
        isOurs = written;
      },
      (error: unknown) => {
        this.logger.warn(`${name} may not be marked as set apart from others: ${describeError(error)}`);
      },
    );
    await endsWithin(answer, this.settings.leaseMs * PATIENCE);
    return isOurs ?? !isLost(run);
  }

  private async giveBack(runs: readonly JobRun[]): Promise<void> {
    for (const { job } of runs) this.slots.gone(job.kind);
    await this.jobs.giveBack(runs);
  }
}

function isLost({ lease }: JobRun): boolean {
  return lease.lost !== undefined;
}
