import { describe, expect, it } from '@jest/globals';
import { Slots } from '../../../lib/worker/slots.js';

describe('Slots', () => {
  it('counts running jobs against its size', () => {
    const slots = new Slots(2, new Map());
    expect(slots.free).toBe(2);
    slots.claimed('mail');
    slots.started();
    expect(slots.free).toBe(1);
    slots.ended('mail');
    expect(slots.free).toBe(2);
  });

  it('does not count a job that is claimed and not started', () => {
    const slots = new Slots(2, new Map());
    slots.claimed('mail');
    expect(slots.free).toBe(2);
  });

  it('counts a kind with a limit of its own from the claim to the end', () => {
    const slots = new Slots(10, new Map([['mail', 2]]));
    expect(slots.room).toEqual(new Map([['mail', 2]]));
    slots.claimed('mail');
    slots.claimed('mail');
    expect(slots.hasRoom('mail')).toBe(false);
    expect(slots.room).toEqual(new Map([['mail', 0]]));
    slots.started();
    expect(slots.hasRoom('mail')).toBe(false);
    slots.ended('mail');
    expect(slots.hasRoom('mail')).toBe(true);
    slots.gone('mail');
    expect(slots.room).toEqual(new Map([['mail', 2]]));
  });

  it('binds a kind without a limit only by its size', () => {
    const slots = new Slots(1, new Map([['mail', 1]]));
    for (let count = 0; count < 5; count++) slots.claimed('report');
    expect(slots.hasRoom('report')).toBe(true);
    expect(slots.room.has('report')).toBe(false);
  });

  it('tells when more run than there are slots', () => {
    const slots = new Slots(1, new Map());
    slots.started();
    slots.started();
    expect(slots.free).toBe(-1);
  });
});
