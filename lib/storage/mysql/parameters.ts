/** Of ids, for `id IN (?)`: an empty list is no SQL. */
export function listOf(ids: readonly string[]): readonly (string | null)[] {
  return ids.length > 0 ? ids : [null];
}
