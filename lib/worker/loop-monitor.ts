import { performance } from 'node:perf_hooks';
import type { JobsLogger } from '../job/logger.js';

export interface LoopMonitorSettings {
  readonly heartbeatMs: number;
  readonly leaseMs: number;
}

/** How often within a heartbeat it looks. */
const LOOKS_PER_HEARTBEAT = 4;
const WARN_AGAIN_AFTER_MS = 60_000;

/**
 * Notices when code of this process has kept the event loop for longer than a heartbeat: no lease could be renewed
 * meanwhile, and every job of the process is at risk through one of them. A process that was itself stopped or suspended
 * is another matter, and not told here.
 */
export class LoopMonitor {
  private readonly timer: NodeJS.Timeout;
  private lastLook = performance.now();
  private lastUse = performance.eventLoopUtilization();
  private blockedAt = -Infinity;
  private warnedAt = -Infinity;

  /** @param runningKinds of the jobs that run just now, for the warning */
  constructor(
    private readonly settings: LoopMonitorSettings,
    private readonly logger: JobsLogger,
    private readonly runningKinds: () => readonly string[],
  ) {
    this.timer = setInterval(() => this.look(), settings.heartbeatMs / LOOKS_PER_HEARTBEAT);
  }

  /** The loop was blocked for longer than a heartbeat, and no longer ago than the time of a lease. */
  get isBlocked(): boolean {
    return performance.now() - this.blockedAt < this.settings.leaseMs;
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private look(): void {
    const now = performance.now();
    const use = performance.eventLoopUtilization();
    const gapMs = now - this.lastLook;
    const { active } = performance.eventLoopUtilization(use, this.lastUse);
    this.lastLook = now;
    this.lastUse = use;
    if (gapMs < this.settings.heartbeatMs || active < gapMs / 2) return;
    this.blockedAt = now;
    this.warn(gapMs, now);
  }

  private warn(gapMs: number, now: number): void {
    if (now - this.warnedAt < WARN_AGAIN_AFTER_MS) return;
    this.warnedAt = now;
    const kinds = [...new Set(this.runningKinds())].toSorted().join(', ');
    this.logger.warn(
      `The event loop was blocked for ${Math.round(gapMs)} ms, and no lease could be renewed meanwhile. ` +
        `Jobs are run one at a time for a while. Running now: ${kinds || 'nothing'}. ` +
        `Move long computations to a worker thread or a child process, or raise leaseMs.`,
    );
  }
}
