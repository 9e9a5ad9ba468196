import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { JobEncoder } from '../../../../lib/job/encode-job.js';
import { NO_NOTIFIER, type OnWake } from '../../../../lib/storage/sql/notifier.js';
import { WakeUps } from '../../../../lib/storage/typeorm/wake-ups.js';
import { FAKE_TIMERS } from '../../fakes.js';

const preparer = new JobEncoder(1_000);
const job = (kind: string) => preparer.encode({ kind });

describe('WakeUps', () => {
  let notified: (readonly string[])[];
  let notifiedDue: unknown[];
  let hinted: string[];
  /** What arrives from other processes, while it listens. */
  let arrive: OnWake | undefined;
  let wakeUps: WakeUps;

  beforeEach(() => {
    jest.useFakeTimers(FAKE_TIMERS);
    [notified, notifiedDue, hinted] = [[], [], []];
    const notifier = {
      ...NO_NOTIFIER,
      notify: (kinds: readonly string[]) => notified.push(kinds),
      notifyDue: (...due: unknown[]) => notifiedDue.push(due),
      hint: (name: string) => hinted.push(name),
      listen: (onWake: OnWake) => void (arrive = onWake),
      unlisten: async () => void (arrive = undefined),
    };
    wakeUps = new WakeUps(notifier);
  });

  afterEach(async () => {
    await wakeUps.close();
    expect(jest.getTimerCount()).toBe(0);
    jest.useRealTimers();
  });

  const isAboutToClaim = () => true;

  it('tells all listeners, and others at once where none of them is about to claim', () => {
    const heard: unknown[] = [];
    wakeUps.watch((kinds) => heard.push(['first', kinds]));
    wakeUps.watch((kinds) => heard.push(['second', kinds]));
    wakeUps.committed([job('a'), job('b'), job('a')]);
    expect(heard).toEqual([
      ['first', ['a', 'b']],
      ['second', ['a', 'b']],
    ]);
    expect(notified).toEqual([['a', 'b']]);
  });

  it('tells others nothing of a job that is claimed here', async () => {
    wakeUps.watch(isAboutToClaim);
    const enqueued = job('a');
    wakeUps.committed([enqueued]);
    await jest.advanceTimersByTimeAsync(9);
    wakeUps.claimed([job('another'), enqueued]);
    await jest.advanceTimersByTimeAsync(100);
    expect(notified).toEqual([]);
  });

  it('tells others of a job that has not been claimed here within 10 ms', async () => {
    wakeUps.watch(isAboutToClaim);
    wakeUps.committed([job('a')]);
    await jest.advanceTimersByTimeAsync(9);
    expect(notified).toEqual([]);
    await jest.advanceTimersByTimeAsync(1);
    expect(notified).toEqual([['a']]);
  });

  it('gives each job its own 10 ms', async () => {
    wakeUps.watch(isAboutToClaim);
    const [first, second, third] = [job('first'), job('second'), job('third')];
    for (const each of [first, second, third]) {
      wakeUps.committed([each]);
      await jest.advanceTimersByTimeAsync(4);
    }
    expect(notified).toEqual([['first']]); // 12 ms after the first, 8 and 4 after the others
    wakeUps.claimed([second]);
    await jest.advanceTimersByTimeAsync(5);
    expect(notified).toEqual([['first']]);
    await jest.advanceTimersByTimeAsync(1);
    expect(notified).toEqual([['first'], ['third']]);
  });

  it('tells others at once of more than one job', () => {
    wakeUps.watch(isAboutToClaim);
    wakeUps.committed([job('a'), job('a')]);
    expect(notified).toEqual([['a']]);
  });

  it('tells others of what is left when it is closed', async () => {
    wakeUps.watch(isAboutToClaim);
    wakeUps.committed([job('a')]);
    await wakeUps.close();
    expect(notified).toEqual([['a']]);
  });

  it('tells listeners and others when scheduled jobs are due', () => {
    const heard: unknown[] = [];
    wakeUps.watch((...told) => {
      heard.push(told);
      return true;
    });
    wakeUps.scheduled(['a'], 500);
    wakeUps.scheduled(null, 300);
    expect(heard).toEqual([
      [['a'], 500],
      [null, 300],
    ]);
    expect(notifiedDue).toEqual(heard);
    expect(notified).toEqual([]);
  });

  it('tells listeners alone what a claim has found out: other processes do so themselves', () => {
    const heard: unknown[] = [];
    wakeUps.watch((...told) => heard.push(told));
    wakeUps.nextIsDue(['a', 'b'], 500);
    expect(heard).toEqual([[['a', 'b'], 500]]);
    expect(notifiedDue).toEqual([]);
  });

  it('tells nobody any more who has stopped watching', () => {
    const heard: unknown[] = [];
    const unwatch = wakeUps.watch((kinds) => heard.push(kinds));
    unwatch();
    wakeUps.committed([job('a')]);
    expect(heard).toEqual([]);
  });

  it('tells those who listen for events, of this process and of others, and workers nothing of them', () => {
    let [heardOfEvents, heardOfJobs] = [0, 0];
    wakeUps.watch(() => {
      heardOfJobs++;
    });
    const unwatch = wakeUps.watchEvents(() => {
      heardOfEvents++;
    });
    wakeUps.eventsWritten();
    expect([heardOfEvents, heardOfJobs]).toEqual([1, 0]);
    expect(hinted).toHaveLength(1);
    arrive!(hinted);
    expect([heardOfEvents, heardOfJobs]).toEqual([2, 0]);
    arrive!(['a']);
    arrive!(null, 500); // jobs of any kind are due later
    expect([heardOfEvents, heardOfJobs]).toEqual([2, 2]);
    arrive!(null); // something may have been missed
    expect([heardOfEvents, heardOfJobs]).toEqual([3, 3]);
    unwatch();
    wakeUps.eventsWritten();
    expect(heardOfEvents).toBe(3);
  });

  it('hears of other processes while something listens for jobs or for events', () => {
    const unwatchEvents = wakeUps.watchEvents(() => undefined);
    expect(arrive).toBeDefined();
    const unwatchJobs = wakeUps.watch(() => undefined);
    unwatchEvents();
    expect(arrive).toBeDefined();
    unwatchJobs();
    expect(arrive).toBeUndefined();
  });
});
