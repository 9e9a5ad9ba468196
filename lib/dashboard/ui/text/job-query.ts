import type { StateName } from '../../api/screens.js';

/*
 * The query of the screen of jobs. Its names are those of api/jobs, so that it can be sent as it is.
 */

/** In the order in which a job goes through them. */
export const STATES = [
  'scheduled',
  'blocked',
  'ready',
  'retrying',
  'running',
  'stopping',
  'done',
  'failed',
  'panic',
  'cancelled',
] as const satisfies readonly StateName[];

/** What can be typed as `name:value`. */
const TYPED = ['kind', 'tag', 'id', 'key', 'schedule', 'error', 'payload'] as const;
/** Those of which there may be several. */
const REPEATED: readonly string[] = ['kind', 'tag', 'id', 'payload'];
const TIMES = ['created', 'run', 'updated'] as const;
const SIDES = ['After', 'Before'] as const;

export type TimeName = (typeof TIMES)[number];
export const TIME_NAMES: readonly TimeName[] = TIMES;

/** One condition, as it stands in the query. */
export interface Condition {
  readonly name: string;
  readonly value: string;
}

/** The conditions of a query, but for states, order and page. */
export function conditionsOf(query: URLSearchParams): readonly Condition[] {
  const names = [...TYPED, ...TIMES.flatMap((time) => SIDES.map((side) => `${time}${side}`))];
  return names.flatMap((name) => query.getAll(name).map((value) => ({ name, value })));
}

/** The query with a further condition, from its first page on. */
export function withCondition(query: URLSearchParams, { name, value }: Condition): string {
  const next = firstPage(query);
  if (next.getAll(name).includes(value)) return next.toString();
  if (REPEATED.includes(name)) next.append(name, value);
  else next.set(name, value);
  return next.toString();
}

export function withoutCondition(query: URLSearchParams, { name, value }: Condition): string {
  const next = firstPage(query);
  next.delete(name, value);
  return next.toString();
}

/** The query with other values for these names; null takes a name away. From its first page on. */
export function withValues(query: URLSearchParams, values: Readonly<Record<string, string | null>>): string {
  const next = firstPage(query);
  for (const [name, value] of Object.entries(values))
    if (value === null) next.delete(name);
    else next.set(name, value);
  return next.toString();
}

/** The query of api/counts, and the filter of an action on all that match: no view and no page. */
export function filterOf(query: URLSearchParams): string {
  const filter = new URLSearchParams();
  for (const state of query.getAll('state')) filter.append('state', state);
  for (const { name, value } of conditionsOf(query)) filter.append(name, value);
  return filter.toString();
}

/** The query of api/jobs. */
export function pageOf(query: URLSearchParams, limit: number): string {
  const page = new URLSearchParams(filterOf(query));
  for (const name of ['order', 'after']) {
    const value = query.get(name);
    if (value !== null) page.set(name, value);
  }
  page.set('limit', String(limit));
  return page.toString();
}

const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i;
const TERM = /([a-z]+):("[^"]*"|\S+)|"([^"]*)"|(\S+)/gi;

/**
 * What somebody typed into the search, as conditions: `kind:mail tag:eu`, an id, the name of a kind, or else a text to be found
 * in the error.
 */
export function parseSearch(text: string, kinds: readonly string[]): readonly Condition[] {
  const trimmed = text.trim();
  if (kinds.includes(trimmed)) return [{ name: 'kind', value: trimmed }];
  const conditions: Condition[] = [];
  const rest: string[] = [];
  for (const [whole, name, value] of trimmed.matchAll(TERM)) {
    const typed = TYPED.find((known) => known === name?.toLowerCase());
    if (typed !== undefined) conditions.push({ name: typed, value: unquoted(value!) });
    else if (UUID.test(whole)) conditions.push({ name: 'id', value: whole.toLowerCase() });
    else rest.push(unquoted(whole));
  }
  const error = rest.join(' ');
  return error === '' ? conditions : [...conditions, { name: 'error', value: error }];
}

function unquoted(text: string): string {
  return text.replace(/^"([^"]*)"$/, '$1');
}

function firstPage(query: URLSearchParams): URLSearchParams {
  const next = new URLSearchParams(query);
  next.delete('after');
  return next;
}
