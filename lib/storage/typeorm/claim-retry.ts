import type { JobsEvents } from '../../events/jobs-events.js';
import type { ClaimedJob } from '../../job/job.js';
import { bytesOf } from '../../job/payload-size.js';
import type { LeaseTerms } from '../../queue/lease.js';
import type { Connections } from '../sql/connections.js';
import type { Dialect } from '../sql/dialect.js';
import type { ClaimResult } from '../sql/jobs-dialect.js';
import { SlowClaims } from './slow-claims.js';

/** How often a claim looks if other workers are at the same rows. */
const LOOKS = 3;

/** Claims jobs, and looks again if a statement says that there was more to be had than it got. */
export class ClaimRetry {
  private readonly slowClaims: SlowClaims;

  constructor(
    private readonly connections: Connections,
    private readonly dialect: Dialect,
    events: JobsEvents,
  ) {
    const longTransaction = (ms: number) =>
      connections.run((sql) => dialect.diagnosis.longTransaction(sql, ms));
    this.slowClaims = new SlowClaims(longTransaction, events);
  }

  /** See `JobQueue.claim`. */
  async claim(kinds: readonly string[], limit: number, terms: LeaseTerms): Promise<ClaimedJob[]> {
    const claimed: ClaimedJob[] = [];
    for (let look = 1; look <= LOOKS; look++) {
      const left = lessTaken(terms, claimed);
      const open = [...new Set(kinds)].filter((kind) => (left.kindLimits?.get(kind) ?? limit) > 0);
      const isFull = claimed.length >= limit || (left.maxBytes ?? Infinity) <= 0;
      if (isFull || open.length === 0) return claimed;
      const found = await this.look(open, limit - claimed.length, left);
      claimed.push(...found.jobs);
      if (!found.tryAgain) return claimed;
      const isLast = look === LOOKS;
      if (isLast && claimed.length === 0 && open.length > 1) return this.claimOfAny(open, limit, terms);
    }
    return claimed;
  }

  /** Others hold locks on the best jobs of all kinds together. Takes what they have not locked of the first kind that has any. */
  private async claimOfAny(
    kinds: readonly string[],
    limit: number,
    terms: LeaseTerms,
  ): Promise<ClaimedJob[]> {
    for (const kind of kinds) {
      const { jobs } = await this.look([kind], limit, terms);
      if (jobs.length > 0) return [...jobs];
    }
    return [];
  }

  private look(kinds: readonly string[], limit: number, terms: LeaseTerms): Promise<ClaimResult> {
    return this.connections.run(async (sql) => {
      const sentAt = performance.now();
      const found = await this.dialect.jobs.claim(sql, kinds, limit, terms);
      void this.slowClaims.took(performance.now() - sentAt);
      return found;
    });
  }
}

/** What is left of the terms of a claim when some jobs have been claimed already. */
function lessTaken(terms: LeaseTerms, claimed: readonly ClaimedJob[]): LeaseTerms {
  if (claimed.length === 0) return terms;
  const kindLimits = new Map(terms.kindLimits);
  for (const { kind } of claimed) kindLimits.set(kind, (kindLimits.get(kind) ?? Infinity) - 1);
  const { maxBytes = Infinity } = terms;
  return { ...terms, kindLimits, maxBytes: maxBytes - bytesOf(claimed) };
}
