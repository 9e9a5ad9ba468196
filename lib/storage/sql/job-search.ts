import { compareIds } from '../../job/id-order.js';
import type { JobConditions } from '../../job/job-conditions.js';
import type { JobState } from '../../job/job-state.js';
import type { CountBounds, CountedJobs, SearchBounds, SearchedJobs } from '../../queue/job-reader.js';
import type { FindsDialect, FoundInPart, SearchedPart } from './finds-dialect.js';
import type { Sql } from './sql.js';

/** Sends a statement; each may go over another connection. */
export type Ask = <T>(statement: (sql: Sql) => Promise<T>) => Promise<T>;

/** How many rows one statement reads at most. */
const ROWS_AT_ONCE = 20_000;
/** A search that has found too little reads so many times as many rows by its next statement. */
const GROWTH = 8;
const FEWEST_ROWS = 200;
/** Where no more jobs than this have not ended, they are named; otherwise the search goes along the primary key. */
const MAX_NAMED = 10_000;

const WAITING: readonly JobState[] = ['scheduled', 'blocked', 'ready', 'retrying'];
const RUNNING: readonly JobState[] = ['running', 'stopping'];

/** Looks for jobs in parts that grow for as long as little is found: most searches end with their first statement. */
export async function searchJobs(
  ask: Ask,
  finds: FindsDialect,
  conditions: JobConditions,
  { order, after, limit, maxSearched }: SearchBounds,
): Promise<SearchedJobs> {
  const walk = new Walk(await sourceOf(ask, finds, conditions), order === 'newest', after);
  const ids: string[] = [];
  let searched = 0;
  let rows = Math.max(FEWEST_ROWS, 2 * limit);
  while (!walk.isAtEnd && ids.length < limit && searched < maxSearched) {
    const part = walk.next(Math.min(rows, ROWS_AT_ONCE, maxSearched - searched));
    const left = limit - ids.length;
    const found = await ask((sql) => finds.search(sql, part, conditions, left));
    ids.push(...found.ids);
    searched += found.searched;
    walk.took(part, found, found.ids.length === left);
    rows *= GROWTH;
  }
  return { ids, searched, reached: walk.isAtEnd ? null : walk.reached };
}

/** Counts jobs in parts none of which has many more jobs than are to be counted. */
export async function countJobs(
  ask: Ask,
  finds: FindsDialect,
  conditions: JobConditions,
  { cap, maxSearched }: CountBounds,
): Promise<CountedJobs> {
  const walk = new Walk(await sourceOf(ask, finds, conditions), false, null);
  let value = 0;
  let searched = 0;
  while (!walk.isAtEnd && value <= cap && searched < maxSearched) {
    const rows = Math.max(FEWEST_ROWS, cap + 1 - value);
    const part = walk.next(Math.min(rows, ROWS_AT_ONCE, maxSearched - searched));
    const counted = await ask((sql) => finds.count(sql, part, conditions));
    value += counted.matched;
    searched += counted.total;
    walk.took(part, counted, false);
  }
  return { value: Math.min(value, cap), isCapped: value > cap || !walk.isAtEnd };
}

/** What a search goes along: the jobs that are named, or an index. */
type Source = { readonly ids: readonly string[] } | { readonly label: string | null };

async function sourceOf(ask: Ask, finds: FindsDialect, conditions: JobConditions): Promise<Source> {
  const { ids, kinds = null, uniqueKey, labels, states } = conditions;
  if (ids !== undefined) return { ids };
  if (uniqueKey !== undefined && kinds !== null)
    return named(await ask((sql) => finds.holders(sql, kinds, uniqueKey)));
  if (labels?.[0] !== undefined) return { label: labels[0] };
  if (states?.every((state) => WAITING.includes(state) || RUNNING.includes(state)) !== true)
    return { label: null };
  const waiting = states.some((state) => WAITING.includes(state));
  const running = states.some((state) => RUNNING.includes(state));
  const open = await ask((sql) => finds.open(sql, { waiting, running, kinds }, MAX_NAMED + 1));
  return open.length > MAX_NAMED ? { label: null } : named(open);
}

function named(ids: readonly string[]): Source {
  return { ids: [...new Set(ids)].toSorted(compareIds) };
}

/** Goes along a source, part by part. */
class Walk {
  isAtEnd = false;
  reached: string | null;
  /** The ids that are left, where jobs are named. */
  private ids: readonly string[] | null = null;
  private readonly label: string | null = null;

  constructor(
    source: Source,
    private readonly isDescending: boolean,
    after: string | null,
  ) {
    this.reached = after;
    if ('label' in source) {
      this.label = source.label;
      return;
    }
    const ordered = isDescending ? source.ids.toReversed() : source.ids;
    const sign = isDescending ? -1 : 1;
    this.ids = after === null ? ordered : ordered.filter((id) => compareIds(id, after) * sign > 0);
    this.isAtEnd = this.ids.length === 0;
  }

  next(rows: number): SearchedPart {
    const { ids, label, isDescending } = this;
    if (ids !== null) return { ids: ids.slice(0, rows), isDescending };
    return { label, after: this.reached, isDescending, rows };
  }

  /** @param isCut whether the search has stopped within the part, at `reached` */
  took(part: SearchedPart, { total, reached }: Pick<FoundInPart, 'total' | 'reached'>, isCut: boolean): void {
    if ('ids' in part) {
      this.reached = isCut ? reached : part.ids.at(-1)!;
      this.ids = this.ids!.slice(this.ids!.indexOf(this.reached!) + 1);
      this.isAtEnd = this.ids.length === 0;
      return;
    }
    this.reached = reached ?? this.reached;
    this.isAtEnd = !isCut && total < part.rows;
  }
}
