import type { JobConditions } from '../../job/job-conditions.js';
import type { JobFailure, JobReader } from '../../queue/job-reader.js';
import type { ErrorGroup, Errors } from '../api/screens.js';
import type { JobsSources } from '../jobs-sources.js';
import { identify } from './fingerprint.js';

/** How many failed jobs one page is made from. */
const MOST_JOBS = 10_000;
/** A page ends after so long, with what it has; a viewer goes on where it ended. */
const ENOUGH_MS = 150;
/** What one search looks for, and how many rows it looks at: failed jobs may be few among many. */
const SEARCH = { limit: 1_000, maxSearched: 100_000 };
/** The same where somebody waits: a search is not broken off. */
const SHORT_SEARCH = { limit: 250, maxSearched: 20_000 };
const IDS_SHOWN = 20;
/** How many groups a page shows: those with the most jobs. */
const GROUPS_SHOWN = 200;

/** Failed jobs by what they failed with. GET api/errors */
export async function errorsScreen({ queue, reads }: JobsSources, query: URLSearchParams): Promise<Errors> {
  const kinds = query.getAll('kind').filter((kind) => kind !== '');
  const begun = performance.now();
  const groups = new Map<string, Group>();
  let after = query.get('after') || null;
  let searched = 0;
  do {
    const from = after;
    const page = await reads.run(() => failedJobs(queue.reads, kinds, from, SHORT_SEARCH));
    for (const job of page.failures) add(groups, job);
    searched += page.failures.length;
    after = page.reached;
  } while (after !== null && searched < MOST_JOBS && performance.now() - begun < ENOUGH_MS);
  const now = await reads.run(() => queue.reads.now());
  const shown = [...groups.values()].toSorted((one, other) => other.count - one.count).slice(0, GROUPS_SHOWN);
  return { now: Math.floor(now), groups: shown.map(groupRow), searched, next: after };
}

export interface FailedJobs {
  /** The newest first. */
  readonly failures: readonly JobFailure[];
  /** Where to go on; null at the end. */
  readonly reached: string | null;
}

/** A page of the jobs that failed or panicked. @param kinds empty for all @param after an id, or null */
export async function failedJobs(
  reader: JobReader,
  kinds: readonly string[],
  after: string | null,
  search = SEARCH,
): Promise<FailedJobs> {
  const conditions: JobConditions = { states: ['failed', 'panic'], ...(kinds.length > 0 && { kinds }) };
  const bounds = { order: 'newest', after, ...search } as const;
  const { ids, reached } = await reader.search(conditions, bounds);
  const found = new Map((await reader.failures(ids)).map((failure) => [failure.id, failure]));
  return { failures: ids.flatMap((id) => found.get(id) ?? []), reached };
}

interface Group extends Omit<ErrorGroup, 'kinds' | 'jobIds'> {
  readonly kinds: Set<string>;
  readonly jobIds: string[];
  count: number;
  firstAt: number;
  lastAt: number;
}

function add(groups: Map<string, Group>, { id, kind, lastError, updatedAt }: JobFailure): void {
  const identity = identify(lastError);
  const at = updatedAt.getTime();
  const group = groups.get(identity.fingerprint);
  if (group === undefined) {
    const first = { count: 1, firstAt: at, lastAt: at, kinds: new Set([kind]), jobIds: [id] };
    groups.set(identity.fingerprint, { ...identity, ...first });
    return;
  }
  group.count += 1;
  group.firstAt = Math.min(group.firstAt, at);
  group.lastAt = Math.max(group.lastAt, at);
  group.kinds.add(kind);
  if (group.jobIds.length < IDS_SHOWN) group.jobIds.push(id);
}

function groupRow({ kinds, ...group }: Group): ErrorGroup {
  return { ...group, kinds: [...kinds].toSorted() };
}
