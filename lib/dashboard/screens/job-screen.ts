import { MAX_SEARCHED } from '../../client/find-arguments.js';
import type { Job } from '../../job/job.js';
import type { JobAttempt } from '../../job/job-attempt.js';
import type { AttemptRow, JobPage, Shown } from '../api/job-screens.js';
import type { JobsSources } from '../jobs-sources.js';
import type { Part } from '../values/redaction.js';
import { shown } from '../values/shown.js';
import { DashboardRefusal } from '../web/refusal.js';
import { jobLog } from './job-log.js';
import { jobRow, millisOf } from './job-row.js';

/** GET api/job */
export async function jobScreen(sources: JobsSources, id: string): Promise<JobPage> {
  const { jobs, queue, reads, redaction, traceLinks } = sources;
  const job = await readJob(sources, id);
  const [now, attempts, logs, explanation, neighbours] = await Promise.all([
    reads.run(() => queue.reads.now()),
    reads.run(() => jobs.attempts(id)),
    reads.run(() => jobLog(queue.reads, job)),
    reads.run(() => jobs.explain(id)),
    neighboursOf(sources, job),
  ]);
  const part = (name: Part): Shown => {
    const { value, isRedacted } = redaction.of(job, name);
    return shown(value, isRedacted, job[name]);
  };
  const traceId = traceIdOf(job.traceContext) ?? traceIdOf(job.carried);
  return {
    now: Math.floor(now),
    job: {
      ...jobRow(job),
      tick: millisOf(job.tick),
      cancelReason: job.cancelReason ?? null,
      lockedUntil: millisOf(job.lockedUntil),
      payloadVersion: job.payloadVersion,
      backoff: job.backoff ?? null,
      lastError: job.lastError ?? null,
      ...{ payload: part('payload'), result: part('result'), carried: part('carried') },
      traceId,
      traceUrl: traceId === null ? null : traceLinks.of(traceId, job),
    },
    attempts: attempts.map(attemptRow),
    logs,
    explain: explanation.reasons.map(({ code, text }) => ({ code, text })),
    neighbours,
  };
}

/** @throws DashboardRefusal where there is none */
export async function readJob({ jobs, reads }: JobsSources, id: string): Promise<Job> {
  const job = await reads.run(() => jobs.get(id));
  if (job !== null) return job;
  throw new DashboardRefusal(
    'not-found',
    `There is no job ${JSON.stringify(id)}. It was never committed, was deleted, or has ended so long ago that it is not kept.`,
  );
}

/** Both are left out where they are not found in time: the page is about the job. */
async function neighboursOf(
  { queue, reads }: JobsSources,
  { id, kind }: Job,
): Promise<JobPage['neighbours']> {
  const next = async (order: 'newest' | 'oldest') => {
    const bounds = { order, after: id, limit: 1, maxSearched: MAX_SEARCHED };
    const found = await reads.run(() => queue.reads.search({ kinds: [kind] }, bounds)).catch(() => null);
    return found?.ids[0] ?? null;
  };
  const [older, newer] = await Promise.all([next('newest'), next('oldest')]);
  return { older, newer };
}

function attemptRow({ attempt, worker, startedAt, endedAt, outcome, error, nextAt }: JobAttempt): AttemptRow {
  return {
    ...{ attempt, worker: worker ?? null, startedAt: millisOf(startedAt), endedAt: endedAt.getTime() },
    ...{ outcome, error: error ?? null, nextAt: millisOf(nextAt) },
  };
}

/** From `traceparent`, as telemetry or a carrier wrote it, wherever it is in what the job takes along: `00-<32 digits>-<16 digits>-01`. */
function traceIdOf(carried: unknown): string | null {
  const text = carried === undefined || carried instanceof Uint8Array ? '' : JSON.stringify(carried);
  return /"traceparent":"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}/i.exec(text)?.[1] ?? null;
}
