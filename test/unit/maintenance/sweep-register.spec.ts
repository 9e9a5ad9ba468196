import { describe, expect, it } from '@jest/globals';
import { ChorePace } from '../../../lib/maintenance/chore-pace.js';
import { SweepRegister } from '../../../lib/maintenance/sweep-register.js';

describe('SweepRegister', () => {
  it('sweeps until nothing is left, and is due again in an hour', async () => {
    const left = [1_000, 20, 0];
    const chore = new SweepRegister(
      { sweep: () => Promise.resolve(left.shift()!) },
      new ChorePace(() => false),
    );
    expect(await chore.run(new AbortController().signal)).toEqual({ dueInMs: 3_600_000, reached: null });
    expect(left).toEqual([]);
  });

  it('ends when it is told to, and is due at once', async () => {
    const stopping = new AbortController();
    const sweep = () => {
      stopping.abort();
      return Promise.resolve(1_000);
    };
    const chore = new SweepRegister({ sweep }, new ChorePace(() => false));
    expect(await chore.run(stopping.signal)).toEqual({ dueInMs: 0, reached: null });
  });
});
