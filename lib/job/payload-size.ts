import type { ClaimedJob } from './job.js';

/** How many bytes of payloads jobs have, as they are stored. */
export function bytesOf(jobs: readonly ClaimedJob[]): number {
  return jobs.reduce((sum, { payloadSize }) => sum + payloadSize, 0);
}

/** The first of the items, up to the one that reaches `maxBytes`. */
export function withinBytes<T>(items: readonly T[], sizeOf: (item: T) => number, maxBytes = Infinity): T[] {
  let before = 0;
  return items.filter((item) => {
    const isWithin = before < maxBytes;
    before += sizeOf(item);
    return isWithin;
  });
}
