import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { JobEncoder, type EncodedJob } from '../../../../lib/job/encode-job.js';
import { NotifyingInserts } from '../../../../lib/storage/typeorm/notifying-inserts.js';
import { NO_NOTIFIER, type Notification } from '../../../../lib/storage/sql/notifier.js';
import { FAKE_TIMERS } from '../../fakes.js';

const preparer = new JobEncoder(1_000);
const job = (kind = 'k') => preparer.encode({ kind });

class Refused extends Error {}
const wasRefused = (error: unknown) => error instanceof Refused;

describe('NotifyingInserts', () => {
  let inserts: NotifyingInserts;
  /** What has gone along with each insert. */
  let along: (string | undefined)[];

  beforeEach(() => {
    jest.useFakeTimers(FAKE_TIMERS);
    along = [];
    const notification = (kinds: readonly string[]) => ({ channel: 'c', message: kinds.join(' ') });
    inserts = new NotifyingInserts({ ...NO_NOTIFIER, notification }, wasRefused);
  });

  afterEach(() => {
    jest.useRealTimers();
  });

  const pass = (ms: number) => jest.advanceTimersByTime(ms);

  /** @param ms how long the database takes */
  const insert = (jobs: readonly EncodedJob[], ms = 1) =>
    inserts.run(jobs, (notification?: Notification) => {
      along.push(notification?.message);
      pass(ms);
      return Promise.resolve('stored');
    });

  it('let a job that comes alone take its notification along', async () => {
    const jobs = [job('mail')];
    expect(inserts.haveTold(jobs)).toBe(false);
    expect(await insert(jobs)).toBe('stored');
    expect(along).toEqual(['mail']);
    expect(inserts.haveTold(jobs)).toBe(true);
  });

  it('do not where another was inserted less than 10 ms before', async () => {
    await insert([job()]);
    pass(8); // and 1 for the insert
    const jobs = [job()];
    await insert(jobs);
    pass(8);
    await insert([job()]);
    pass(9);
    await insert([job()]);
    expect(along).toEqual(['k', undefined, undefined, 'k']);
    expect(inserts.haveTold(jobs)).toBe(false);
  });

  it('do not where several jobs are inserted together', async () => {
    const jobs = [job(), job()];
    await insert(jobs);
    expect(along).toEqual([undefined]);
    expect(inserts.haveTold(jobs)).toBe(false);
  });

  it('do not where the channel has nothing to take along', async () => {
    inserts = new NotifyingInserts(NO_NOTIFIER, wasRefused);
    const jobs = [job()];
    await insert(jobs);
    expect(along).toEqual([undefined]);
    expect(inserts.haveTold(jobs)).toBe(false);
  });

  it('have not told of a job whose insert failed', async () => {
    const jobs = [job()];
    await expect(inserts.run(jobs, () => Promise.reject(new Error('lost')))).rejects.toThrow('lost');
    expect(inserts.haveTold(jobs)).toBe(false);
  });

  it('insert without where a notification is refused, and have none along for a minute', async () => {
    const jobs = [job()];
    const refuse = (notification?: Notification) => {
      along.push(notification?.message);
      return notification === undefined ? Promise.resolve('stored') : Promise.reject(new Refused());
    };
    expect(await inserts.run(jobs, refuse)).toBe('stored');
    expect(along).toEqual(['k', undefined]);
    expect(inserts.haveTold(jobs)).toBe(false);
    pass(59_980);
    await insert([job()]);
    pass(20);
    await insert([job()]);
    expect(along.slice(2)).toEqual([undefined, 'k']);
  });

  it('reject with what refuses the insert without, too, and go on', async () => {
    await expect(inserts.run([job()], () => Promise.reject(new Refused()))).rejects.toThrow(Refused);
    pass(10);
    await insert([job()]);
    expect(along).toEqual(['k']);
  });

  it('stop for a second where one took longer than 5 ms, for twice as long after the next, until one did not', async () => {
    const slow = () => insert([job()], 6);
    await slow();
    pass(980);
    await slow();
    expect(along).toEqual(['k', undefined]);
    pass(20);
    await slow();
    expect(along.at(-1)).toBe('k');
    pass(1_980);
    await slow();
    expect(along.at(-1)).toBeUndefined();
    pass(20);
    await insert([job()], 5);
    expect(along.at(-1)).toBe('k');
    pass(10);
    await insert([job()]);
    expect(along.at(-1)).toBe('k');
  });

  it('stop for a minute at most', async () => {
    for (let time = 0; time < 20; time++) {
      await insert([job()], 6);
      pass(60_000);
    }
    expect(along).toEqual(Array.from({ length: 20 }, () => 'k'));
  });
});
