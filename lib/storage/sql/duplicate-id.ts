import type { EncodedJob } from '../../job/encode-job.js';

/** An insert met an id that exists already or comes twice. Nothing was written. */
export class DuplicateIdError extends Error {
  constructor(
    readonly id: string,
    cause: unknown,
  ) {
    super(`The id "${id}" exists already.`, { cause });
  }
}

/**
 * Which of the jobs has the id that exists already.
 *
 * @param told the id as the database told it, '' if it did not: MariaDB cuts a long one in its message, and writes ? for
 * characters that it does not know
 * @param existing finds one of these ids in the table. It must ask over the connection of the insert: the caller may hold
 * the last one of the pool. Undefined where that cannot be asked any more.
 */
export async function duplicateIdAmong(
  jobs: readonly EncodedJob[],
  told: string,
  existing?: (ids: readonly string[]) => Promise<string | undefined>,
): Promise<string> {
  const ids = jobs.map(({ id }) => id);
  if (ids.length === 1) return ids[0]!;
  const seen = new Set(ids);
  if (seen.has(told)) return told;
  if (seen.size < ids.length) return ids.find((id) => !seen.delete(id))!;
  return (await existing?.(ids)) ?? told;
}
