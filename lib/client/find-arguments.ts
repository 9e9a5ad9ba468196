import { types } from 'node:util';
import { EARLIEST_RUN_AT, LATEST_RUN_AT } from '../job/encode-job.js';
import { InvalidJobError } from '../job/errors.js';
import { compareIds } from '../job/id-order.js';
import type { JobConditions, PayloadCondition, TimeSpan } from '../job/job-conditions.js';
import { readField } from '../job/job-field.js';
import { JOB_STATES, type JobState } from '../job/job-state.js';
import { scheduleLabel } from '../job/labels.js';
import { describeNumber, describeType, millisOf, requireName } from '../job/names.js';
import { isObject } from '../job/option-checks.js';
import { requireTags } from '../job/tags.js';

/** What jobs must be like; all of it. What is left out does not matter. */
export interface JobFilter {
  /** One of these; at most 1,000. */
  readonly ids?: readonly string[];
  /** One of these; at most 1,000. */
  readonly kinds?: readonly string[];
  /** In one of these states now. */
  readonly states?: readonly JobState[];
  /** All of these tags. */
  readonly tags?: readonly string[];
  /** The tag of this entity: see `forEntity`. */
  readonly entity?: object;
  /** The job holds this unique key now. Only together with `kinds`, each of which has keys of its own. */
  readonly uniqueKey?: string;
  /** The schedule of this name has made it. */
  readonly schedule?: string;
  /** The instants themselves are not among those that fit. From year 1 to 9999, also below. */
  readonly createdAfter?: Date;
  readonly createdBefore?: Date;
  readonly runAfter?: Date;
  readonly runBefore?: Date;
  readonly updatedAfter?: Date;
  readonly updatedBefore?: Date;
  /** A text that `lastError` contains, in the same case. */
  readonly error?: string;
  /**
   * Values within the payload by their paths: `{ 'order.id': 4711, 'items.0.sold': true }`. Strings, numbers, booleans and null;
   * a field whose name has a dot has no path. Payloads that something else than this package has written may not be found.
   */
  readonly payload?: Readonly<Record<string, string | number | boolean | null>>;
}

export interface FindOptions {
  /** By id: those that are not given at the enqueue are in the order in which they were made. Default `'newest'`. */
  readonly order?: 'newest' | 'oldest';
  /** Goes on where a call has ended: its `next`. */
  readonly after?: string | null;
  /** 1 to 500. Default 100. */
  readonly limit?: number;
}

export interface CountOptions {
  /** Does not count further than to this: 1 to 100,000. Default 10,000. */
  readonly cap?: number;
}

/** How many rows a call looks at. */
export const MAX_SEARCHED = 100_000;
const MAX_LIMIT = 500;
const DEFAULT_LIMIT = 100;
const DEFAULT_CAP = 10_000;
const MAX_LISTED = 1_000;

/** The compiler wants all of them, and no other. */
const FIELDS = {
  ids: true,
  kinds: true,
  states: true,
  tags: true,
  entity: true,
  uniqueKey: true,
  schedule: true,
  createdAfter: true,
  createdBefore: true,
  runAfter: true,
  runBefore: true,
  updatedAfter: true,
  updatedBefore: true,
  error: true,
  payload: true,
} satisfies Record<keyof JobFilter, true>;

/**
 * @param tagOf the tag of an entity
 * @throws InvalidJobError
 */
export function requireFilter(filter: unknown, tagOf: (entity: object) => string): JobConditions {
  if (!isObject(filter))
    throw new InvalidJobError('filter', `is ${describeType(filter)}; it must be an object.`);
  for (const name of Object.keys(filter))
    if (!Object.hasOwn(FIELDS, name))
      throw new InvalidJobError(
        `filter.${name}`,
        `is not known. A filter takes ${Object.keys(FIELDS).join(', ')}.`,
      );
  const given: JobFilter = { ...filter };
  if (given.uniqueKey !== undefined && given.kinds === undefined)
    throw new InvalidJobError(
      'filter.uniqueKey',
      'is given without kinds; each kind has unique keys of its own.',
    );
  return {
    ...listsOf(given),
    ...labelsOf(given, tagOf),
    ...spanOf(given, 'createdAt', 'createdAfter', 'createdBefore'),
    ...spanOf(given, 'runAt', 'runAfter', 'runBefore'),
    ...spanOf(given, 'updatedAt', 'updatedAfter', 'updatedBefore'),
    ...(given.error !== undefined && { error: requireText(given.error, 'filter.error') }),
    ...(given.payload !== undefined && { payload: requirePayload(given.payload) }),
  };
}

/** @throws InvalidJobError */
export function requireFindOptions(options: FindOptions): Required<FindOptions> & { after: string | null } {
  const { order = 'newest', after = null, limit = DEFAULT_LIMIT, ...unknown } = options;
  refuseOthers(unknown, 'order, after and limit');
  if (!['newest', 'oldest'].includes(order))
    throw new InvalidJobError('order', `is ${describeType(order)}; it must be 'newest' or 'oldest'.`);
  return {
    order,
    after: after === null ? null : requireName(after, 'after'),
    limit: requireInt(limit, 'limit', MAX_LIMIT),
  };
}

/** @throws InvalidJobError */
export function requireCap(options: CountOptions): number {
  const { cap = DEFAULT_CAP, ...unknown } = options;
  refuseOthers(unknown, 'cap');
  return requireInt(cap, 'cap', MAX_SEARCHED);
}

function listsOf({ ids, kinds, states, uniqueKey }: JobFilter): JobConditions {
  return {
    ...(ids !== undefined && { ids: requireNames(ids, 'ids').toSorted(compareIds) }),
    ...(kinds !== undefined && { kinds: requireNames(kinds, 'kinds') }),
    ...(states !== undefined && { states: requireStates(states) }),
    ...(uniqueKey !== undefined && { uniqueKey: requireName(uniqueKey, 'filter.uniqueKey') }),
  };
}

function labelsOf({ tags, entity, schedule }: JobFilter, tagOf: (entity: object) => string): JobConditions {
  // An entity or a schedule has fewer jobs than most tags: the first label is the one that is looked up.
  const labels = [
    ...(entity === undefined ? [] : [readField('filter.entity', () => tagOf(entity))]),
    ...(schedule === undefined ? [] : [scheduleLabel(requireName(schedule, 'filter.schedule'))]),
    ...(tags === undefined ? [] : (readField('filter.tags', () => requireTags(tags)) ?? [])),
  ];
  return labels.length === 0 ? {} : { labels: [...new Set(labels)] };
}

function spanOf(
  filter: JobFilter,
  name: 'createdAt' | 'runAt' | 'updatedAt',
  after: keyof JobFilter,
  before: keyof JobFilter,
): JobConditions {
  const [from, until] = [filter[after], filter[before]];
  if (from === undefined && until === undefined) return {};
  const span: TimeSpan = {
    afterMs: from === undefined ? null : requireInstant(from, `filter.${after}`),
    beforeMs: until === undefined ? null : requireInstant(until, `filter.${before}`),
  };
  return { [name]: span };
}

function requireNames(values: unknown, name: string): string[] {
  return requireList(values, name).map((value, index) => requireName(value, `filter.${name}[${index}]`));
}

function requireStates(values: unknown): JobState[] {
  return requireList(values, 'states').map((state, index) => {
    if ((JOB_STATES as readonly unknown[]).includes(state)) return state as JobState;
    const told = typeof state === 'string' ? JSON.stringify(state) : describeType(state);
    throw new InvalidJobError(
      `filter.states[${index}]`,
      `is ${told}; a state is one of ${JOB_STATES.join(', ')}.`,
    );
  });
}

function requireList(values: unknown, name: string): unknown[] {
  if (!Array.isArray(values))
    throw new InvalidJobError(`filter.${name}`, `is ${describeType(values)}; it must be a list.`);
  if (values.length > MAX_LISTED)
    throw new InvalidJobError(
      `filter.${name}`,
      `has ${values.length} entries; it may have at most ${MAX_LISTED}.`,
    );
  return [...new Set(values as unknown[])];
}

function requireInstant(value: unknown, path: string): number {
  const millis = types.isDate(value) ? millisOf(value) : NaN;
  if (millis >= EARLIEST_RUN_AT.getTime() && millis <= LATEST_RUN_AT.getTime()) return millis;
  throw new InvalidJobError(path, `is ${describeType(value)}; it must be a Date from year 1 to 9999.`);
}

function requireText(value: unknown, path: string): string {
  const isText = typeof value === 'string' && value !== '' && value.isWellFormed() && !value.includes('\0');
  if (isText) return value;
  throw new InvalidJobError(
    path,
    'must be a text of at least one character, without NUL and half surrogate pairs.',
  );
}

function requirePayload(value: unknown): PayloadCondition[] {
  if (!isObject(value))
    throw new InvalidJobError('filter.payload', `is ${describeType(value)}; it must be an object.`);
  return Object.entries(value).map(([path, wanted]) => {
    const names = path.split('.');
    if (names.includes(''))
      throw new InvalidJobError(
        'filter.payload',
        `has the path ${JSON.stringify(path)}; one is names with dots between.`,
      );
    const isPlain =
      wanted === null || ['string', 'boolean'].includes(typeof wanted) || Number.isFinite(wanted);
    if (isPlain) return { path: names, value: wanted as PayloadCondition['value'] };
    throw new InvalidJobError(
      `filter.payload["${path}"]`,
      `is ${describeNumber(wanted)}; it must be a string, a number, a boolean or null.`,
    );
  });
}

function requireInt(value: unknown, path: string, max: number): number {
  if (Number.isInteger(value) && (value as number) >= 1 && (value as number) <= max) return value as number;
  throw new InvalidJobError(path, `is ${describeNumber(value)}; it must be a whole number from 1 to ${max}.`);
}

function refuseOthers(options: object, known: string): void {
  for (const name of Object.keys(options))
    throw new InvalidJobError(name, `is no option of this call, which takes ${known}.`);
}
