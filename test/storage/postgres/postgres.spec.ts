import { describeOn, ofType, servers } from '../../support/databases.js';
import { jobQueueContract } from '../../contract/job-queue.contract.js';
import { SqlStore } from '../../support/store.js';

describeOn(ofType('postgres', servers), 'On $name', (server) => jobQueueContract(new SqlStore(server)));
