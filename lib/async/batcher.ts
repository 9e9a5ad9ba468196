import { endsWithin } from './timers.js';
import { nextTurn } from './turn.js';

export interface BatcherSteps<T> {
  /** How many of the waiting items, from the first on, leave together: at least one. */
  readonly count: (waiting: readonly T[]) => number;
  /** Sends them. Never rejects. */
  readonly send: (batch: readonly T[]) => Promise<void>;
  /**
   * When to give the event loop a turn, so that more items gather: before the first batch, for items that come in the
   * same turn; or after each batch of several, for callers that add their next item as soon as they are answered.
   */
  readonly gathers?: 'before' | 'between';
  /** After so many milliseconds the next batch leaves beside one that is stuck. Default: it waits for as long as it takes. */
  readonly patienceMs?: number;
}

/** How many batches may be stuck before the next one waits for them. */
const MAX_STUCK = 3;

/**
 * Sends items in batches, one batch at a time and without a timer: while one is under way, what arrives gathers and
 * leaves together when it returns.
 */
export class Batcher<T> {
  private readonly waiting: T[] = [];
  private sending: Promise<void> | undefined;
  private readonly stuck = new Set<Promise<void>>();

  constructor(private readonly steps: BatcherSteps<T>) {}

  add(item: T): void {
    this.waiting.push(item);
    this.sending ??= this.sendAll();
  }

  /** Forgets what has not left yet. */
  clear(): void {
    this.waiting.length = 0;
  }

  /** Resolves when nothing is waiting or under way. */
  async idle(): Promise<void> {
    await this.sending;
    await Promise.all(this.stuck);
  }

  private async sendAll(): Promise<void> {
    const { count, send, gathers, patienceMs } = this.steps;
    if (gathers === 'before') await nextTurn();
    while (this.waiting.length > 0) {
      const batch = this.waiting.splice(0, count(this.waiting));
      const sent = send(batch);
      await (patienceMs === undefined ? sent : this.patiently(sent, patienceMs));
      if (gathers === 'between' && batch.length > 1) await nextTurn();
    }
    this.sending = undefined;
  }

  /** Waits for a batch, but not longer than `ms` unless too many are stuck already. */
  private async patiently(sent: Promise<void>, ms: number): Promise<void> {
    if (this.stuck.size >= MAX_STUCK) return sent;
    if (await endsWithin(sent, ms)) return;
    this.stuck.add(sent);
    void sent.finally(() => this.stuck.delete(sent));
  }
}
