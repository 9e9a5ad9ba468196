import { describe, expect, it } from '@jest/globals';
import { EventGaps } from '../../../lib/outbox/event-gaps.js';
import type { StoredEvent } from '../../../lib/queue/event-store.js';

const NOW = 1_000_000;
const at = (seq: number, agoMs = 0): StoredEvent => ({ seq, atMs: NOW - agoMs, event: '{}' });

/** What is told of a page. */
function tell(gaps: EventGaps, ...page: StoredEvent[]): number[] {
  const unseen = gaps.unseen(page, NOW).map(({ seq }) => seq);
  for (const seq of unseen) gaps.saw(seq);
  return unseen;
}

describe('EventGaps', () => {
  it('tells each event once, and reads on after the last one', () => {
    const gaps = new EventGaps(5);
    expect(tell(gaps, at(6), at(7))).toEqual([6, 7]);
    expect(gaps.floor).toBe(7);
    expect(tell(gaps)).toEqual([]);
  });

  it('waits for a number that becomes visible later than those after it', () => {
    const gaps = new EventGaps(0);
    expect(tell(gaps, at(1), at(3))).toEqual([1, 3]);
    expect(gaps.floor).toBe(1);
    expect(tell(gaps, at(3), at(4))).toEqual([4]);
    expect(tell(gaps, at(2), at(3), at(4))).toEqual([2]);
    expect(gaps.floor).toBe(4);
  });

  it('does not wait for ever for a number that was never stored', () => {
    const gaps = new EventGaps(0);
    expect(tell(gaps, at(2, 1_000), at(4, 1_000))).toEqual([2, 4]);
    expect(gaps.floor).toBe(0);
    expect(tell(gaps, at(2, 3_000), at(4, 1_000), at(5))).toEqual([5]);
    expect(gaps.floor).toBe(2);
    expect(tell(gaps, at(4, 3_000), at(5, 3_000))).toEqual([]);
    expect(gaps.floor).toBe(5);
  });

  it('tells old events that it reads for the first time', () => {
    const gaps = new EventGaps(0);
    expect(tell(gaps, at(3, 60_000), at(7, 50_000))).toEqual([3, 7]);
    expect(gaps.floor).toBe(7);
  });
});
