import { beforeEach, describe, expect, it } from '@jest/globals';
import type { HeldJob } from '../../../lib/execution/held-job.js';
import { HeldJobs } from '../../../lib/execution/held-jobs.js';
import { Slots } from '../../../lib/worker/slots.js';
import { heldJob } from '../fakes.js';

describe('Slots', () => {
  let held: HeldJobs;

  beforeEach(() => {
    held = new HeldJobs();
  });

  const slots = (size: number, limits: readonly [string, number][] = []) =>
    new Slots(size, new Map(limits), held);

  function claimed(kind: string): HeldJob {
    const job = heldJob({ kind });
    held.add(job);
    return job;
  }

  function started(kind: string): HeldJob {
    const job = claimed(kind);
    held.start(job);
    return job;
  }

  it('counts running jobs against its size', () => {
    const two = slots(2);
    expect(two.free).toBe(2);
    const job = started('mail');
    expect(two.free).toBe(1);
    held.end(job);
    expect(two.free).toBe(2);
  });

  it('does not count a job that is claimed and not started', () => {
    const two = slots(2);
    held.queue(claimed('mail'));
    claimed('mail');
    expect(two.free).toBe(2);
  });

  it('counts a kind with a limit of its own from the claim to the end', () => {
    const ten = slots(10, [['mail', 2]]);
    expect(ten.hasLimit('mail')).toBe(true);
    expect(ten.room).toEqual(new Map([['mail', 2]]));
    const [first, second] = [claimed('mail'), claimed('mail')];
    expect(ten.hasRoom('mail')).toBe(false);
    expect(ten.room).toEqual(new Map([['mail', 0]]));
    held.start(first);
    expect(ten.hasRoom('mail')).toBe(false);
    held.end(first);
    expect(ten.hasRoom('mail')).toBe(true);
    held.close(second); // given back
    expect(ten.room).toEqual(new Map([['mail', 2]]));
  });

  it('binds a kind without a limit only by its size', () => {
    const one = slots(1, [['mail', 1]]);
    for (let count = 0; count < 5; count++) claimed('report');
    expect(one.hasLimit('report')).toBe(false);
    expect(one.hasRoom('report')).toBe(true);
    expect(one.room.has('report')).toBe(false);
  });

  it('tells when more run than there are slots', () => {
    const one = slots(1);
    started('mail');
    started('mail');
    expect(one.free).toBe(-1);
  });
});
