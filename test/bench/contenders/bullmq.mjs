import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';

const QUEUE = 'bench';

/** Its store is Redis, with a weaker durability: writes of the last second may be lost. */
export class BullMq {
  /** @param tuned runs 100 jobs at once instead of 10. BullMQ's own default is one job after the other. */
  constructor({ redisUrl, tuned = false }) {
    this.url = redisUrl;
    this.concurrency = tuned ? 100 : 10;
  }

  async open() {
    this.connection = new Redis(this.url, { maxRetriesPerRequest: null });
    this.queue = new Queue(QUEUE, { connection: this.connection });
    await this.queue.waitUntilReady();
  }

  async reset() {
    await this.queue.obliterate({ force: true });
  }

  async enqueue(payload) {
    await this.queue.add('bench', payload);
  }

  async enqueueAt(payload, ms) {
    await this.queue.add('bench', payload, { delay: ms - Date.now() });
  }

  async enqueueMany(payloads) {
    await this.queue.addBulk(payloads.map((data) => ({ name: 'bench', data })));
  }

  async prepareToWork(handler) {
    this.handler = handler;
    await this.open();
  }

  async work() {
    this.workerConnection = new Redis(this.url, { maxRetriesPerRequest: null });
    this.worker = new Worker(QUEUE, async ({ data }) => this.handler(data), {
      connection: this.workerConnection,
      concurrency: this.concurrency,
    });
    this.worker.on('error', (error) => console.error('bullmq:', error.message));
  }

  async rest() {
    await this.worker?.close();
    this.workerConnection?.disconnect();
    this.worker = undefined;
  }

  async left() {
    const { waiting, active, delayed } = await this.queue.getJobCounts('waiting', 'active', 'delayed');
    return waiting + active + delayed;
  }

  async done() {
    return this.queue.getCompletedCount();
  }

  async close() {
    await this.rest();
    await this.queue.close();
    this.connection.disconnect();
  }
}
