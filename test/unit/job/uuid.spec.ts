import { describe, expect, it } from '@jest/globals';
import { UuidV7 } from '../../../lib/job/uuid.js';

describe('UuidV7', () => {
  it('makes ids of version 7 that carry the time', () => {
    const id = new UuidV7().next(0x0123_4567_89ab);
    expect(id).toMatch(/^01234567-89ab-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it('makes ids that rise, also within a millisecond, past 4096 of them, and when the clock goes back', () => {
    const uuids = new UuidV7();
    const ids = Array.from({ length: 10_000 }, () => uuids.next(1_800_000_000_000));
    ids.push(uuids.next(1_700_000_000_000), uuids.next(1_900_000_000_000));
    expect(ids.toSorted()).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
  });
});
