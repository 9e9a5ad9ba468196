import { jobQueueContract } from './job-queue.contract.js';
import { MemoryWorld } from './world.js';

jobQueueContract(new MemoryWorld());
