import { afterAll, afterEach, beforeAll, describe } from '@jest/globals';
import { SqlStore } from '../support/store.js';
import { badRowsContract } from './bad-rows.contract.js';
import type { ClockedStore } from './clocked-store.js';
import { handlersContract } from './handlers.contract.js';
import { logForgingContract } from './log-forging.contract.js';
import { modelContract } from './model/model.contract.js';
import { roundTripContract } from './round-trip.contract.js';

/** What hostile input must not do, on one storage. */
export function hostileSuite(clocked: ClockedStore): void {
  const { store } = clocked;
  describe(store.name, () => {
    beforeAll(() => store.start());
    afterEach(() => store.stopWorkers());
    afterAll(() => store.stop());

    roundTripContract(store);
    modelContract(clocked);
    if (!(store instanceof SqlStore) || store.isPostgres) handlersContract(store);
    logForgingContract(store);
    if (store instanceof SqlStore) badRowsContract(store);
  });
}
