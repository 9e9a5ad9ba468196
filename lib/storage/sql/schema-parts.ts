import type { JobsTable } from './dialect.js';
import type { SchemaStep } from './schema-dialect.js';

/** What a version does for one topic. */
export type StepPart = Pick<SchemaStep, 'up' | 'down'>;

/** Joins the parts of a version: each in turn on the way up, and in the opposite order on the way down. */
export function joinParts(
  parts: readonly ((table: JobsTable) => StepPart)[],
  table: JobsTable,
  last: StepPart = { up: [], down: [] },
): StepPart {
  const all = parts.map((part) => part(table));
  return {
    up: [...all.flatMap(({ up }) => up), ...last.up],
    down: [...all.toReversed().flatMap(({ down }) => down), ...last.down],
  };
}
