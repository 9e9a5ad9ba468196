import { performance } from 'node:perf_hooks';
import { Loop, type Startable } from '../async/loop.js';
import { sleep } from '../async/timers.js';
import type { JobsEvents } from '../events/jobs-events.js';

export interface EventLoopMonitorSettings {
  readonly heartbeatMs: number;
  readonly leaseMs: number;
}

/** How many times within a heartbeat it looks. */
const LOOKS_PER_HEARTBEAT = 4;
const TELL_AGAIN_AFTER_MS = 60_000;

/**
 * Notices when code of this process has kept the event loop for longer than a heartbeat: no lease could be renewed
 * meanwhile, and one job puts every job of the process at risk. It does not count a process that was itself stopped or
 * suspended.
 */
export class EventLoopMonitor implements Startable {
  private readonly loop = new Loop((signal) => this.lookLater(signal));
  private lastLook = 0;
  private lastUse = performance.eventLoopUtilization();
  private blockedAt = -Infinity;
  private toldAt = -Infinity;

  /** @param runningKinds the kinds of the jobs that run just now */
  constructor(
    private readonly settings: EventLoopMonitorSettings,
    private readonly events: JobsEvents,
    private readonly runningKinds: () => readonly string[],
  ) {}

  /** The event loop was blocked for longer than a heartbeat, less than the time of a lease ago. */
  get isBlocked(): boolean {
    return performance.now() - this.blockedAt < this.settings.leaseMs;
  }

  start(): void {
    this.lastLook = performance.now();
    this.lastUse = performance.eventLoopUtilization();
    this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  private async lookLater(signal: AbortSignal): Promise<void> {
    if (await sleep(this.settings.heartbeatMs / LOOKS_PER_HEARTBEAT, signal)) this.look();
  }

  private look(): void {
    const now = performance.now();
    const use = performance.eventLoopUtilization();
    const gapMs = now - this.lastLook;
    const { active } = performance.eventLoopUtilization(use, this.lastUse);
    this.lastLook = now;
    this.lastUse = use;
    // Looks are due several times within a heartbeat. What kept the loop for a whole one between two looks let none of them in.
    if (active < this.settings.heartbeatMs) return;
    this.blockedAt = now;
    this.tell(gapMs, now);
  }

  private tell(blockedMs: number, now: number): void {
    if (now - this.toldAt < TELL_AGAIN_AFTER_MS) return;
    this.toldAt = now;
    const kinds = [...new Set(this.runningKinds())].toSorted();
    this.events.emit('eventLoopBlocked', { blockedMs, kinds });
  }
}
