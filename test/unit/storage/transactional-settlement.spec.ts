import { describe, expect, it } from '@jest/globals';
import type { EntityManager, QueryRunner } from 'typeorm';
import { TransactionalSettlement } from '../../../lib/storage/transactions/transactional-settlement.js';
import type { TransactionalStorage } from '../../../lib/storage/transactions/transactional-settlement.js';
import type { Transactions } from '../../../lib/storage/transactions/transactions.js';
import type { TransactionalAttempt } from '../../../lib/queue/job-queue.js';

const queryRunner = {
  isTransactionActive: true,
  transactionDepth: 1,
  connect: () => Promise.resolve({}),
  query: () => Promise.resolve([]),
} as unknown as QueryRunner;

/** Its COMMIT is never answered. */
const transactions = {
  runNew: async (work: (manager: EntityManager) => Promise<unknown>) => {
    await work({ queryRunner } as EntityManager);
    throw new Error('Connection lost');
  },
} as unknown as Transactions;

/** Of a cluster in which every server may lag behind: a row that is not there may be on its way. */
const storage: TransactionalStorage = {
  errors: { wasRefused: () => false, wantsRetry: () => false },
  answerMs: 1_000,
  settle: () => Promise.resolve('written'),
  renew: () => Promise.resolve('stale'),
  get: () => Promise.resolve(null),
};

describe('a transactional attempt whose COMMIT is not answered, and whose row is missing to the end of the lease', () => {
  const run = (deletes: boolean) => {
    const lease = { id: 'one', leaseToken: 1, lockedBy: 'w', leaseMs: 50, alone: false, attemptsDone: 0 };
    const signal = AbortSignal.timeout(50);
    const attempt = { ...lease, signal, deletes } as TransactionalAttempt;
    const returned = { json: null, bytes: null };
    return new TransactionalSettlement(transactions, storage, 1).run(attempt, () =>
      Promise.resolve(returned),
    );
  };

  it('has deleted it, if its settlement deletes', async () => {
    expect(await run(true)).toBe('written');
  });

  it('is not known to be written, if its settlement keeps the row', async () => {
    await expect(run(false)).rejects.toThrow('timeout');
  });
});
