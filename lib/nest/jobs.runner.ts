import type {
  OnApplicationBootstrap,
  OnApplicationShutdown,
  OnModuleDestroy,
  OnModuleInit,
} from '@nestjs/common';
import type { JobsExplorer } from './jobs.explorer.js';
import type { JobQueue } from '../queue/job-queue.js';
import type { Worker } from '../worker/worker.js';

/**
 * Ties the worker to the life of the application: handlers are found when all providers exist, claims begin when the
 * application is up, and running handlers are drained first thing of a shutdown, while what they use is still there.
 * The queue itself works on until the HTTP server has closed.
 */
export class JobsRunner
  implements OnModuleInit, OnApplicationBootstrap, OnModuleDestroy, OnApplicationShutdown
{
  constructor(
    private readonly explorer: JobsExplorer,
    /** Null where this process only enqueues. */
    private readonly worker: Worker | null,
    private readonly queue: JobQueue,
  ) {}

  onModuleInit(): void {
    this.explorer.explore();
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.worker?.start();
  }

  async onModuleDestroy(): Promise<void> {
    await this.worker?.stop();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.queue.close();
  }
}
