import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { JobsEvents } from '../../../lib/events/jobs-events.js';
import type { JobQueue } from '../../../lib/queue/job-queue.js';
import type { Controls, KindStore, WorkerReport } from '../../../lib/queue/kind-store.js';
import { ControlWatch } from '../../../lib/worker/control-watch.js';
import { FAKE_TIMERS, heard, turn } from '../fakes.js';

/** Notes what is sent, in order. */
class Register {
  sent: string[] = [];
  reports: WorkerReport[] = [];
  now: Controls = { now: 0, changed: 0, pauses: [] };
  isTold = true;
  failure: Error | undefined;
  listener: () => void = () => undefined;

  beat = (report: WorkerReport): Promise<Controls> => {
    this.sent.push('beat');
    if (this.failure) return Promise.reject(this.failure);
    this.reports.push(report);
    return Promise.resolve(this.now);
  };

  controls = (): Promise<Controls> => {
    this.sent.push('read');
    return this.failure ? Promise.reject(this.failure) : Promise.resolve(this.now);
  };

  forget = (): Promise<void> => {
    this.sent.push('forget');
    return Promise.resolve();
  };

  watch = (listener: () => void): (() => void) => {
    this.listener = listener;
    return () => undefined;
  };
}

describe('ControlWatch', () => {
  let register: Register;
  let events: JobsEvents;
  let watch: ControlWatch;
  let obeyed: number[];

  beforeEach(() => {
    jest.useFakeTimers(FAKE_TIMERS);
    register = new Register();
    events = new JobsEvents();
    obeyed = [];
    const queue = { kinds: register as unknown as KindStore } satisfies Pick<JobQueue, 'kinds'>;
    watch = new ControlWatch(
      queue,
      { workerId: 'w' },
      events,
      { about: () => '{}', counts: () => [], counted: () => undefined },
      () => void obeyed.push(register.reports.length),
    );
  });

  afterEach(async () => {
    const stopped = watch.stop();
    await turn();
    await jest.advanceTimersByTimeAsync(1_000);
    await stopped;
    expect(register.sent.at(-1)).toBe('forget');
    expect(jest.getTimerCount()).toBe(0);
    jest.useRealTimers();
  });

  const pass = (ms: number) => jest.advanceTimersByTimeAsync(ms);
  const paused = (changed: number, kind = 'mail'): Controls => ({
    now: 0,
    changed,
    pauses: [{ kind, since: new Date(0), until: null, leftMs: null, reason: null, stopsRunning: false }],
  });

  it('registers first, and reads then', async () => {
    watch.start();
    expect(watch.gate.isOpen('mail')).toBe(false);
    await pass(0);
    expect(register.sent).toEqual(['beat', 'read']);
    expect(watch.gate.isOpen('mail')).toBe(true);
  });

  it('says that it has seen a change once that is obeyed, and at once', async () => {
    register.now = paused(3);
    watch.start();
    await pass(0);
    expect(register.sent).toEqual(['beat', 'read', 'beat']);
    expect(register.reports.map(({ controlsSeen }) => controlsSeen)).toEqual([0, 3]);
    expect(obeyed[0]).toBe(1); // before the second beat
    expect(watch.gate.isOpen('mail')).toBe(false);
  });

  it('sends one statement in about ten seconds where the storage tells of changes', async () => {
    watch.start();
    await pass(100_000);
    const count = register.sent.length - 2;
    expect(count).toBeGreaterThanOrEqual(8);
    expect(count).toBeLessThanOrEqual(14);
    expect(new Set(register.sent.slice(2))).toEqual(new Set(['beat']));
  });

  it('reads about every five seconds where the storage does not', async () => {
    register.isTold = false;
    watch.start();
    await pass(100_000);
    const count = register.sent.length - 2;
    expect(count).toBeGreaterThanOrEqual(15);
    expect(count).toBeLessThanOrEqual(32);
  });

  it('reads at a hint, but no more than ten times a second', async () => {
    watch.start();
    await pass(1_000);
    register.sent = [];
    register.now = paused(1);
    register.listener();
    await pass(0);
    expect(register.sent).toEqual(['read', 'beat']);
    register.sent = [];
    for (let n = 0; n < 100; n++) {
      register.listener();
      await pass(10);
    }
    expect(register.sent.length).toBeLessThanOrEqual(12);
  });

  it('closes while it cannot read, says so once, and opens when it can', async () => {
    const failed = heard(events, 'controlsFailed');
    const recovered = heard(events, 'controlsRecovered');
    watch.start();
    await pass(0);
    register.failure = new Error('gone');
    await pass(15_000);
    expect(watch.gate.isOpen('mail')).toBe(true);
    await pass(30_000);
    expect(watch.gate.isOpen('mail')).toBe(false);
    register.failure = undefined;
    register.sent = [];
    await pass(7_000);
    expect(register.sent.slice(0, 2)).toEqual(['beat', 'read']);
    expect(watch.gate.isOpen('mail')).toBe(true);
    expect(failed.map(({ failures }) => failures).slice(0, 3)).toEqual([1, 2, 3]);
    expect(recovered).toEqual([{ failures: failed.length }]);
  });

  it('tells of pauses and of their ends', async () => {
    const [begun, over] = [heard(events, 'kindPaused'), heard(events, 'kindResumed')];
    register.now = paused(1);
    watch.start();
    await pass(20_000);
    expect(begun).toMatchObject([{ kind: 'mail' }]);
    register.now = paused(3, 'report');
    register.listener();
    await pass(0);
    expect(begun).toHaveLength(2);
    expect(over).toEqual([{ kind: 'mail' }]);
  });
});
