import type { DataSource, QueryRunner } from 'typeorm';
import type { JobQueue, Settlement } from '../../queue/job-queue.js';
import type { LeaseRenewal } from '../../queue/lease.js';
import type { Dialect } from '../sql/dialect.js';
import { poolSizeOf } from '../sql/pool-connections.js';
import type { Sql } from '../sql/sql.js';
import { TransactionalSettlement } from '../transactions/transactional-settlement.js';
import type { Transactions } from '../transactions/transactions.js';
import type { CommittedJobs } from './committed-jobs.js';
import { retriesAmong } from './due-times.js';
import type { LeaseWriter } from './lease-writer.js';

interface SettlementGround {
  readonly queue: Pick<JobQueue, 'get'>;
  readonly dataSource: DataSource;
  readonly transactions: Transactions;
  readonly settings: { readonly databaseTimeoutMs: number; readonly leaseMs: number };
}

/** Transactions that stay open get half of the pool, so that what handlers do beside them finds connections as well. */
export function pooledSettlement(
  { errors }: Dialect,
  leases: LeaseWriter,
  committed: CommittedJobs,
  { queue, dataSource, transactions, settings }: SettlementGround,
): TransactionalSettlement {
  const { databaseTimeoutMs: answerMs, leaseMs } = settings;
  const storage = {
    errors,
    answerMs,
    settle: async (queryRunner: QueryRunner, sql: Sql, settlement: Settlement) => {
      const answer = await leases.settleJoined(sql, settlement);
      const retries = retriesAmong([settlement], [answer]);
      if (retries.size > 0) committed.afterCommit(queryRunner, () => committed.tellOfScheduled(retries));
      return answer;
    },
    renew: async (lease: LeaseRenewal) => (await leases.renew([lease], leaseMs))[0]!,
    get: (id: string) => queue.get(id),
  };
  const maxOpen = Math.max(1, Math.floor(poolSizeOf(dataSource.options) / 2));
  return new TransactionalSettlement(transactions, storage, maxOpen);
}
