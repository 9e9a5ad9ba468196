import type { FindOptions, JobFilter } from '../../client/find-arguments.js';
import type { JobState } from '../../job/job-state.js';
import { DashboardRefusal } from '../web/refusal.js';

/** What the query of a page asks of jobs. */
export interface JobsQuery {
  readonly filter: JobFilter;
  readonly options: FindOptions;
}

const KNOWN = new Set([
  ...['state', 'kind', 'tag', 'id', 'key', 'schedule', 'error', 'payload', 'order', 'after', 'limit'],
  ...['createdAfter', 'createdBefore', 'runAfter', 'runBefore', 'updatedAfter', 'updatedBefore'],
]);

const DEFAULT_LIMIT = 50;

/**
 * Reads a query as api/job-screens.ts describes it. The client checks its values.
 * @throws DashboardRefusal for what is no parameter, and for what is no number where one is wanted
 */
export function jobsQuery(query: URLSearchParams): JobsQuery {
  for (const name of query.keys())
    if (!KNOWN.has(name))
      throw new DashboardRefusal('invalid', `There is no filter ${JSON.stringify(name)}.`);
  return { filter: filterOf(query), options: optionsOf(query) };
}

/** A required parameter. @throws DashboardRefusal */
export function required(query: URLSearchParams, name: string): string {
  const value = query.get(name);
  if (value === null || value === '')
    throw new DashboardRefusal('invalid', `The parameter ${name} is missing.`);
  return value;
}

/** Undefined where it is not there. @throws DashboardRefusal where it is no number */
export function numberOf(query: URLSearchParams, name: string): number | undefined {
  const value = query.get(name);
  if (value === null || value === '') return undefined;
  const number = Number(value);
  if (Number.isFinite(number)) return number;
  throw new DashboardRefusal('invalid', `${name} is ${JSON.stringify(value)}; it must be a number.`);
}

function filterOf(query: URLSearchParams): JobFilter {
  return {
    ...listed(query, 'state', (states) => ({ states: states as JobState[] })),
    ...listed(query, 'kind', (kinds) => ({ kinds })),
    ...listed(query, 'tag', (tags) => ({ tags })),
    ...listed(query, 'id', (ids) => ({ ids })),
    ...single(query, 'key', 'uniqueKey'),
    ...single(query, 'schedule', 'schedule'),
    ...single(query, 'error', 'error'),
    ...listed(query, 'payload', (conditions) => ({ payload: payloadOf(conditions) })),
    ...instantsOf(query),
  };
}

function optionsOf(query: URLSearchParams): FindOptions {
  const order = query.get('order') ?? 'newest';
  const after = query.get('after');
  return {
    order: order as 'newest' | 'oldest',
    after: after === '' ? null : after,
    limit: numberOf(query, 'limit') ?? DEFAULT_LIMIT,
  };
}

function listed(query: URLSearchParams, name: string, make: (values: string[]) => JobFilter): JobFilter {
  const values = query.getAll(name).filter((value) => value !== '');
  return values.length === 0 ? {} : make(values);
}

function single(query: URLSearchParams, name: string, field: keyof JobFilter): JobFilter {
  const value = query.get(name);
  return value === null || value === '' ? {} : { [field]: value };
}

const INSTANTS = [
  ...['createdAfter', 'createdBefore', 'runAfter', 'runBefore', 'updatedAfter', 'updatedBefore'],
] as const;

function instantsOf(query: URLSearchParams): JobFilter {
  const given = INSTANTS.flatMap((name) => {
    const millis = numberOf(query, name);
    return millis === undefined ? [] : [[name, new Date(millis)] as const];
  });
  return Object.fromEntries(given);
}

/** `customer.id=4711`, `name=Ada`: a value is JSON, or else a text. */
function payloadOf(conditions: readonly string[]): NonNullable<JobFilter['payload']> {
  const entries = conditions.map((condition) => {
    const end = condition.indexOf('=');
    if (end < 1)
      throw new DashboardRefusal(
        'invalid',
        `payload is ${JSON.stringify(condition)}; it must be a path, = and a value: customer.id=4711`,
      );
    return [condition.slice(0, end), valueOf(condition.slice(end + 1))] as const;
  });
  return Object.fromEntries(entries);
}

function valueOf(text: string): string | number | boolean | null {
  try {
    return JSON.parse(text) as string | number | boolean | null; // the client refuses objects and lists
  } catch {
    return text;
  }
}
