import type { DequeueSettings } from '../../../lib/execution/dequeue.js';
import type { JobQueue } from '../../../lib/queue/job-queue.js';
import { TestClock, TestJobQueue } from '../../../lib/testing/test-job-queue.js';
import { jobQueueContract } from '../../contract/job-queue.contract.js';
import { MemoryStore } from '../../support/store.js';

/** Moves on by itself, for the contract waits for real time. */
class MovingClock extends TestClock {
  constructor(private readonly clock: () => number) {
    super();
  }

  override now(): number {
    this.advance(Math.max(0, this.clock() - super.now()));
    return super.now();
  }
}

/** The queue of the testing module. */
class TestingStore extends MemoryStore {
  override readonly name = 'TestJobQueue';

  override open(settings: Partial<DequeueSettings> = {}): JobQueue {
    return this.use(
      new TestJobQueue(
        { ...this.dequeueSettings, dataSource: this.dataSource, ...settings },
        new MovingClock(() => this.clock()),
      ),
    );
  }
}

jobQueueContract(new TestingStore());
