import { beforeEach, describe, expect, it } from '@jest/globals';
import { JobsEvents } from '../../../lib/events/jobs-events.js';
import type { KindCounts, StoredCounts } from '../../../lib/queue/kind-counts.js';
import { Tally } from '../../../lib/worker/tally.js';
import { claimedJob } from '../fakes.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const NOW = 500_000 * HOUR + 90_000;

describe('Tally', () => {
  let events: JobsEvents;
  let tally: Tally;

  beforeEach(() => {
    events = new JobsEvents();
    tally = new Tally('worker-1', events);
    tally.start();
  });

  const done = (fields = {}) =>
    events.emit('settled', {
      job: claimedJob(fields),
      outcome: { type: 'done', result: { json: null, bytes: null } },
    });
  const shown = (rows: readonly StoredCounts[]) =>
    rows.map(({ kind, span, minute, counts }) => [kind, span, minute, JSON.parse(counts) as KindCounts]);

  it('counts claims, outcomes and times by kind, for the minute and the hour', () => {
    const updatedAt = new Date(1_000_000);
    const job = claimedJob({ runAt: new Date(999_000), createdAt: new Date(998_000), updatedAt });
    events.emit('claimed', { jobs: [job, job] });
    done();
    events.emit('settled', { job, outcome: { type: 'panic', lastError: '' } });
    events.emit('settledInTransaction', { job: claimedJob({ kind: 'report' }) });
    tally.ran('mail', 5);
    const rows = shown(tally.report(NOW));
    const numbers = { claimed: 2, done: 1, panicked: 1 };
    expect(rows).toEqual([
      ['mail', 1, NOW - 30_000, { ...numbers, wait: { 40: 2 }, run: { 10: 1 } }],
      ['report', 1, NOW - 30_000, { done: 1, wait: {}, run: {} }],
      ['mail', 60, NOW - 90_000, numbers],
      ['report', 60, NOW - 90_000, { done: 1 }],
    ]);
  });

  it('counts nothing of jobs that others hold, and nothing after its stop', async () => {
    done({ lockedBy: 'worker-1-dequeue' });
    events.emit('claimed', { jobs: [claimedJob({ lockedBy: 'other' })] });
    expect(tally.report(NOW)).toEqual([]);
    await tally.stop();
    done();
    expect(tally.report(NOW)).toEqual([]);
  });

  it('reports again what has changed, with all of that minute, and nothing else', () => {
    done();
    tally.sent(tally.report(NOW));
    expect(tally.report(NOW + 10_000)).toEqual([]);
    done();
    expect(shown(tally.report(NOW + 20_000))).toMatchObject([
      ['mail', 1, NOW - 30_000, { done: 2 }],
      ['mail', 60, NOW - 90_000, { done: 2 }],
    ]);
  });

  it('begins again with the next minute, and with the next hour', () => {
    done();
    tally.sent(tally.report(NOW));
    tally.sent(tally.report(NOW + MINUTE));
    done();
    tally.sent(tally.report(NOW + MINUTE));
    tally.sent(tally.report(NOW + HOUR));
    done();
    expect(shown(tally.report(NOW + HOUR))).toMatchObject([
      ['mail', 1, NOW + HOUR - 30_000, { done: 1 }],
      ['mail', 60, NOW + HOUR - 90_000, { done: 1 }],
    ]);
  });

  it('keeps what could not be written, up to a thousand rows', () => {
    for (let n = 0; n < 3; n++) {
      done();
      tally.report(NOW + n * MINUTE);
    }
    const kept = shown(tally.report(NOW + 3 * MINUTE));
    expect(kept.filter(([, span]) => span === 1)).toMatchObject([
      ['mail', 1, NOW - 30_000, { done: 2 }],
      ['mail', 1, NOW + 30_000, { done: 1 }],
    ]);
    expect(kept.filter(([, span]) => span === 60)).toMatchObject([['mail', 60, NOW - 90_000, { done: 3 }]]);
    for (let n = 0; n < 1_200; n++) done({ kind: `kind ${n}` });
    expect(tally.report(NOW + 4 * MINUTE)).toHaveLength(1_000);
  });
});
