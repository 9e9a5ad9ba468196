import { ExponentialPause } from '../../async/pauses.js';
import type { Settlement } from '../../queue/job-queue.js';
import type { ReclaimedJob } from '../../job/job.js';
import type {
  HeldLeases,
  Lease,
  LeaseAnswer,
  LeaseRenewal,
  RenewalAnswer,
  OwnClaims,
} from '../../queue/lease.js';
import type { Connections, RunOptions } from '../sql/connections.js';
import type { JobsDialect, WrittenLease } from '../sql/jobs-dialect.js';
import { RECLAIMED_AT_ONCE } from '../sql/row-limits.js';
import type { Sql } from '../sql/sql.js';
import { byWorker, leaseResults, renewalResults } from './lease-results.js';

type Write<L> = (sql: Sql, sorted: readonly L[]) => Promise<readonly WrittenLease[]>;

/** How often a release is tried in all; it pauses for some 600 ms in between. */
const RELEASE_TRIES = 8;
const FIRST_PAUSE_MS = 5;
const MAX_PAUSE_MS = 320;

/** Renews, settles and releases leases; see the methods of `JobQueue`. */
export class LeaseWriter {
  constructor(
    private readonly connections: Connections,
    private readonly jobs: JobsDialect,
    /** How long the database may take to answer. */
    private readonly maxAnswerMs: number,
  ) {}

  async renew(
    leases: readonly LeaseRenewal[],
    leaseMs: number,
    answerMs = Infinity,
  ): Promise<RenewalAnswer[]> {
    if (leases.length === 0) return [];
    const renew = (sql: Sql) =>
      byWorker(leases, (own) =>
        renewalResults(
          own,
          (sorted) => this.jobs.renew(sql, sorted, leaseMs),
          (missing) => this.jobs.look(sql, missing),
        ),
      );
    return this.connections.run(renew, {
      isUrgent: true,
      answerMs: Math.min(answerMs, this.maxAnswerMs),
    });
  }

  settle(settlements: readonly Settlement[], answerMs = Infinity): Promise<LeaseAnswer[]> {
    const options = { answerMs: Math.min(answerMs, this.maxAnswerMs) };
    return this.write(settlements, (sql, sorted) => this.jobs.settle(sql, sorted), options);
  }

  /** Settles as part of the transaction that `sql` is in. */
  async settleJoined(sql: Sql, settlement: Settlement): Promise<LeaseAnswer> {
    const [answer] = await this.writeThrough(sql, [settlement], (_sql, sorted) =>
      this.jobs.settle(sql, sorted, true),
    );
    return answer!;
  }

  /** A row that is locked just now, perhaps by a renewal of our own, is passed over and tried again. */
  async release(leases: readonly Lease[]): Promise<void> {
    const pause = new ExponentialPause(FIRST_PAUSE_MS, MAX_PAUSE_MS);
    let left = leases;
    for (let tries = 1; left.length > 0 && tries <= RELEASE_TRIES; tries++) {
      if (tries > 1) await pause.wait();
      const answers = await this.write(left, (sql, sorted) => this.jobs.release(sql, sorted));
      left = left.filter((_lease, index) => answers[index] === 'busy' || answers[index] === 'stale');
    }
  }

  /** Takes back expired jobs, until no more are found. */
  async reclaim(maxCrashes: number, held: HeldLeases = () => [], own?: OwnClaims): Promise<ReclaimedJob[]> {
    const all: ReclaimedJob[] = [];
    for (;;) {
      const some = await this.connections.run((sql) => this.jobs.reclaim(sql, maxCrashes, held(), own));
      all.push(...some);
      if (some.length < RECLAIMED_AT_ONCE) return all;
    }
  }

  private async write<L extends Lease>(
    leases: readonly L[],
    write: Write<L>,
    options?: RunOptions,
  ): Promise<LeaseAnswer[]> {
    if (leases.length === 0) return [];
    return this.connections.run((sql) => this.writeThrough(sql, leases, write), options);
  }

  private writeThrough<L extends Lease>(
    sql: Sql,
    leases: readonly L[],
    write: Write<L>,
  ): Promise<LeaseAnswer[]> {
    return byWorker(leases, (own) =>
      leaseResults(
        own,
        (sorted) => write(sql, sorted),
        (missing) => this.jobs.look(sql, missing),
      ),
    );
  }
}
