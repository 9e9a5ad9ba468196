import { afterAll, afterEach, beforeAll, beforeEach, describe } from '@jest/globals';
import { claimContract } from './claim.contract.js';
import { clockContract } from './clock.contract.js';
import { documentContract } from './document.contract.js';
import { enqueueContract } from './enqueue.contract.js';
import { jointContract } from './joint.contract.js';
import { leaseContract } from './lease.contract.js';
import { outcomeContract } from './outcome.contract.js';
import { panicContract } from './panic.contract.js';
import { scaleContract } from './scale.contract.js';
import { schemaContract } from './schema.contract.js';
import { shutdownContract } from './shutdown.contract.js';
import { storageContract } from './storage.contract.js';
import { transactionContract } from './transaction.contract.js';
import { workerContract } from './worker.contract.js';
import { SqlWorld, type World } from './world.js';

/** What every queue keeps: the comments of JobQueue sentence by sentence, and the promises of the package by number. */
export function jobQueueContract(world: World): void {
  describe(world.name, () => {
    beforeAll(() => world.start());
    beforeEach(() => world.reset());
    afterEach(() => world.stopWorkers());
    afterAll(() => world.stop());

    enqueueContract(world);
    transactionContract(world);
    documentContract(world);
    claimContract(world);
    leaseContract(world);
    outcomeContract(world);
    if (world.hasManyWriters) jointContract(world);
    panicContract(world);
    workerContract(world);
    shutdownContract(world);
    scaleContract(world);
    if (!(world instanceof SqlWorld)) return;
    clockContract(world);
    storageContract(world);
    schemaContract(world);
  });
}
