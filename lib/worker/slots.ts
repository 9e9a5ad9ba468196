import type { ClaimedJob } from '../job/job.js';
import type { HeldJobs } from '../execution/held-jobs.js';

/** How many jobs a worker may run at once: in all, and of a kind that has a limit of its own. */
export class Slots {
  constructor(
    private readonly size: number,
    private readonly limits: ReadonlyMap<string, number>,
    private readonly held: Pick<HeldJobs, 'runningCount' | 'countOf'>,
  ) {}

  get free(): number {
    return this.size - this.held.runningCount;
  }

  /** For each kind with a limit, how many more of it may be claimed. Jobs count from their claim on. */
  get room(): ReadonlyMap<string, number> {
    return new Map([...this.limits].map(([kind, limit]) => [kind, limit - this.held.countOf(kind)]));
  }

  hasRoom(kind: string): boolean {
    return (this.limits.get(kind) ?? Infinity) > this.held.countOf(kind);
  }

  hasLimit(kind: string): boolean {
    return this.limits.has(kind);
  }
}

/** Whether a claim got everything that it asked for, in sum or of some kind. */
export function isFull(
  claimed: readonly ClaimedJob[],
  limit: number,
  kindLimits: ReadonlyMap<string, number>,
): boolean {
  if (claimed.length >= limit) return true;
  const countOf = (kind: string) => claimed.filter((job) => job.kind === kind).length;
  return [...kindLimits].some(([kind, room]) => room > 0 && countOf(kind) >= room);
}
