import { describe, expect, it } from '@jest/globals';
import { deferred } from '../../../lib/async/deferred.js';

describe('deferred', () => {
  it('resolves its promise with the first value, and hears no second one', async () => {
    const { promise, resolve, reject } = deferred<number>();
    resolve(1);
    resolve(2);
    reject(new Error('late'));
    expect(await promise).toBe(1);
  });

  it('rejects its promise with the error as it is', async () => {
    const { promise, reject } = deferred();
    const error = new Error('broken');
    reject(error);
    await expect(promise).rejects.toBe(error);
  });

  it('can be settled before anyone waits for it', async () => {
    const { promise, resolve } = deferred();
    resolve();
    await expect(promise).resolves.toBeUndefined();
  });
});
