import { describe, expect, it } from '@jest/globals';
import { Evidence, type Counts } from './evidence.js';
import type { EnqueuerRecord, Row, WorkerRecord } from './records.js';

/* Tells the comparison of records and table one lie at a time. */
const id = 'a';
const worker = 'w1';

const sent: readonly EnqueuerRecord[] = [
  { type: 'send', id, at: 1 },
  { type: 'answer', id, how: 'ok', at: 2 },
];
const claimed = (token: number, at: number, by = worker): WorkerRecord => ({
  type: 'claim',
  leases: [{ id, token }],
  worker: by,
  at,
});
const started = (token: number, at: number): WorkerRecord => ({ type: 'start', id, token, worker, at });
const settled = (
  token: number,
  answer: Extract<WorkerRecord, { type: 'settle' }>['answer'],
  at: number,
): WorkerRecord => ({ type: 'settle', id, token, answer, worker, at });
const done: Row = { id, status: 'DONE', token: 1, crashes: 0, resultToken: 1 };

const right: readonly WorkerRecord[] = [claimed(1, 3), started(1, 4), settled(1, 'written', 5)];

function countsOf(
  workers: readonly WorkerRecord[] = right,
  rows: readonly Row[] = [done],
  enqueuers: readonly EnqueuerRecord[] = sent,
): Partial<Counts> {
  const { counts } = new Evidence(enqueuers, workers, rows);
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0));
}

describe('The evidence of a scenario', () => {
  it('has nothing against a job that is enqueued, run once and settled', () => {
    expect(countsOf()).toEqual({ acknowledged: 1 });
  });

  it('sees an acknowledged job that is not in the table', () => {
    expect(countsOf([], [])).toEqual({ acknowledged: 1, lost: 1 });
  });

  it('sees a job whose two settlements were both told that they are written', () => {
    const twice = [...right, claimed(2, 6, 'w2'), started(2, 7), settled(2, 'written', 8)];
    const row = { ...done, token: 2, resultToken: 2 };
    expect(countsOf(twice, [row])).toEqual({
      acknowledged: 1,
      settledTwice: 1,
      startedTwice: 1,
      vanished: 1,
    });
  });

  it('sees an acknowledged outcome that is gone', () => {
    const row = { ...done, status: 'PENDING', resultToken: undefined };
    expect(countsOf(right, [row])).toEqual({ acknowledged: 1, vanished: 1, pending: 1 });
  });

  it('sees an outcome that is refused although nothing else had taken the lease', () => {
    const refused = [claimed(1, 3), started(1, 4), settled(1, 'lost', 5)];
    const later = [claimed(2, 6), started(2, 7), settled(2, 'written', 8)];
    const row = { ...done, token: 2, resultToken: 2, crashes: 1 };
    expect(countsOf([...refused, ...later], [row])).toEqual({
      acknowledged: 1,
      refused: 1,
      startedTwice: 1,
      crashes: 1,
    });
  });

  it('excuses a refusal after a later claim', () => {
    const workers = [claimed(1, 3), claimed(2, 4, 'w2'), settled(1, 'lost', 5), settled(2, 'written', 6)];
    expect(countsOf(workers, [{ ...done, token: 2, resultToken: 2 }])).toEqual({ acknowledged: 1 });
  });

  it('excuses a refusal after a try that was written and not answered', () => {
    const workers = [claimed(1, 3), settled(1, 'failed', 4), settled(1, 'lost', 5)];
    expect(countsOf(workers)).toEqual({ acknowledged: 1 });
  });

  it('does not excuse a refusal after a try that was not written', () => {
    const workers = [claimed(1, 3), settled(1, 'failed', 4), settled(1, 'lost', 5)];
    const row = { ...done, status: 'PENDING', resultToken: undefined };
    expect(countsOf(workers, [row])).toEqual({ acknowledged: 1, refused: 1, pending: 1 });
  });

  it('sees a renewal that is told that its lease is lost although nothing had taken or ended it', () => {
    const dropped: WorkerRecord = { type: 'lost', id, token: 1, worker, at: 4 };
    const again = [claimed(2, 5), started(2, 6), settled(2, 'written', 7)];
    const row = { ...done, token: 2, resultToken: 2 };
    expect(countsOf([claimed(1, 3), dropped, ...again], [row])).toEqual({ acknowledged: 1, dropped: 1 });
    expect(countsOf([...right, dropped])).toEqual({ acknowledged: 1 });
    const release: WorkerRecord = { type: 'release', id, token: 1, worker, at: 4 };
    expect(countsOf([claimed(1, 3), release, dropped, ...again], [row])).toEqual({ acknowledged: 1 });
  });

  it('tells refused enqueues and stale reads apart', () => {
    const enqueuers: readonly EnqueuerRecord[] = [
      ...sent,
      { type: 'read', id, isThere: false, at: 3 },
      { type: 'send', id: 'b', at: 4 },
      { type: 'answer', id: 'b', how: 'refused', error: 'away', at: 5 },
      { type: 'send', id: 'c', at: 6 },
      { type: 'answer', id: 'c', how: 'refused', error: 'away', at: 7 },
    ];
    const rows = [done, { ...done, id: 'b' }];
    expect(countsOf(right, rows, enqueuers)).toEqual({
      acknowledged: 1,
      refusedEnqueues: 2,
      refusedButThere: 1,
      reads: 1,
      stale: 1,
    });
    expect(new Evidence(enqueuers, right, rows).reasons).toEqual(['2 × away']);
  });

  it('measures a recovery from what was sent or claimed after the outage', () => {
    const enqueuers: readonly EnqueuerRecord[] = [
      { type: 'send', id, at: 10 },
      { type: 'send', id: 'b', at: 20 },
      { type: 'answer', id, how: 'ok', at: 25 },
      { type: 'answer', id: 'b', how: 'ok', at: 30 },
      { type: 'read failed', id: 'b', error: 'away', at: 35 },
    ];
    const evidence = new Evidence(enqueuers, [claimed(1, 15), claimed(2, 40)], [done]);
    expect(evidence.firstAcknowledgement(18)).toBe(30);
    expect(evidence.firstClaim(18)).toBe(40);
    expect(evidence.refusedFor(18)).toBe(17);
  });
});
