import { after } from '../../async/timers.js';
import type { EncodedJob } from '../../job/encode-job.js';
import type { WakeListener } from '../../queue/job-queue.js';
import type { Notifier } from '../sql/notifier.js';

interface Awaited {
  readonly kind: string;
  readonly since: number;
}

/** How long a worker of this process may take to claim a job before others hear of it. */
const AWAIT_MS = 10;

/**
 * Wakes workers for jobs that have been committed here: those of this process at once, others through the notifier. If an
 * idle worker of this process is about to claim a job that came alone, others hear of it only if it does not do so soon: a
 * notification takes a third of the work of an insert, and would delay the start of the job.
 */
export class WakeUps {
  private readonly listeners = new Set<WakeListener>();
  /** By id, the oldest first. */
  private readonly awaited = new Map<string, Awaited>();
  private cancelTimer: (() => void) | undefined;

  constructor(private readonly notifier: Notifier) {}

  watch(listener: WakeListener): () => void {
    this.listeners.add(listener);
    this.notifier.listen((kinds) => this.tell(kinds));
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size === 0) void this.notifier.unlisten();
    };
  }

  committed(jobs: readonly EncodedJob[]): void {
    const kinds = [...new Set(jobs.map(({ kind }) => kind))];
    const isTaken = this.tell(kinds);
    if (isTaken && jobs.length === 1) this.awaitClaim(jobs[0]!);
    else this.notifier.notify(kinds);
  }

  /** Other processes need not hear of these any more. */
  claimed(jobs: readonly { readonly id: string }[]): void {
    if (this.awaited.size === 0) return;
    for (const { id } of jobs) this.awaited.delete(id);
  }

  async close(): Promise<void> {
    this.listeners.clear();
    this.notifyOfLate(Infinity);
    await this.notifier.close();
  }

  /** @returns whether one of the listeners is about to claim them */
  private tell(kinds: readonly string[] | null): boolean {
    let isTaken = false;
    for (const listener of this.listeners) if (listener(kinds) === true) isTaken = true;
    return isTaken;
  }

  private awaitClaim({ id, kind }: EncodedJob): void {
    this.awaited.set(id, { kind, since: performance.now() });
    this.cancelTimer ??= after(AWAIT_MS, () => this.notifyOfLate());
  }

  /** Notifies of what has not been claimed in time, and looks again when the next job is late. */
  private notifyOfLate(now = performance.now()): void {
    this.cancelTimer?.();
    this.cancelTimer = undefined;
    const kinds = new Set<string>();
    for (const [id, { kind, since }] of this.awaited) {
      if (now - since < AWAIT_MS) {
        this.cancelTimer = after(AWAIT_MS - (now - since), () => this.notifyOfLate());
        break;
      }
      this.awaited.delete(id);
      kinds.add(kind);
    }
    if (kinds.size > 0) this.notifier.notify([...kinds]);
  }
}
