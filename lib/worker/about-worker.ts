import { hostname } from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import process from 'node:process';
import type { Startable } from '../async/loop.js';
import { RELEASE } from '../job/release.js';
import type { WorkerAbout } from '../queue/worker-about.js';

/** Coarse, so that it costs nothing to speak of. */
const RESOLUTION_MS = 50;
const NANOS_PER_MS = 1_000_000;

/** What a worker tells of its process. */
export class AboutWorker implements Startable {
  private readonly delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

  start(): void {
    this.delays.enable();
  }

  stop(): Promise<void> {
    this.delays.disable();
    return Promise.resolve();
  }

  /** @param own what the process does not know */
  json(own: Pick<WorkerAbout, 'kinds' | 'concurrency' | 'runningKinds' | 'stopping'>): string {
    const about: WorkerAbout = {
      ...own,
      running: Object.values(own.runningKinds).reduce((sum, count) => sum + count, 0),
      host: hostname(),
      pid: process.pid,
      eventLoopDelayMs: this.eventLoopDelayMs(),
      rssBytes: process.memoryUsage.rss(),
      release: RELEASE,
      tzData: process.versions.tz ?? null,
    };
    return JSON.stringify(about);
  }

  /** The longest delay since it was last asked. */
  private eventLoopDelayMs(): number {
    const { max, count } = this.delays;
    this.delays.reset();
    return count === 0 ? 0 : Math.max(0, Math.round(max / NANOS_PER_MS) - RESOLUTION_MS);
  }
}
