import { DEFAULT_NAME, getWorkerToken } from '../nest/jobs.tokens.js';
import type { Worker } from '../worker/worker.js';
import { JobsTester, type DrainOptions } from './jobs-tester.js';
import type { RanJob } from './ran-job.js';
import { testerFor, type JobsApplication } from './testing.providers.js';

export interface DrainApplicationOptions extends DrainOptions {
  /** The `name` of the `JobsModule`. Default: the one without a name. */
  readonly name?: string;
}

/**
 * Runs everything that is due in an application, and what that enqueues, on whatever queue it has: for end-to-end tests
 * on a real database. A running worker is stopped for that time. Its jobs are awaited, but they are not in the returned
 * list; with `worker: false` every job is.
 *
 * @returns what it ran, in that order
 * @throws JobsError after `maxJobs`
 */
export async function drain(
  app: JobsApplication,
  { name = DEFAULT_NAME, ...options }: DrainApplicationOptions = {},
): Promise<RanJob[]> {
  const worker = app.get(getWorkerToken(name)) as JobsTester | Worker;
  if (worker instanceof JobsTester) return worker.drain(options);
  const { isRunning } = worker;
  await worker.stop();
  try {
    return await testerFor(app, name).drain(options);
  } finally {
    if (isRunning) await worker.start();
  }
}
