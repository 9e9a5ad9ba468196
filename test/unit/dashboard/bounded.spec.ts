import { describe, expect, it } from '@jest/globals';
import { deferred } from '../../../lib/async/deferred.js';
import { BoundedReads } from '../../../lib/dashboard/values/bounded.js';
import { Remembered } from '../../../lib/dashboard/values/remembered.js';
import { until } from '../../support/until.js';

describe('Reads of the dashboard', () => {
  it('run three at once, and the others in turn', async () => {
    const reads = new BoundedReads();
    const ends = Array.from({ length: 5 }, () => deferred<number>());
    let begun = 0;
    const all = ends.map((end) =>
      reads.run(() => {
        begun += 1;
        return end.promise;
      }),
    );
    await until(() => begun === 3);
    ends[0]!.resolve(0);
    await until(() => begun === 4);
    ends.forEach((end, n) => end.resolve(n));
    expect(await Promise.all(all)).toEqual([0, 1, 2, 3, 4]);
  });

  it('keep their turn though the page waits no more, so that they do not pile up', async () => {
    const reads = new BoundedReads(20);
    const never = deferred();
    const late = Array.from({ length: 3 }, () => reads.run(() => never.promise));
    for (const read of late) await expect(read).rejects.toMatchObject({ code: 'too-slow' });
    let isBegun = false;
    const next = reads.run(() => {
      isBegun = true;
      return Promise.resolve();
    });
    await expect(next).rejects.toMatchObject({ code: 'too-slow' });
    expect(isBegun).toBe(false);
    never.resolve();
    await until(async () => (await reads.run(() => Promise.resolve(1)).catch(() => 0)) === 1);
  });

  it('tell of the error of a read', async () => {
    await expect(new BoundedReads().run(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  });
});

describe('What is remembered', () => {
  it('is read once for all who ask meanwhile, and again when it is old', async () => {
    let reads = 0;
    const remembered = new Remembered(() => Promise.resolve(++reads), 1_000_000);
    expect(await Promise.all([remembered.get(), remembered.get()])).toEqual([1, 1]);
    expect(await remembered.get()).toBe(1);
    const forgotten = new Remembered(() => Promise.resolve(++reads), 0);
    expect([await forgotten.get(), await forgotten.get()]).toEqual([2, 3]);
  });

  it('is no error', async () => {
    let fails = true;
    const remembered = new Remembered(
      () => (fails ? Promise.reject(new Error('no')) : Promise.resolve(1)),
      1e6,
    );
    await expect(remembered.get()).rejects.toThrow('no');
    fails = false;
    expect(await remembered.get()).toBe(1);
  });
});
