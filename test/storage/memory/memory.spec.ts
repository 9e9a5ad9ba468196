import { jobQueueContract } from '../../contract/job-queue.contract.js';
import { MemoryStore } from '../../support/store.js';

jobQueueContract(new MemoryStore());
