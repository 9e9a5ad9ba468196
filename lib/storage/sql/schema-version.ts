import type { FoundTable, SchemaStep } from './schema-dialect.js';

/*
 * The version of a jobs table is kept in the table's own comment. So it is created, copied and dropped with the table, and
 * needs no second one. Where the comment is lost, as in a dump without comments, the columns tell the version.
 */
/** The versions of the table, and when each was made: TypeORM orders migrations by that. */
export const SCHEMA_VERSIONS: readonly { readonly version: number; readonly timestamp: number }[] = [
  { version: 1, timestamp: 1_795_000_000_000 },
  { version: 2, timestamp: 1_795_700_000_000 },
];

const MARK = 'nestjs-typeorm-jobs schema ';

export function commentFor(version: number): string {
  return `${MARK}${version}`;
}

/** The version that a table's comment tells, or null if the comment is not ours. */
export function versionIn(comment: string | null): number | null {
  if (comment === null || !comment.startsWith(MARK)) return null;
  const version = Number(comment.slice(MARK.length));
  return Number.isInteger(version) ? version : null;
}

/** The version of a table; 0 if there is none, null if it is not ours. */
export function versionOf(found: FoundTable | null, steps: readonly SchemaStep[]): number | null {
  if (found === null) return 0;
  return versionIn(found.comment) ?? versionByColumns(new Set(found.columns), steps);
}

/** The last version all of whose columns are there. */
function versionByColumns(columns: ReadonlySet<string>, steps: readonly SchemaStep[]): number | null {
  const missing = steps.findIndex((step) => step.columns.some((column) => !columns.has(column)));
  return steps[(missing === -1 ? steps.length : missing) - 1]?.version ?? null;
}
