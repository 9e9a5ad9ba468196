import { describe, expect, it } from '@jest/globals';
import type { AttemptRow, JobPage } from '../../../../lib/dashboard/api/job-screens.js';
import { timelineOf } from '../../../../lib/dashboard/ui/text/timeline.js';

const BASE = {
  createdAt: 100,
  runAt: 100,
  updatedAt: 900,
  lastAttemptAt: 800,
  attemptsDone: 0,
  cancelReason: null,
  lockedBy: null,
};

function page(job: object, attempts: readonly AttemptRow[] = []): JobPage {
  return { now: 1_000, job: { ...BASE, ...job }, attempts } as unknown as JobPage;
}

function attempt(number: number, outcome: string): AttemptRow {
  const startedAt = number * 200;
  return {
    attempt: number,
    worker: 'w',
    startedAt,
    endedAt: startedAt + 50,
    outcome,
    error: 'E: x\n  at y',
    nextAt: null,
  };
}

const told = (shown: JobPage) => timelineOf(shown).map(({ title, at }) => `${at} ${title}`);

describe('The timeline of a job', () => {
  it('tells its attempts in their order, also where the newest come first', () => {
    const attempts = [attempt(2, 'failed'), attempt(1, 'retry')];
    expect(told(page({ state: 'failed', attemptsDone: 2 }, attempts))).toEqual([
      '100 Enqueued',
      '250 Attempt 1 failed, and another one follows',
      '450 Attempt 2 failed',
    ]);
    expect(timelineOf(page({ state: 'failed' }, attempts))[1]).toMatchObject({
      tookMs: 50,
      worker: 'w',
      text: 'E: x\n  at y',
    });
  });

  it('tells an end that no attempt tells', () => {
    expect(told(page({ state: 'done', attemptsDone: 2 }, [attempt(1, 'retry')])).at(-1)).toBe('900 Done');
    const cancelled = timelineOf(page({ state: 'cancelled', cancelReason: 'enough' })).at(-1);
    expect(cancelled).toMatchObject({ title: 'Cancelled', text: 'enough', tone: 'cancelled' });
  });

  it('tells what comes next', () => {
    const last = (job: object) => told(page(job)).at(-1);
    expect(last({ state: 'scheduled', runAt: 5_000 })).toBe('5000 Starts');
    expect(last({ state: 'retrying', runAt: 5_000, attemptsDone: 2 })).toBe('5000 Attempt 3 may start');
    expect(last({ state: 'ready' })).toBe('100 Ready to run');
    expect(last({ state: 'ready', createdAt: 50, runAt: null })).toBe('50 Ready to run'); // -infinity
    expect(last({ state: 'running' })).toBe('800 Attempt 1 is running');
    expect(last({ state: 'stopping' })).toBe('800 Attempt 1 has been asked to stop');
  });

  it('says where attempts are not recorded', () => {
    expect(told(page({ state: 'failed', attemptsDone: 60 }, [attempt(60, 'failed')]))).toContain(
      '100 Attempts 1 to 59 are not recorded',
    );
  });
});
