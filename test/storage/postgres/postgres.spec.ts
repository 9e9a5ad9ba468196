import { describe, it } from '@jest/globals';
import { servers } from '../../support/databases.js';
import { jobQueueContract } from '../../contract/job-queue.contract.js';
import { SqlStore } from '../../support/store.js';

const found = servers.filter(({ type }) => type === 'postgres');
for (const server of found) jobQueueContract(new SqlStore(server));
if (found.length === 0)
  describe.skip('PostgreSQL: no server', () => it('keeps the contract', () => undefined));
