import type {
  BeforeApplicationShutdown,
  OnApplicationBootstrap,
  OnApplicationShutdown,
  OnModuleDestroy,
  OnModuleInit,
} from '@nestjs/common';
import type { Startable } from '../async/loop.js';
import type { JobQueue } from '../queue/job-queue.js';
import type { JobsExplorer } from './jobs.explorer.js';

/**
 * Ties the parts that work in the background to the life of the application. Handlers are found when all providers
 * exist. The parts start when the application is up, and stop before anything else does, while what handlers use is
 * still there. The queue works until the HTTP server has closed.
 */
export class JobsRunner
  implements
    OnModuleInit,
    OnApplicationBootstrap,
    OnModuleDestroy,
    BeforeApplicationShutdown,
    OnApplicationShutdown
{
  private isClosing = false;

  constructor(
    private readonly explorer: JobsExplorer,
    private readonly parts: readonly Startable[],
    private readonly queue: JobQueue,
    /** Whether this process runs the handlers that it finds. */
    private readonly servesHandlers = false,
    private readonly lifetime: Lifetime = { isOver: false },
  ) {}

  async onModuleInit(): Promise<void> {
    this.explorer.explore();
    await this.explorer.ready();
  }

  async onApplicationBootstrap(): Promise<void> {
    if (this.servesHandlers && !this.isClosing) this.explorer.warn();
    for (const part of this.parts) {
      if (this.isClosing) return; // closed while other modules were being initialized
      await part.start();
    }
  }

  async onModuleDestroy(): Promise<void> {
    this.isClosing = true;
    await Promise.all(this.parts.map((part) => part.stop()));
  }

  beforeApplicationShutdown(): void {
    this.lifetime.isOver = true;
  }

  async onApplicationShutdown(): Promise<void> {
    await this.queue.close();
  }
}

/** Whether the application closes its connections, or has closed them. */
export interface Lifetime {
  isOver: boolean;
}
