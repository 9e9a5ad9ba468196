import type { EncodedJob } from '../../job/encode-job.js';

/** An insert met an id that exists already or comes twice. Nothing was written. */
export class DuplicateIdError extends Error {
  /** @param id as the database tells it, see `duplicateIdAmong`; '' if it does not */
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
 * @param told the id as the database told it: MariaDB cuts a long one in its message, and writes ? for characters that it
 * does not know. Then the table tells.
 * @param isStored whether a job with this id is in the table
 */
export async function duplicateIdAmong(
  jobs: readonly EncodedJob[],
  told: string,
  isStored: (id: string) => Promise<boolean>,
): Promise<string> {
  if (jobs.some(({ id }) => id === told)) return told;
  const start = /^[^?]*?(?=\?|\.\.\.$|$)/.exec(told)![0];
  const seen = new Set<string>();
  for (const { id } of jobs) {
    if (!id.startsWith(start)) continue;
    if (seen.has(id) || (await isStored(id))) return id;
    seen.add(id);
  }
  return told;
}
