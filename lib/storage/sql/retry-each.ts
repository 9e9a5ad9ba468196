import { DuplicateJobError } from '../../job/errors.js';
import type { JobRetry, JobStart, RetriedJobs } from '../../queue/job-editor.js';

/**
 * Retries jobs one by one, as those with a unique key must be: another job may have it by now.
 * @param retry tells whether it made the job ready
 */
export async function retryEach(
  jobs: readonly JobRetry[],
  retry: (id: string, start: JobStart) => Promise<boolean>,
): Promise<RetriedJobs> {
  let [retried, conflicts] = [0, 0];
  for (const { id, ...start } of jobs)
    try {
      if (await retry(id, start)) retried += 1;
    } catch (error) {
      if (!(error instanceof DuplicateJobError)) throw error;
      conflicts += 1;
    }
  return { retried, conflicts };
}
