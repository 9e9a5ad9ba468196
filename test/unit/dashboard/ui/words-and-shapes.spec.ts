import { describe, expect, it } from '@jest/globals';
import type { KindRow, RatePoint } from '../../../../lib/dashboard/api/screens.js';
import { jobsOf, resultOf } from '../../../../lib/dashboard/ui/text/changed.js';
import { niceTop, partsOf, sparkPoints } from '../../../../lib/dashboard/ui/text/chart-shapes.js';
import { attemptsOf, momentOf, progressText } from '../../../../lib/dashboard/ui/text/job-moment.js';
import { kindStateOf } from '../../../../lib/dashboard/ui/text/kind-state.js';
import { ruleWords } from '../../../../lib/dashboard/ui/text/schedule-rule.js';
import { tagsOf } from '../../../../lib/dashboard/ui/text/tags.js';

describe('The words of the dashboard', () => {
  it('tell when a schedule ticks', () => {
    expect(ruleWords({ cron: '*/5 * * * *', everyMs: null })).toBe('Every 5 minutes');
    expect(ruleWords({ cron: '0 17 * * 1-5', everyMs: null })).toBe('At 17:00, Monday through Friday');
    expect(ruleWords({ cron: 'nonsense', everyMs: null })).toBe('nonsense');
    expect(ruleWords({ cron: null, everyMs: 60_000 })).toBe('Every minute');
    expect(ruleWords({ cron: null, everyMs: 6 * 3_600_000 })).toBe('Every 6 hours');
    expect(ruleWords({ cron: null, everyMs: 90_000 })).toBe('Every 90 seconds');
  });

  it('tell how a kind is', () => {
    const kind = (values: object) =>
      kindStateOf({
        paused: null,
        running: 0,
        workers: 1,
        ready: { value: 0, capped: false },
        ...values,
      } as KindRow);
    expect(kind({})).toEqual({ tone: 'plain', text: 'idle' });
    expect(kind({ running: 2 })).toEqual({ tone: 'good', text: 'working' });
    expect(kind({ workers: 0 })).toEqual({ tone: 'plain', text: 'no worker' });
    expect(kind({ workers: 0, ready: { value: 3, capped: false } })).toEqual({
      tone: 'error',
      text: 'no worker',
    });
    expect(kind({ paused: {}, running: 2 })).toEqual({ tone: 'warning', text: 'draining, 2 running' });
    expect(kind({ paused: {} })).toEqual({ tone: 'warning', text: 'paused' });
  });

  it('tell the instant that matters of a job', () => {
    const job = { runAt: 1, updatedAt: 2, lastAttemptAt: 3 };
    expect(momentOf({ ...job, state: 'scheduled' })).toEqual({ label: 'starts', at: 1 });
    expect(momentOf({ ...job, state: 'running' })).toEqual({ label: 'started', at: 3 });
    expect(momentOf({ ...job, state: 'panic' })).toEqual({ label: 'ended', at: 2 });
    expect(attemptsOf({ attemptsDone: 2, maxAttempts: null })).toBe('2');
    expect(attemptsOf({ attemptsDone: 2, maxAttempts: 5 })).toBe('2/5');
    expect([null, 0.425, { page: 3, of: 'all' }].map(progressText)).toEqual([null, '43 %', 'page 3, of all']);
  });

  it('tell what came of an action', () => {
    expect(jobsOf({ matched: 1 })).toBe('1 job');
    expect(jobsOf({ matched: 10_000, capped: true })).toBe('10,000+ jobs');
    expect(resultOf({ matched: 2, changed: 2, problems: [] }, 'retried')).toBe('2 jobs retried.');
    const problems = [{ id: 'a', problem: 'It runs.' }];
    expect(resultOf({ matched: 2, changed: 1, problems }, 'deleted')).toBe(
      '1 job deleted, 1 not. The first: It runs.',
    );
    expect(resultOf({ matched: 0, changed: 0, problems: [], goesOn: true }, 'deleted')).toContain('goes on');
  });

  it('take tags apart', () => {
    expect(tagsOf(' eu, ,vip,')).toEqual(['eu', 'vip']);
  });
});

describe('The charts of the dashboard', () => {
  const none = { done: 0, failed: 0, panicked: 0, retried: 0, cancelled: 0 };
  const point = (counts: Partial<RatePoint['counts']>): RatePoint => ({
    at: 0,
    counts: { ...none, ...counts },
  });

  it('have a scale that ends with a round number', () => {
    expect([0, 1, 2, 3, 7, 10, 11, 4_800, 9_999].map(niceTop)).toEqual([
      1, 1, 2, 5, 10, 10, 20, 5_000, 10_000,
    ]);
  });

  it('stack the outcomes, and let none vanish', () => {
    expect(partsOf(point({}), 100, 120)).toEqual([]);
    expect(partsOf(point({ done: 50, failed: 25 }), 100, 120)).toEqual([
      { outcome: 'done', y: 60, height: 60 },
      { outcome: 'failed', y: 30, height: 30 },
    ]);
    expect(partsOf(point({ done: 5_000, panicked: 1 }), 10_000, 120)[1]).toEqual({
      outcome: 'panicked',
      y: 59,
      height: 1,
    });
  });

  it('draw a line through the values', () => {
    expect(sparkPoints([0, 2, 1], 100, 20)).toBe('0,20 50,0 100,10');
    expect(sparkPoints([0, 0], 100, 20)).toBe('0,20 100,20');
    expect(sparkPoints([], 100, 20)).toBe('');
  });
});
