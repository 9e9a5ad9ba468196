import { setTimeout as sleep } from 'node:timers/promises';
import { JobKinds, KindTimeoutError, type PauseKindOptions, type TypeOrmJobQueue } from 'nestjs-typeorm-jobs';
import { now } from './clock.js';
import type { Pause } from './records.js';

const AGAIN_MS = 200;

/** Pauses kinds, and notes for how long every live worker had to obey. */
export class PauseWatch {
  readonly pauses: Pause[] = [];
  /** Since when each kind has been paused for all workers. */
  private readonly obeyedAt = new Map<string, number>();

  /** @param queue one that no proxy and no nemesis stands before; the database may restart */
  constructor(private readonly queue: TypeOrmJobQueue) {}

  /** Resolves when all workers obey, or when they have not in time: killed ones are waited for until they count as dead. */
  async pause(kind: string, options: PauseKindOptions & { readonly timeoutMs: number }): Promise<void> {
    const end = performance.now() + options.timeoutMs;
    while (performance.now() < end)
      try {
        await this.kinds.pause(kind, { ...options, timeoutMs: end - performance.now(), wait: true });
        this.obeyedAt.set(kind, now());
        return;
      } catch (error) {
        if (error instanceof KindTimeoutError) return;
        await sleep(AGAIN_MS);
      }
  }

  async resume(kind: string): Promise<void> {
    const from = this.obeyedAt.get(kind);
    if (from !== undefined) this.pauses.push({ kind, from, until: now() });
    this.obeyedAt.delete(kind);
    while (!(await this.isResumed(kind))) await sleep(AGAIN_MS);
  }

  async close(): Promise<void> {
    await this.queue.close();
  }

  private async isResumed(kind: string): Promise<boolean> {
    try {
      await this.kinds.resume(kind);
      return true;
    } catch {
      return false;
    }
  }

  private get kinds(): JobKinds {
    return new JobKinds(this.queue);
  }
}
