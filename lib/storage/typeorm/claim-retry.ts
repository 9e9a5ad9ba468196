import type { JobsEvents } from '../../events/jobs-events.js';
import type { ClaimedJob } from '../../job/job.js';
import { bytesOf } from '../../job/payload-size.js';
import type { LeaseTerms } from '../../queue/lease.js';
import type { Connections } from '../sql/connections.js';
import type { Dialect } from '../sql/dialect.js';
import type { ClaimLook, ClaimResult } from '../sql/jobs-dialect.js';
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
  async claim(kinds: readonly string[], limit: number, terms: LeaseTerms): Promise<Claim> {
    const jobs: ClaimedJob[] = [];
    let nextDueMs: number | undefined;
    for (let look = 1; look <= LOOKS; look++) {
      const left = lessTaken(terms, jobs);
      const open = [...new Set(kinds)].filter((kind) => (left.kindLimits?.get(kind) ?? limit) > 0);
      const isFull = jobs.length >= limit || (left.maxBytes ?? Infinity) <= 0;
      if (isFull || open.length === 0) return { jobs };
      const isLast = look === LOOKS;
      const found = await this.look(open, limit - jobs.length, left, orderOf(look));
      jobs.push(...found.jobs);
      nextDueMs = found.nextDueMs;
      if (!found.tryAgain) break;
      if (isLast && jobs.length === 0 && open.length > 1)
        return { jobs: await this.claimOfAny(open, limit, terms), nextDueMs };
    }
    return { jobs, nextDueMs };
  }

  /** Others hold locks on the best jobs of all kinds together. Takes what they have not locked of the first kind that has any. */
  private async claimOfAny(
    kinds: readonly string[],
    limit: number,
    terms: LeaseTerms,
  ): Promise<ClaimedJob[]> {
    for (const kind of kinds) {
      const { jobs } = await this.look([kind], limit, terms, 'last');
      if (jobs.length > 0) return [...jobs];
    }
    return [];
  }

  private look(
    kinds: readonly string[],
    limit: number,
    terms: LeaseTerms,
    order: ClaimLook,
  ): Promise<ClaimResult> {
    return this.connections.run(async (sql) => {
      const sentAt = performance.now();
      const found = await this.dialect.jobs.claim(sql, kinds, limit, terms, order);
      void this.slowClaims.took(performance.now() - sentAt);
      return found;
    });
  }
}

/** What a claim took in all, and what its last look found out about scheduled jobs; see `ClaimResult`. */
export interface Claim extends Pick<ClaimResult, 'nextDueMs'> {
  readonly jobs: ClaimedJob[];
}

function orderOf(look: number): ClaimLook {
  if (look === LOOKS) return 'last';
  return look === 1 ? 'first' : 'again';
}

/** What is left of the terms of a claim when some jobs have been claimed already. */
function lessTaken(terms: LeaseTerms, claimed: readonly ClaimedJob[]): LeaseTerms {
  if (claimed.length === 0) return terms;
  const kindLimits = new Map(terms.kindLimits);
  for (const { kind } of claimed) kindLimits.set(kind, (kindLimits.get(kind) ?? Infinity) - 1);
  const { maxBytes = Infinity } = terms;
  return { ...terms, kindLimits, maxBytes: maxBytes - bytesOf(claimed) };
}
