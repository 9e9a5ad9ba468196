import type { DequeueSettings, JobQueue } from '../../lib/queue/job-queue.js';
import { TestClock, TestJobQueue } from '../../lib/testing/test-job-queue.js';
import { jobQueueContract } from './job-queue.contract.js';
import { MemoryWorld } from './world.js';

/** Moves on by itself, for the contract waits for real time. */
class MovingClock extends TestClock {
  override now(): number {
    this.advance(Math.max(0, Date.now() - super.now()));
    return super.now();
  }
}

/** The queue of the testing module. */
class TestingWorld extends MemoryWorld {
  override readonly name = 'TestJobQueue';

  override open(settings: Partial<DequeueSettings> = {}): JobQueue {
    return this.use(
      new TestJobQueue(
        { ...this.dequeueSettings, dataSource: this.dataSource, ...settings },
        new MovingClock(),
      ),
    );
  }
}

jobQueueContract(new TestingWorld());
