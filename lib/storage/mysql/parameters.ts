import { utcText } from '../sql/instants.js';

/** Of ids, for `id IN (?)`: an empty list is no SQL. */
export function listOf(ids: readonly string[]): readonly (string | null)[] {
  return ids.length > 0 ? ids : [null];
}

/** For a `datetime`. */
export function instantOf(date: Date | null): string | null {
  return date === null ? null : utcText(date.getTime());
}
