import { describe, expect, it } from '@jest/globals';
import { LostAttempts } from '../../../lib/execution/lost-attempts.js';

describe('LostAttempts', () => {
  it('remembers the last thousand', () => {
    const lost = new LostAttempts();
    for (let n = 0; n < 1_500; n++) lost.add(`job ${n}`);
    expect(lost.ids).toHaveLength(1_000);
    expect([lost.ids[0], lost.ids.at(-1)]).toEqual(['job 500', 'job 1499']);
  });
});
