import type { JobsEvents } from '../events/jobs-events.js';
import type { Retention } from '../job/retention.js';
import type { ClaimedJob } from '../job/job.js';
import type { DequeueFn, JobQueue } from '../queue/job-queue.js';
import { pauseOf } from '../queue/kind-store.js';
import { Attempt, type AttemptPolicy } from './attempt.js';
import { Executor } from './executor.js';
import { refuseKind } from './handler-registry.js';

/** What `dequeue` needs to know, as the module's options say it. */
export interface DequeueSettings extends Pick<
  AttemptPolicy,
  'maxAttempts' | 'backoff' | 'timeoutMs' | 'keepResult' | 'minRetryDelayMs' | 'maxPayloadBytes' | 'isPanic'
> {
  readonly workerId: string;
  readonly leaseMs: number;
  readonly heartbeatMs: number;
  readonly maxCrashes: number;
  /** Which jobs are deleted with their settlement. Default: none. */
  readonly retention?: Retention;
  readonly events: JobsEvents;
}

/** Takes one ready job, runs `fn` on it and writes the outcome; see `JobQueue.dequeue`. */
export async function dequeue(
  queue: JobQueue,
  kinds: readonly string[],
  fn: DequeueFn,
  settings: DequeueSettings,
): Promise<boolean> {
  const controls = await queue.kinds.controls();
  const open = kinds.filter((kind) => pauseOf(controls, kind.trim()) === undefined);
  const claimedAt = performance.now();
  const job = open.length === 0 ? undefined : await claimOne(queue, open, settings);
  if (job === undefined) return false;
  const executor = new Executor(queue, settings, settings.events);
  executor.start();
  try {
    // A database that ignores blanks at the end of a text may hand over a row of another kind.
    const isWanted = kinds.some((kind) => kind.trim() === job.kind);
    const attempt = new Attempt(job, isWanted ? fn : refuseKind, settings);
    await executor.run(executor.hold(attempt, claimedAt, true));
    await executor.held.noneSettling();
    return true;
  } finally {
    await executor.stop();
  }
}

async function claimOne(
  queue: JobQueue,
  kinds: readonly string[],
  { workerId, leaseMs, maxCrashes }: DequeueSettings,
): Promise<ClaimedJob | undefined> {
  // Not the name of the worker in this process, which gives back what it does not know.
  const terms = { workerId: `${workerId}-dequeue`, leaseMs, alone: true };
  const [job] = await queue.claim(kinds, 1, terms);
  if (job !== undefined) return job;
  const reclaimed = await queue.reclaim(maxCrashes);
  return reclaimed.length === 0 ? undefined : (await queue.claim(kinds, 1, terms))[0];
}
