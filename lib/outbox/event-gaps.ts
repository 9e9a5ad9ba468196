import type { StoredEvent } from '../queue/event-store.js';

/** A number that has not come by then was given up: its insert has failed. */
const COMES_WITHIN_MS = 2_000;

/**
 * Which events have been read. Inserts that run at the same time get their numbers in one order and become visible in another
 * one, so a number that is missing is waited for a while before the reader goes past it.
 */
export class EventGaps {
  private readonly seen = new Set<number>();

  /** @param floor everything up to here has been read, or is not waited for any more */
  constructor(public floor: number) {}

  /** Those that have not been read, in their order. @param events all after the floor, or the first of them */
  unseen(events: readonly StoredEvent[], nowMs: number): StoredEvent[] {
    const fresh = events.filter(({ seq }) => !this.seen.has(seq));
    const old = events.filter(({ atMs }) => nowMs - atMs > COMES_WITHIN_MS).at(-1);
    if (old !== undefined) this.giveUpBelow(old.seq);
    return fresh;
  }

  saw(seq: number): void {
    if (seq <= this.floor) return;
    this.seen.add(seq);
    while (this.seen.delete(this.floor + 1)) this.floor += 1;
  }

  /** Numbers that are missing before this one do not come any more. */
  private giveUpBelow(seq: number): void {
    for (const one of this.seen) if (one <= seq) this.seen.delete(one);
    this.floor = Math.max(this.floor, seq);
    while (this.seen.delete(this.floor + 1)) this.floor += 1;
  }
}
