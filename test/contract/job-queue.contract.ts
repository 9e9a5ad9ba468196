import { afterAll, afterEach, beforeAll, beforeEach, describe } from '@jest/globals';
import { claimContract } from './claim.contract.js';
import { clockContract } from './clock.contract.js';
import { documentContract } from './document.contract.js';
import { enqueueContract } from './enqueue.contract.js';
import { transactionalContract } from './transactional.contract.js';
import { foreignRowsContract } from './foreign-rows.contract.js';
import { forgottenClaimsContract } from './forgotten-claims.contract.js';
import { foreignTableContract } from './foreign-table.contract.js';
import { isolationContract } from './isolation.contract.js';
import { leaseContract } from './lease.contract.js';
import { outcomeContract } from './outcome.contract.js';
import { ownStatementsContract } from './own-statements.contract.js';
import { panicContract } from './panic.contract.js';
import { scaleContract } from './scale.contract.js';
import { schemaContract } from './schema.contract.js';
import { shutdownContract } from './shutdown.contract.js';
import { storageContract } from './storage.contract.js';
import { transactionContract } from './transaction.contract.js';
import { workerContract } from './worker.contract.js';
import { SqlStore, type Store } from '../support/store.js';

/** What every queue promises: each sentence in the comments of JobQueue, and the package's promises by number. */
export function jobQueueContract(store: Store): void {
  describe(store.name, () => {
    beforeAll(() => store.start());
    beforeEach(() => store.reset());
    afterEach(() => store.stopWorkers());
    afterAll(() => store.stop());

    enqueueContract(store);
    transactionContract(store);
    documentContract(store);
    claimContract(store);
    leaseContract(store);
    outcomeContract(store);
    if (store.hasManyWriters) transactionalContract(store);
    panicContract(store);
    workerContract(store);
    isolationContract(store);
    shutdownContract(store);
    scaleContract(store);
    if (!(store instanceof SqlStore)) return;
    clockContract(store);
    storageContract(store);
    ownStatementsContract(store);
    foreignRowsContract(store);
    forgottenClaimsContract(store);
    schemaContract(store);
    foreignTableContract(store);
  });
}
