import { describe, expect, it } from '@jest/globals';
import { sleep } from '../../../lib/async/timers.js';
import { ChorePace } from '../../../lib/maintenance/chore-pace.js';

describe('ChorePace', () => {
  const running = new AbortController().signal;

  /** How many times as long as its work a batch takes. */
  const share = async (isBehind: boolean) => {
    let [begun, workMs] = [0, 0];
    await new ChorePace(() => isBehind).batch(async () => {
      begun = performance.now(); // the batch takes longer than what is measured here, and never less
      await sleep(10, running);
      workMs = performance.now() - begun;
    }, running);
    return (performance.now() - begun) / workMs;
  };

  it('works a twentieth of the time, and a fiftieth while jobs wait', async () => {
    expect(await share(false)).toBeGreaterThan(19.5);
    expect(await share(true)).toBeGreaterThan(49.5);
  });

  it('does not pause once the turn has ended', async () => {
    const batch = new ChorePace(() => true).batch(
      () => sleep(2_000, AbortSignal.abort()),
      AbortSignal.abort(),
    );
    expect(await batch).toBe(false);
  });
});
