import {
  MAX_SEARCHED,
  requireFilter,
  requireFindOptions,
  type JobFilter,
} from '../../client/find-arguments.js';
import { JobSearch, pageOf, type FoundPage } from '../../client/job-search.js';
import type { JobSummary } from '../../job/job.js';
import type { JobConditions } from '../../job/job-conditions.js';
import { JOB_STATES, type JobState } from '../../job/job-state.js';
import type { Counts, Jobs } from '../api/job-screens.js';
import type { Capped } from '../api/screens.js';
import type { JobsSources } from '../jobs-sources.js';
import { DashboardRefusal } from '../web/refusal.js';
import { jobRow } from './job-row.js';
import { jobsQuery, type JobsQuery } from './query.js';

/** GET api/jobs */
export async function jobsScreen(
  { queue, reads, redaction }: JobsSources,
  query: URLSearchParams,
  mayReveal: boolean,
): Promise<Jobs> {
  const asked = jobsQuery(query);
  requireSearchable(redaction, asked.filter, mayReveal);
  const [now, found] = await reads.run(() => Promise.all([queue.reads.now(), listJobs(queue, asked)]));
  const { next, searched, complete } = found;
  return { now: Math.floor(now), jobs: found.jobs.map(jobRow), next, searched, complete };
}

/** As `JobClient.find`, but without what jobs hold: a row that somebody else wrote hides no others. */
export async function listJobs(
  queue: JobsSources['queue'],
  { filter, options }: JobsQuery,
): Promise<FoundPage<JobSummary>> {
  const { order, after, limit } = requireFindOptions(options);
  const bounds = { order, after, limit: limit + 1, maxSearched: MAX_SEARCHED };
  const conditions = conditionsOf(queue, filter);
  return pageOf(await new JobSearch(queue.reads).list(conditions, bounds), limit);
}

function conditionsOf({ reads }: JobsSources['queue'], filter: JobFilter): JobConditions {
  return requireFilter(filter, (entity) => reads.entityTag(entity));
}

/** Counts do not go further. */
const CAP = 10_000;
/** Nor do they look at more jobs than that: beside a list they must not take longer than the list. */
const COUNT_SEARCHED = 30_000;

/** GET api/counts. Each state is counted by itself, so that a slow one does not hold back the others. */
export async function countsScreen(
  { queue, reads, redaction }: JobsSources,
  query: URLSearchParams,
  mayReveal: boolean,
): Promise<Counts> {
  const { states: _any, ...filter } = jobsQuery(query).filter;
  requireSearchable(redaction, filter, mayReveal);
  const search = new JobSearch(queue.reads);
  const conditions = conditionsOf(queue, filter);
  const count = async (state: JobState): Promise<Capped> => {
    const wanted = { ...conditions, states: [state] };
    const { value, isCapped } = await reads.run(() => search.count(wanted, CAP, COUNT_SEARCHED));
    return { value, capped: isCapped };
  };
  const counted = JOB_STATES.map(async (state) => [state, await count(state)] as const);
  return { states: Object.fromEntries(await Promise.all(counted)) as Counts['states'] };
}

/** @throws DashboardRefusal where the search would give away a value that this viewer may not see */
export function requireSearchable(
  redaction: JobsSources['redaction'],
  { kinds, payload }: JobFilter,
  mayReveal: boolean,
): void {
  if (payload === undefined || mayReveal) return;
  const hidden = Object.keys(payload).filter((path) => !redaction.maySearch(kinds, path.split('.')));
  if (hidden.length === 0) return;
  throw new DashboardRefusal(
    'forbidden',
    `Payloads may be hidden at ${hidden.join(', ')}, and a search would give them away. It takes the role "reveal", or a kind whose ` +
      'schema does not mark that value.',
  );
}
