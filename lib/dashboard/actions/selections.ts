import type { BulkFilter, BulkAnswer } from '../../client/bulk-arguments.js';
import type { JobFilter } from '../../client/find-arguments.js';
import { JOB_STATES, type JobState } from '../../job/job-state.js';
import type { Changed } from '../api/actions.js';
import { requireSearchable } from '../screens/jobs-screen.js';
import { jobsQuery } from '../screens/query.js';
import { DashboardRefusal } from '../web/refusal.js';
import type { ActionBody } from './action-body.js';
import type { Action, ActionContext, ActionDone } from './action.js';

/** How many jobs may be named by their ids. */
const MOST_IDS = 500;
/** How many of those are changed at once. */
const AT_ONCE = 8;
/** Of how many jobs it is told why they were not changed. */
const PROBLEMS_TOLD = 100;

/** What can be done to many jobs. */
export interface Selecting {
  /** The states in which a job can be changed so. */
  readonly states: readonly JobState[];
  /** @returns whether it was changed; false where it was not in such a state */
  readonly one: (context: ActionContext, id: string) => Promise<boolean>;
  readonly many: (context: ActionContext, filter: BulkFilter) => Promise<BulkAnswer>;
}

/** Jobs by their ids, or all that fit a filter. */
export function selecting({ states, one, many }: Selecting): Action<Changed> {
  return {
    role: 'act',
    mayGoOn: true,
    target: targetOf,
    isDryRun: (body) => body.flag('dryRun'),
    run: async (context) => {
      const ids = context.body.optionalTexts('ids', MOST_IDS);
      if (ids !== undefined && !context.body.flag('dryRun')) return each(ids, (id) => one(context, id));
      const filter = ids === undefined ? filterOf(context) : { ids };
      if (context.body.flag('dryRun')) return preview(context, filter, states);
      const isAll = Object.keys(filter).length === 0;
      const { matched, changed, conflicts } = await many(context, isAll ? { all: true } : filter);
      return done({ matched, changed, problems: [] }, conflictsTold(conflicts));
    },
  };
}

/** In words, for the audit. */
export function targetOf(body: ActionBody): string {
  const ids = body.optionalTexts('ids', MOST_IDS);
  if (ids === undefined) {
    const filter = body.optionalText('filter');
    return filter === '' ? 'all jobs' : `jobs with ${filter ?? 'no filter'}`;
  }
  const [first] = ids;
  return ids.length === 1 ? `job ${first!}` : `${ids.length} jobs: ${ids.join(', ')}`;
}

/** @throws DashboardRefusal */
export function filterOf({ body, redaction, mayReveal }: ActionContext): JobFilter {
  const text = body.optionalText('filter');
  if (text === undefined) throw new DashboardRefusal('invalid', 'Give ids, or a filter.');
  const { filter } = jobsQuery(new URLSearchParams(text));
  requireSearchable(redaction, filter, mayReveal);
  return filter;
}

/** How many jobs would be changed. It counts, and walks through no batches. */
async function preview(
  { jobs, reads }: ActionContext,
  filter: JobFilter,
  possible: readonly JobState[],
): Promise<ActionDone<Changed>> {
  const states = possible.filter((state) => filter.states?.includes(state) ?? true);
  if (states.length === 0) return done({ matched: 0, changed: 0, capped: false, problems: [] });
  const { value, capped } = await reads.run(() => jobs.count({ ...filter, states }));
  return done({ matched: value, changed: 0, capped, problems: [] });
}

/** One that cannot be changed holds back no other. */
export async function each(
  ids: readonly string[],
  change: (id: string) => Promise<boolean>,
): Promise<ActionDone<Changed>> {
  const problems: { id: string; problem: string }[] = [];
  let changed = 0;
  const tryOne = async (id: string) => {
    const problem = await change(id).then(
      (isChanged) => (isChanged ? null : NOT_POSSIBLE),
      (error: unknown) => (error as Error).message,
    );
    if (problem === null) changed += 1;
    else problems.push({ id, problem });
  };
  for (let place = 0; place < ids.length; place += AT_ONCE)
    await Promise.all(ids.slice(place, place + AT_ONCE).map(tryOne));
  const told = problems.slice(0, PROBLEMS_TOLD);
  const [first] = problems;
  return done(
    { matched: ids.length, changed, problems: told },
    first && `${problems.length} were not changed; ${first.id}: ${first.problem}`,
  );
}

const NOT_POSSIBLE = 'It is not in a state in which that can be done, or is gone.';

export function done(answer: Changed, problem?: string): ActionDone<Changed> {
  return { answer, changed: answer.changed, problem };
}

export function conflictsTold(conflicts: number): string | undefined {
  return conflicts === 0 ? undefined : `${conflicts} were left: another job has their unique key by now.`;
}

/** All states but these. */
export function without(...states: readonly JobState[]): readonly JobState[] {
  return JOB_STATES.filter((state) => !states.includes(state));
}
