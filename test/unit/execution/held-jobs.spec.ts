import { beforeEach, describe, expect, it } from '@jest/globals';
import {
  pendingSettlement,
  type HeldJob,
  type HandlerState,
  type LeaseState,
} from '../../../lib/execution/held-job.js';
import { HeldJobs } from '../../../lib/execution/held-jobs.js';
import { LeaseLostError } from '../../../lib/job/errors.js';
import type { Outcome } from '../../../lib/job/outcome.js';
import { heldJob, turn } from '../fakes.js';

const DONE: Outcome = { type: 'done', result: { json: null, bytes: null } };

/** In which of the lists and counts of `HeldJobs` a job is. */
const LISTS = ['renewable', 'leases', 'open', 'unstarted', 'waiting', 'unfinished', 'settling'] as const;
type List = (typeof LISTS)[number];

let held: HeldJobs;

beforeEach(() => {
  held = new HeldJobs();
});

function claimed(id = 'a', kind = 'mail'): HeldJob {
  const job = heldJob({ id, kind });
  held.add(job);
  return job;
}

function waiting(id?: string, kind?: string): HeldJob {
  const job = claimed(id, kind);
  held.queue(job);
  return job;
}

function running(id?: string, kind?: string): HeldJob {
  const job = waiting(id, kind);
  held.nextWaiting();
  held.start(job);
  return job;
}

function settle(job: HeldJob): void {
  held.settle(job, pendingSettlement(job, DONE));
}

const lose = (job: HeldJob) => held.lose(job, new LeaseLostError(job.id, 'it has run out'));

const listsOf = (job: HeldJob): List[] => LISTS.filter((list) => held[list].includes(job));

/** What each transition makes of a job: its states, the lists that it is in, and whether it counts for its kind. */
type Step = [
  what: string,
  transition: (job: HeldJob) => void,
  states: [HandlerState, LeaseState],
  lists: readonly List[],
  countsForKind: boolean,
];

const PATHS: Record<string, readonly Step[]> = {
  'that runs and is written': [
    ['add', () => undefined, ['claimed', 'held'], ['renewable', 'leases', 'open', 'unstarted'], true],
    [
      'queue',
      (job) => held.queue(job),
      ['waiting', 'held'],
      ['renewable', 'leases', 'open', 'unstarted', 'waiting'],
      true,
    ],
    [
      'start',
      (job) => held.start(job),
      ['running', 'held'],
      ['renewable', 'leases', 'open', 'unfinished'],
      true,
    ],
    ['settle', settle, ['running', 'settling'], ['renewable', 'leases', 'open', 'settling'], true],
    [
      'end',
      (job) => held.end(job),
      ['ended', 'settling'],
      ['renewable', 'leases', 'open', 'settling'],
      false,
    ],
    ['close', (job) => held.close(job), ['ended', 'over'], [], false],
  ],
  'whose outcome is written while its handler still runs': [
    [
      'start',
      (job) => held.start(job),
      ['running', 'held'],
      ['renewable', 'leases', 'open', 'unfinished'],
      true,
    ],
    ['settle', settle, ['running', 'settling'], ['renewable', 'leases', 'open', 'settling'], true],
    ['close', (job) => held.close(job), ['running', 'over'], [], true],
    ['end', (job) => held.end(job), ['ended', 'over'], [], false],
  ],
  'that is given back before it is queued': [
    ['close', (job) => held.close(job), ['ended', 'over'], [], false],
    ['queue', (job) => held.queue(job), ['ended', 'over'], [], false],
  ],
  'that is given back while it waits': [
    [
      'queue',
      (job) => held.queue(job),
      ['waiting', 'held'],
      ['renewable', 'leases', 'open', 'unstarted', 'waiting'],
      true,
    ],
    ['close', (job) => held.close(job), ['ended', 'over'], [], false],
  ],
  'that is given back while it runs': [
    [
      'start',
      (job) => held.start(job),
      ['running', 'held'],
      ['renewable', 'leases', 'open', 'unfinished'],
      true,
    ],
    ['close', (job) => held.close(job), ['running', 'over'], [], true],
    ['end', (job) => held.end(job), ['ended', 'over'], [], false],
  ],
  'that is lost while it waits': [
    [
      'queue',
      (job) => held.queue(job),
      ['waiting', 'held'],
      ['renewable', 'leases', 'open', 'unstarted', 'waiting'],
      true,
    ],
    ['lose', lose, ['waiting', 'lost'], ['open', 'unstarted', 'waiting'], true],
    ['close', (job) => held.close(job), ['ended', 'over'], [], false],
  ],
  'that is lost while it runs, and whose outcome is dropped': [
    [
      'start',
      (job) => held.start(job),
      ['running', 'held'],
      ['renewable', 'leases', 'open', 'unfinished'],
      true,
    ],
    ['lose', lose, ['running', 'lost'], ['open', 'unfinished'], true],
    ['close', (job) => held.close(job), ['running', 'over'], [], true],
    ['end', (job) => held.end(job), ['ended', 'over'], [], false],
  ],
  'that is lost while it runs, and done: it is still to be written, and not renewed': [
    [
      'start',
      (job) => held.start(job),
      ['running', 'held'],
      ['renewable', 'leases', 'open', 'unfinished'],
      true,
    ],
    ['lose', lose, ['running', 'lost'], ['open', 'unfinished'], true],
    ['settle', settle, ['running', 'settling'], ['leases', 'open', 'settling'], true],
    ['end', (job) => held.end(job), ['ended', 'settling'], ['leases', 'open', 'settling'], false],
    ['close', (job) => held.close(job), ['ended', 'over'], [], false],
  ],
  'that is lost while its outcome is on its way': [
    [
      'start',
      (job) => held.start(job),
      ['running', 'held'],
      ['renewable', 'leases', 'open', 'unfinished'],
      true,
    ],
    ['settle', settle, ['running', 'settling'], ['renewable', 'leases', 'open', 'settling'], true],
    ['lose', lose, ['running', 'settling'], ['leases', 'open', 'settling'], true],
    ['close', (job) => held.close(job), ['running', 'over'], [], true],
    ['end', (job) => held.end(job), ['ended', 'over'], [], false],
  ],
  'that is closed twice, as by a stop and by whoever had it': [
    [
      'start',
      (job) => held.start(job),
      ['running', 'held'],
      ['renewable', 'leases', 'open', 'unfinished'],
      true,
    ],
    ['close', (job) => held.close(job), ['running', 'over'], [], true],
    ['close', (job) => held.close(job), ['running', 'over'], [], true],
    ['end', (job) => held.end(job), ['ended', 'over'], [], false],
    ['close', (job) => held.close(job), ['ended', 'over'], [], false],
    ['lose', lose, ['ended', 'over'], [], false],
  ],
};

describe('HeldJobs keeps a job', () => {
  it.each(Object.entries(PATHS))('%s', (_path, steps) => {
    const job = claimed();
    const other = running('other', 'report');
    for (const [what, transition, [handler, lease], lists, countsForKind] of steps) {
      transition(job);
      expect({ what, handler: job.handler, lease: job.lease, lists: listsOf(job) }).toEqual({
        what,
        handler,
        lease,
        lists: [...lists],
      });
      expect(held.countOf('mail')).toBe(countsForKind ? 1 : 0);
      expect(held.waitingCount).toBe(handler === 'waiting' ? 1 : 0);
      expect(held.runningCount).toBe(handler === 'running' ? 2 : 1); // with the other one
      expect(held.settlingCount).toBe(lease === 'settling' ? 1 : 0);
    }
    expect(listsOf(other)).toEqual(['renewable', 'leases', 'open', 'unfinished']);
    expect(held.countOf('report')).toBe(1);
  });
});

describe('HeldJobs', () => {
  it('counts the jobs of each kind from the claim to the end of their handlers', () => {
    expect(held.countOf('mail')).toBe(0);
    const [first, second] = [claimed('a', 'mail'), running('b', 'mail')];
    claimed('c', 'report');
    expect(['mail', 'report', 'other'].map((kind) => held.countOf(kind))).toEqual([2, 1, 0]);
    held.close(first); // given back
    expect(held.countOf('mail')).toBe(1);
    settle(second);
    held.close(second);
    expect(held.countOf('mail')).toBe(1); // a straggler
    held.end(second);
    expect(['mail', 'report'].map((kind) => held.countOf(kind))).toEqual([0, 1]);
  });

  it('gives out the waiting jobs in the order in which they were queued', () => {
    const [first, second] = [waiting('a'), waiting('b')];
    claimed('c');
    expect([held.nextWaiting(), held.nextWaiting(), held.nextWaiting()]).toEqual([first, second, undefined]);
  });

  it('passes over waiting jobs that were given back', () => {
    const [first, second, third, fourth] = ['a', 'b', 'c', 'd'].map((id) => waiting(id));
    held.close(first!);
    held.close(third!);
    expect(held.waitingCount).toBe(2);
    expect([held.nextWaiting(), held.nextWaiting(), held.nextWaiting()]).toEqual([second, fourth, undefined]);
  });

  it('gives out a waiting job whose lease is lost as well: whoever runs it drops it', () => {
    const job = waiting();
    lose(job);
    expect(held.nextWaiting()).toBe(job);
  });

  it('queues no job twice, and none that has been started', () => {
    const job = waiting('a');
    held.queue(job);
    const other = claimed('b');
    held.start(other);
    held.queue(other);
    expect([held.nextWaiting(), held.nextWaiting()]).toEqual([job, undefined]);
  });

  it('counts the bytes of outcomes until they are written or given up', () => {
    const jobs = ['a', 'b', 'c'].map((id) => heldJob({ id }));
    const pending = jobs.map((job) =>
      pendingSettlement(job, { type: 'failed', lastError: 'x'.repeat(1_000) }),
    );
    for (const [index, job] of jobs.entries()) {
      held.add(job);
      held.start(job);
      held.settle(job, pending[index]!);
    }
    expect(held.settlingBytes).toBe(3_000);
    held.replaceOutcome(pending[1]!, { type: 'failed', lastError: 'short' });
    expect(held.settlingBytes).toBe(2_005);
    for (const job of jobs) held.close(job);
    expect(held.settlingBytes).toBe(0);
  });

  it('keeps a job that it has lost and not ended beside the newer claim of the same job', () => {
    const first = running('a');
    lose(first);
    const second = running('a');
    settle(first);
    expect(held.open).toEqual([first, second]);
    expect(held.runningCount).toBe(2);
    expect(held.leaseOf('a')).toBe(second);
    held.close(second);
    expect(held.leaseOf('a')).toBe(first);
    held.end(second);
    expect(held.leaseOf('a')).toBe(first);
    held.close(first);
    held.end(first);
    expect(held.leaseOf('a')).toBeUndefined();
    expect(held.runningKinds).toEqual([]);
  });

  it('tells the kinds of the handlers that run, one for each', () => {
    running('a', 'mail');
    running('b', 'report');
    running('c', 'mail');
    waiting('d', 'other');
    settle(running('e', 'settling'));
    expect(held.runningKinds).toEqual(['mail', 'report', 'mail', 'settling']);
  });

  it('keeps the first reason for which a lease was lost together with its job', () => {
    const job = running();
    const error = new LeaseLostError('a', 'another worker has it');
    held.lose(job, error);
    expect(job.lost).toBe(error);
  });

  it('knows the outcome of a job from the moment in which it is on its way', () => {
    const job = running();
    expect(job.settlement?.outcome).toBeUndefined();
    settle(job);
    expect(job.settlement?.outcome).toBe(DONE);
  });
});

describe('noneRunning', () => {
  const told = (promise: Promise<void>) => {
    const answer = { isThere: false };
    void promise.then(() => (answer.isThere = true));
    return answer;
  };

  it('resolves at once where no handler runs, whatever is claimed, waits or is settled', async () => {
    claimed('a');
    waiting('b');
    const ended = running('c');
    settle(ended);
    held.end(ended);
    await held.noneRunning();
  });

  it('resolves with the end of the last handler, stragglers and jobs that were given back included', async () => {
    const [written, givenBack] = [running('a'), running('b')];
    const [first, second] = [told(held.noneRunning()), told(held.noneRunning())];
    settle(written);
    held.close(written);
    held.close(givenBack);
    await turn();
    expect(first.isThere).toBe(false);
    held.end(written);
    await turn();
    expect(first.isThere).toBe(false);
    held.end(givenBack);
    await turn();
    expect([first.isThere, second.isThere]).toEqual([true, true]);
  });

  it('waits for a handler that was started meanwhile', async () => {
    const first = running('a');
    const none = told(held.noneRunning());
    const second = running('b');
    held.end(first);
    await turn();
    expect(none.isThere).toBe(false);
    held.end(second);
    await turn();
    expect(none.isThere).toBe(true);
  });

  it('and noneSettling wait each for its own', async () => {
    const job = running();
    settle(job);
    const [none, written] = [told(held.noneRunning()), told(held.noneSettling())];
    held.end(job);
    await turn();
    expect([none.isThere, written.isThere]).toEqual([true, false]);
    held.close(job);
    await turn();
    expect(written.isThere).toBe(true);
    await held.noneSettling();
  });
});
