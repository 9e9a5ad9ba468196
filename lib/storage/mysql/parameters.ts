/** UTC, as a DATETIME(6) takes it. */
export function asDatetime(millis: number): string {
  return new Date(millis).toISOString().replace('T', ' ').replace('Z', '');
}

/** Of ids, for `id IN (?)`: an empty list is no SQL. */
export function listOf(ids: readonly string[]): readonly (string | null)[] {
  return ids.length > 0 ? ids : [null];
}
