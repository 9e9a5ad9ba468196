import { describe, expect, it } from '@jest/globals';
import type { KindStats } from '../../../lib/client/kind-stats.js';
import type { LiveWorker } from '../../../lib/client/live-worker.js';
import { oldKinds, problemsOf, type ProblemFacts } from '../../../lib/dashboard/screens/problems.js';
import { Histogram } from '../../../lib/job/histogram.js';
import type { KindHistory, StoredCounts } from '../../../lib/queue/kind-counts.js';

const NOW = Date.UTC(2026, 10, 27, 8);
const MINUTE = 60_000;
const NONE = { done: 0, failed: 0, panicked: 0, retried: 0, cancelled: 0 };

const kind = (name: string, facts: Partial<KindStats> = {}): KindStats => ({
  ...{ kind: name, ready: { value: 0, capped: false }, oldestReadyMs: null, blocked: 0, running: 0 },
  ...{ scheduled: { value: 0, capped: false }, failedInDay: 0, perMinute: { ...NONE, claimed: 0 } },
  ...{ waitMs: null, runMs: null, workers: 1, paused: null, ...facts },
});
const found = (facts: Partial<ProblemFacts>) =>
  problemsOf({
    ...{
      stats: [],
      workers: [],
      pauses: [],
      overdue: [],
      hour: [],
      history: { now: NOW, counts: [] },
      ...facts,
    },
  });
const waits = (name: string, minutesAgo: number, ...times: number[]): StoredCounts => {
  const wait = new Histogram();
  for (const ms of times) wait.add(ms);
  return { kind: name, span: 1, minute: NOW - minutesAgo * MINUTE, counts: JSON.stringify({ wait }) };
};

describe('The problems of an overview', () => {
  it('are none where all is well', () => {
    expect(found({ stats: [kind('a', { ready: { value: 9, capped: false }, oldestReadyMs: 50 })] })).toEqual(
      [],
    );
  });

  it('are kinds with ready jobs that no live worker serves', () => {
    const stats = [
      kind('alone', { workers: 0, ready: { value: 1, capped: false }, oldestReadyMs: 99 * MINUTE }),
      kind('idle', { workers: 0 }),
      kind('many', { workers: 0, ready: { value: 1000, capped: true } }),
    ];
    expect(found({ stats }).map(({ code, text }) => [code, text.split(', and')[0]])).toEqual([
      ['no-worker', '1 job is ready of the kind alone'],
      ['no-worker', '1,000 or more jobs are ready of the kind many'],
    ]);
  });

  it('are jobs that wait for over a minute and over ten times as long as usual before they began to', () => {
    const old = (oldestReadyMs: number) => [kind('a', { oldestReadyMs, ready: { value: 1, capped: false } })];
    const usual = [waits('a', 30, 900, 1_000), waits('a', 1, 500_000), waits('b', 30, 500_000)];
    const codes = (ms: number, hour: StoredCounts[]) =>
      found({ stats: old(ms), hour }).map(({ code, severity }) => [code, severity]);
    expect(codes(59_000, [waits('a', 30, 1)])).toEqual([]);
    expect(codes(61_000, [waits('a', 30, 1)])).toEqual([['old-backlog', 'warning']]);
    expect(codes(2 * MINUTE, usual)).toEqual([['old-backlog', 'warning']]);
    expect(codes(2 * MINUTE, [waits('a', 30, 20_000)])).toEqual([]);
    expect(codes(2 * MINUTE, [waits('a', 1, 1)])).toEqual([]); // nothing is known of the time before
    expect(codes(11 * MINUTE, [])).toEqual([['old-backlog', 'warning']]);
    expect(found({ stats: old(2 * MINUTE), hour: usual })[0]).toMatchObject({
      text: expect.stringMatching(/has waited for 2 min\. Before that, 95 % .* than 9\d\d ms|1 s/),
      query: 'view=jobs&kind=a&state=ready&order=oldest',
    });
  });

  it('are asked of for kinds that wait for long, and are served and not paused', () => {
    const pause = { kind: 'a', since: new Date(NOW), until: null, reason: null, stopsRunning: false };
    const old = { oldestReadyMs: 2 * MINUTE };
    const stats = [
      kind('a', old),
      kind('b', { ...old, workers: 0 }),
      kind('c', { ...old, paused: pause }),
      kind('d'),
    ];
    expect(oldKinds(stats)).toEqual(['a']);
  });

  it('are panics of the last hour, overdue schedules, blocked event loops and pauses', () => {
    const counts: KindHistory[] = [
      { ...NONE, kind: 'a', span: 1, minute: NOW - MINUTE, panicked: 2 },
      { ...NONE, kind: 'a', span: 1, minute: NOW, panicked: 1 },
      { ...NONE, kind: 'b', span: 60, minute: NOW, panicked: 9 },
    ];
    const worker = (name: string, eventLoopDelayMs: number) => ({ name, eventLoopDelayMs }) as LiveWorker;
    const pause = { since: new Date(NOW), until: null, leftMs: null, stopsRunning: false };
    const problems = found({
      history: { now: NOW, counts },
      overdue: [{ name: 'nightly', nextAt: new Date(NOW - 3 * 60 * MINUTE) }],
      workers: [worker('w1', 1_000), worker('w2', 1_500)],
      pauses: [
        { ...pause, kind: '*', reason: null },
        { ...pause, kind: 'mail', reason: 'no server' },
      ],
    });
    expect(problems.map(({ severity, text }) => [severity, text])).toEqual([
      ['error', '3 jobs of the kind a panicked in the last hour.'],
      ['error', 'The schedule nightly has not made its job, 3 h ago. Is a worker live that knows it?'],
      ['warning', expect.stringContaining('The event loop of w2 stood still for 2 s')],
      ['warning', 'All kinds are paused since 2026-11-27T08:00:00.000Z.'],
      ['warning', 'The kind mail is paused since 2026-11-27T08:00:00.000Z: no server'],
    ]);
  });

  it('are at most a hundred, the worst first', () => {
    const workers = Array.from({ length: 200 }, () => ({ name: 'w', eventLoopDelayMs: 5_000 }) as LiveWorker);
    const stats = [kind('a', { workers: 0, ready: { value: 1, capped: false } })];
    const problems = found({ stats, workers });
    expect([problems.length, problems[0]!.code]).toEqual([100, 'no-worker']);
  });
});
