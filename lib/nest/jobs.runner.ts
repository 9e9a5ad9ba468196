import type {
  BeforeApplicationShutdown,
  OnApplicationBootstrap,
  OnApplicationShutdown,
  OnModuleDestroy,
  OnModuleInit,
} from '@nestjs/common';
import type { Startable } from '../async/loop.js';
import type { JobsEvents } from '../events/jobs-events.js';
import type { JobQueue } from '../queue/job-queue.js';
import type { Opening } from '../queue/opening.js';
import type { JobsExplorer } from './jobs.explorer.js';

/** What works in the background. */
export interface Part extends Startable {
  /** Looks whether it may start, though the database may be down. Throws where it may not. */
  check?(): void;
}

export interface RunnerSettings {
  /** Whether this process runs the handlers that it finds. Default: false. */
  readonly servesHandlers?: boolean;
  readonly lifetime?: Lifetime;
  /** What tells of events. It needs no database to start, and stops after the parts, of whose end it still tells. */
  readonly tellers?: readonly Startable[];
}

/**
 * Ties the parts that work in the background to the life of the application. Handlers are found when all providers
 * exist. The parts start when the application is up and the database is open, and stop before anything else does, while what
 * handlers use is still there. The queue works until the HTTP server has closed.
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
    private readonly parts: readonly Part[],
    private readonly queue: JobQueue,
    private readonly events: JobsEvents,
    private readonly settings: RunnerSettings = {},
  ) {}

  async onModuleInit(): Promise<void> {
    this.explorer.explore();
    await this.explorer.ready();
  }

  async onApplicationBootstrap(): Promise<void> {
    if (this.settings.servesHandlers === true && !this.isClosing) this.explorer.warn();
    for (const teller of this.tellers) await teller.start();
    const { opening } = this.queue;
    if (opening === undefined || opening.isOpen) await this.start();
    else this.startLater(opening);
  }

  async onModuleDestroy(): Promise<void> {
    this.isClosing = true;
    const { opening } = this.queue;
    const stopping = opening === undefined ? this.parts : [...this.parts, opening];
    await Promise.all(stopping.map((part) => part.stop()));
  }

  async beforeApplicationShutdown(): Promise<void> {
    if (this.settings.lifetime !== undefined) this.settings.lifetime.isOver = true;
    await Promise.all(this.tellers.map((teller) => teller.stop()));
  }

  async onApplicationShutdown(): Promise<void> {
    await this.queue.close();
  }

  private get tellers(): readonly Startable[] {
    return this.settings.tellers ?? [];
  }

  private async start(): Promise<void> {
    for (const part of this.parts) {
      if (this.isClosing) return; // closed while other modules were being initialized
      await part.start();
    }
  }

  private startLater({ opened }: Opening): void {
    for (const part of this.parts) part.check?.();
    opened.then(() => this.start()).catch((error: unknown) => this.events.emit('startFailed', { error }));
  }
}

/** Whether the application closes its connections, or has closed them. */
export interface Lifetime {
  isOver: boolean;
}
