/*
 * The version of a jobs table is kept in the table's own comment. So it is created, copied and dropped with the table, and
 * needs no second one.
 */
/** The versions of the table, and when each was made: TypeORM orders migrations by that. */
export const SCHEMA_VERSIONS: readonly { readonly version: number; readonly timestamp: number }[] = [
  { version: 1, timestamp: 1_795_000_000_000 },
];

const MARK = 'nestjs-typeorm-jobs schema ';

export function commentFor(version: number): string {
  return `${MARK}${version}`;
}

/** The version that a table's comment tells, or null if the comment is not ours. */
export function versionIn(comment: unknown): number | null {
  if (typeof comment !== 'string' || !comment.startsWith(MARK)) return null;
  const version = Number(comment.slice(MARK.length));
  return Number.isInteger(version) ? version : null;
}
