import { InvalidJobError } from '../job/errors.js';
import { JOB_EVENT_TYPES, type JobEventType, type WantedEvents } from '../job/job-event.js';
import { describeType, requireName } from '../job/names.js';
import { isObject } from '../job/option-checks.js';

/**
 * Where events come from. `process`: what this process does, which costs nothing more. `all`: what all processes do, by a
 * table that they write while somebody listens.
 */
export type EventScope = 'process' | 'all';

/** Which events to hear of. */
export interface JobEventFilter<Type extends JobEventType = JobEventType> {
  /** Default: all kinds. */
  readonly kinds?: readonly string[];
  /** Default: all types. A `lag` is always told. */
  readonly types?: readonly Type[];
  /** Default: `process`. */
  readonly scope?: EventScope;
}

/** A filter that has been checked. */
export interface ResolvedEventFilter extends WantedEvents {
  readonly scope: EventScope;
}

const MOST_KINDS = 1_000;
const SCOPES: readonly unknown[] = ['process', 'all'];

/** @throws InvalidJobError */
export function requireEventFilter(filter: JobEventFilter): ResolvedEventFilter {
  if (!isObject(filter))
    throw new InvalidJobError('filter', `is ${describeType(filter)}; it must be an object.`);
  const { kinds, types, scope = 'process', ...unknown } = filter;
  for (const name of Object.keys(unknown))
    throw new InvalidJobError(name, 'is no part of this filter, which has kinds, types and scope.');
  if (!SCOPES.includes(scope))
    throw new InvalidJobError('scope', `is ${JSON.stringify(scope)}; it must be 'process' or 'all'.`);
  return { scope, kinds: requireKinds(kinds), types: requireTypes(types) };
}

function requireKinds(kinds: unknown): readonly string[] | null {
  if (kinds === undefined) return null;
  if (!Array.isArray(kinds) || kinds.length > MOST_KINDS)
    throw new InvalidJobError('kinds', `must be a list of at most ${MOST_KINDS} kinds.`);
  return kinds.map((kind, index) => requireName(kind, `kinds[${index}]`));
}

function requireTypes(types: unknown): readonly JobEventType[] | null {
  if (types === undefined) return null;
  if (!Array.isArray(types))
    throw new InvalidJobError('types', `is ${describeType(types)}; it must be a list.`);
  for (const [index, type] of types.entries())
    if (!JOB_EVENT_TYPES.includes(type as JobEventType))
      throw new InvalidJobError(
        `types[${index}]`,
        `is ${String(type)}; there are ${JOB_EVENT_TYPES.join(', ')}.`,
      );
  return types as JobEventType[];
}
