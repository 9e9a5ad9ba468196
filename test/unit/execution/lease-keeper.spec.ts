import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { deferred } from '../../../lib/async/deferred.js';
import { pendingSettlement, type HeldJob } from '../../../lib/execution/held-job.js';
import { HeldJobs } from '../../../lib/execution/held-jobs.js';
import { LeaseKeeper } from '../../../lib/execution/lease-keeper.js';
import { LeaseLostError } from '../../../lib/job/errors.js';
import type { LeaseAnswer, LeaseRenewal, RenewalAnswer, StopRequest } from '../../../lib/queue/lease.js';
import { FAKE_TIMERS, heldJob, turn } from '../fakes.js';
import { MemoryLogger } from '../../support/memory-logger.js';

const SETTINGS = { leaseMs: 900, heartbeatMs: 300 };

type Answer = RenewalAnswer | Error | Promise<RenewalAnswer[]>;

/** Answers each renewal as the test has set it, `written` unless told otherwise. */
class Storage {
  readonly renewals: (Omit<LeaseRenewal, 'lockedBy'> & { leaseMs: number })[][] = [];
  answer: (id: string) => Answer = () => 'written';

  readonly answerMs: unknown[] = [];

  readonly renew = (
    leases: readonly LeaseRenewal[],
    leaseMs: number,
    answerMs?: number,
  ): Promise<RenewalAnswer[]> => {
    this.answerMs.push(answerMs);
    this.renewals.push(leases.map(({ id, leaseToken, alone }) => ({ id, leaseToken, alone, leaseMs })));
    const answers = leases.map(({ id }) => this.answer(id));
    const first = answers.find((answer) => answer instanceof Error) ?? answers[0];
    if (first instanceof Promise) return first;
    return first instanceof Error ? Promise.reject(first) : Promise.resolve(answers as RenewalAnswer[]);
  };

  readonly refusesContent = (error: unknown): boolean =>
    error instanceof Error && error.message === 'refused';

  get ids(): string[][] {
    return this.renewals.map((leases) => leases.map(({ id }) => id));
  }
}

let storage: Storage;
let logger: MemoryLogger;
let held: HeldJobs;
let keeper: LeaseKeeper;
let stops: [id: string, request: StopRequest][];
let lost: LeaseLostError[];

function hold(id: string, leaseToken = 1): HeldJob {
  const job = heldJob({ id, leaseToken }, { leaseMs: SETTINGS.leaseMs });
  held.add(job);
  return job;
}

const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

/** Its outcome is on its way. */
function settle(job: HeldJob): void {
  held.settle(job, pendingSettlement(job, { type: 'failed', lastError: 'Error: no' }));
}

/** The job is known to be lost by the first of the errors told, and its handler hears of that. */
function expectLost(job: HeldJob): void {
  expect(job.lease).toBe('lost');
  expect(job.lost).toBe(lost[0]);
  expect(job.attempt.signal.reason).toBe(lost[0]);
  expect(lost[0]).toBeInstanceOf(LeaseLostError);
}

beforeEach(() => {
  jest.useFakeTimers(FAKE_TIMERS);
  storage = new Storage();
  logger = new MemoryLogger();
  held = new HeldJobs();
  keeper = new LeaseKeeper(storage, held, SETTINGS, logger.events, (job, request) =>
    stops.push([job.id, request]),
  );
  [lost, stops] = [[], []];
  logger.events.on('lost', ({ error }) => lost.push(error));
  keeper.start();
});

afterEach(async () => {
  await keeper.stop();
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

describe('LeaseKeeper', () => {
  it('renews every lease in one call, once a heartbeat', async () => {
    hold('a', 3);
    hold('b', 5);
    await pass(299);
    expect(storage.renewals).toEqual([]);
    await pass(1);
    expect(storage.renewals).toEqual([
      [
        { id: 'a', leaseToken: 3, alone: false, leaseMs: 900 },
        { id: 'b', leaseToken: 5, alone: false, leaseMs: 900 },
      ],
    ]);
    await pass(2_700);
    expect(storage.renewals).toHaveLength(10);
    expect(lost).toEqual([]);
  });

  it('renews no lease that has ended, and sends nothing where there is none left', async () => {
    const a = hold('a');
    const b = hold('b');
    held.close(a);
    await pass(300);
    expect(storage.ids).toEqual([['b']]);
    held.close(b);
    await pass(3_000);
    expect(storage.renewals).toHaveLength(1);
    hold('c');
    await pass(300);
    expect(storage.ids.at(-1)).toEqual(['c']);
  });

  it('renews the lease of a job until its outcome is written, and not only until its handler has ended', async () => {
    const a = hold('a');
    held.start(a);
    settle(a);
    held.end(a);
    await pass(300);
    expect(storage.ids).toEqual([['a']]);
    held.close(a);
    await pass(300);
    expect(storage.ids).toEqual([['a']]);
  });

  it('sends the first renewal of a lease no later than a heartbeat after it was held', async () => {
    await pass(1_010);
    hold('a');
    await pass(300);
    expect(storage.ids).toEqual([['a']]);
  });

  it('renews nothing after its stop, which waits for no answer', async () => {
    hold('a');
    storage.answer = () => new Promise<LeaseAnswer[]>(() => undefined);
    await pass(300);
    await keeper.stop();
    await pass(3_000);
    expect(storage.renewals).toHaveLength(1);
    expect(lost).toEqual([]);
  });

  it('gives up a lease at once that the storage says is lost, and no other', async () => {
    const a = hold('a');
    hold('b');
    storage.answer = (id) => (id === 'a' ? 'lost' : 'written');
    await pass(300);
    expect(lost.map(({ jobId }) => jobId)).toEqual(['a']);
    expectLost(a);
    expect(lost[0]!.message).toBe('The lease of job a is lost: another worker has it');
    expect(logger.lines).toEqual([
      'warn The lease of job a is lost: another worker has it (kind mail, attempt 1)',
    ]);
    await pass(300);
    expect(storage.ids.at(-1)).toEqual(['b']);
  });

  it('tries a renewal that failed again, several times within a heartbeat, and loses nothing when it comes through', async () => {
    hold('a');
    storage.answer = () => new Error('connection lost');
    await pass(600);
    expect(storage.renewals.length).toBeGreaterThanOrEqual(4);
    expect(lost).toEqual([]);
    expect(logger.lines[0]).toMatch(/^warn Could not renew the leases of 1 jobs, trying again: Error: conn/);
    storage.answer = () => 'written';
    await pass(100);
    const sent = storage.renewals.length;
    await pass(250);
    expect(storage.renewals).toHaveLength(sent); // back to once a heartbeat
    await pass(5_000);
    expect(lost).toEqual([]);
  });

  it('says once that renewals fail, and once that they work again', async () => {
    hold('a');
    storage.answer = () => new Error('connection lost');
    await pass(600);
    storage.answer = () => 'written';
    await pass(1_000);
    expect(logger.lines).toEqual([
      expect.stringMatching(/^warn Could not renew the leases of 1 jobs/),
      expect.stringMatching(/^log Renews leases again after [45] failures\.$/),
    ]);
  });

  it('waits for half the time of the lease for an answer, and not longer', async () => {
    const a = hold('a');
    await pass(300);
    await keeper.markAlone(a);
    expect(storage.answerMs).toEqual([450, 450]);
  });

  it('renews the other leases where the storage refuses the content of one', async () => {
    const ids = Array.from({ length: 100 }, (_, n) => `job-${n}`);
    const jobs = ids.map((id) => hold(id));
    storage.answer = (id) => (id === 'job-37' ? new Error('refused') : 'written');
    await pass(1_000);
    expect(lost.map(({ jobId }) => jobId)).toEqual(['job-37']);
    expect(jobs.filter(({ lease }) => lease === 'held')).toHaveLength(99);
    // Found out in halves, and sent by itself from then on.
    expect(storage.renewals.length).toBeLessThan(30);
    expect(logger.lines.filter((line) => line.startsWith('warn Could not renew'))).toHaveLength(1);
  });

  it('gives up a lease that could not be renewed when it has really ended, and not sooner', async () => {
    const a = hold('a');
    storage.answer = () => new Error('connection lost');
    await pass(899);
    expect(lost).toEqual([]);
    await pass(76);
    expect(lost.map(({ message }) => message)).toEqual([
      'The lease of job a is lost: it has run out, it could not be renewed',
    ]);
    expectLost(a);
    const sent = storage.renewals.length;
    await pass(3_000);
    expect(storage.renewals).toHaveLength(sent); // there is nothing left to renew
  });

  it('counts from the last renewal that was accepted, by when it was sent', async () => {
    hold('a');
    await pass(300); // renewed: good until 1200
    storage.answer = () => new Error('connection lost');
    await pass(899);
    expect(lost).toEqual([]);
    await pass(76);
    expect(lost).toHaveLength(1);
  });

  it('keeps a lease whose row somebody else has locked just now, and asks again', async () => {
    hold('a');
    storage.answer = () => 'busy';
    await pass(600);
    expect(lost).toEqual([]);
    expect(storage.renewals.length).toBeGreaterThanOrEqual(2);
  });

  it('asks again for a busy row alone, and several times in a heartbeat, lest others take it when it is free', async () => {
    hold('a');
    hold('b');
    storage.answer = (id) => (id === 'a' ? 'busy' : 'written');
    await pass(300);
    await pass(150);
    expect(storage.ids).toEqual([['a', 'b'], ['a'], ['a']]);
    storage.answer = () => 'written';
    await pass(149);
    expect(storage.ids).toHaveLength(4);
    await pass(1);
    expect(storage.ids.at(-1)).toEqual(['a', 'b']);
  });

  it('does not count a renewal for which the row was busy', async () => {
    hold('a');
    storage.answer = () => 'busy';
    await pass(400);
    storage.answer = () => new Error('connection lost');
    await pass(499);
    expect(lost).toEqual([]);
    await pass(76);
    expect(lost).toHaveLength(1);
  });

  it('sends another renewal where one is not answered, and gives up when the lease has ended', async () => {
    hold('a');
    storage.answer = () => new Promise<LeaseAnswer[]>(() => undefined);
    await pass(600);
    expect(storage.renewals.length).toBeGreaterThanOrEqual(2);
    expect(lost).toEqual([]);
    await pass(375);
    expect(lost.map(({ message }) => message)).toEqual([
      'The lease of job a is lost: it has run out, its renewal is not answered',
    ]);
  });

  it('takes an answer that comes late for what it says', async () => {
    hold('a');
    const late = deferred<LeaseAnswer[]>();
    storage.answer = () => late.promise;
    await pass(400);
    late.resolve(['lost']);
    await turn();
    expect(lost).toHaveLength(1);
  });

  it('tells nothing of a lease that has ended before its answer came', async () => {
    const a = hold('a');
    const late = deferred<LeaseAnswer[]>();
    storage.answer = () => late.promise;
    await pass(300);
    held.close(a);
    late.resolve(['lost']);
    await turn();
    expect(lost).toEqual([]);
    expect(a.attempt.signal.aborted).toBe(false);
  });

  it.each<[what: string, settle: (job: HeldJob) => void]>([
    ['outcome is on its way', settle],
    ['transaction is being committed', (job) => (job.isCommitting = true)],
  ])(
    'leaves it to its settlement whether the lease of a job is lost whose %s: it may be written by now',
    async (_what, begin) => {
      const a = hold('a');
      begin(a);
      storage.answer = () => 'lost';
      await pass(300);
      storage.answer = () => 'stale';
      await pass(1_200);
      expect(storage.renewals.length).toBeGreaterThan(4);
      expect(lost).toEqual([]);
      expect(a.attempt.signal.aborted).toBe(false);
    },
  );

  it('loses the lease of a job whose outcome is on its way when it has ended, with no answer to its renewals', async () => {
    const a = hold('a');
    settle(a);
    storage.answer = () => new Error('connection lost');
    await pass(900);
    expect(lost).toHaveLength(1);
    expect(a.lease).toBe('settling');
  });

  it('tells of a job that is to be cancelled, whose lease it has renewed', async () => {
    hold('a');
    const job = hold('b');
    const { endsAt } = job;
    storage.answer = (id) => (id === 'b' ? { reason: 'no more' } : 'written');
    await pass(300);
    expect(stops).toEqual([['b', { reason: 'no more' }]]);
    expect(job.endsAt).toBeGreaterThan(endsAt);
  });

  it('asks at once about jobs that may have been asked to end, and about no others', async () => {
    hold('a');
    hold('b');
    await keeper.checkStops(['b', 'of another worker']);
    await keeper.checkStops(['of another worker']);
    await keeper.checkStops(null);
    expect(storage.ids).toEqual([['b'], ['a', 'b']]);
  });

  it('does not tell of a lost lease twice', async () => {
    hold('a');
    const first = deferred<LeaseAnswer[]>();
    storage.answer = () => first.promise;
    await pass(1_000);
    expect(lost).toHaveLength(1);
    first.resolve(['lost']);
    await turn();
    expect(lost).toHaveLength(1);
  });

  it('judges no lease right after a freeze of the process, for the answer may be waiting to be read', async () => {
    hold('a');
    const waiting = deferred<LeaseAnswer[]>();
    storage.answer = () => waiting.promise;
    await pass(300); // a renewal is sent
    jest.setSystemTime(Date.now() + 5_000); // the wall clock says nothing to a keeper
    const frozenFor = jest.spyOn(performance, 'now').mockReturnValue(performance.now() + 5_000);
    await pass(75); // the first look after the freeze
    expect(lost).toEqual([]);
    waiting.resolve(['written']);
    await turn();
    frozenFor.mockRestore();
    expect(lost).toEqual([]);
  });
});

describe('markAlone', () => {
  it('tells the storage at once, and with every renewal from then on', async () => {
    const a = hold('a');
    hold('b');
    expect(await keeper.markAlone(a)).toBe(true);
    expect(storage.renewals).toEqual([[{ id: 'a', leaseToken: 1, alone: true, leaseMs: 900 }]]);
    await pass(300);
    expect(storage.renewals.at(-1)).toMatchObject([
      { id: 'a', alone: true },
      { id: 'b', alone: false },
    ]);
  });

  it('says no, and gives up the lease, where the storage says that it is lost', async () => {
    const a = hold('a');
    storage.answer = () => 'lost';
    expect(await keeper.markAlone(a)).toBe(false);
    expect(lost).toHaveLength(1);
    expectLost(a);
  });

  it('says no, and keeps the lease, where the row is busy', async () => {
    const a = hold('a');
    storage.answer = () => 'busy';
    expect(await keeper.markAlone(a)).toBe(false);
    expect(lost).toEqual([]);
  });

  it('rejects where the storage cannot be reached, and keeps the lease', async () => {
    const a = hold('a');
    storage.answer = () => new Error('connection lost');
    await expect(keeper.markAlone(a)).rejects.toThrow('connection lost');
    expect(lost).toEqual([]);
  });
});

describe('LeaseKeeper.catchUp', () => {
  it('renews at once where the process stood still past a lease, and has then nothing to do', async () => {
    hold('a');
    hold('b');
    const now = jest.spyOn(performance, 'now').mockReturnValue(performance.now() + 1_000);
    await keeper.catchUp();
    expect(storage.ids).toEqual([['a', 'b']]);
    await keeper.catchUp();
    expect(storage.ids).toEqual([['a', 'b']]);
    now.mockRestore();
  });

  it('leaves it to the heartbeat where no lease has run out', async () => {
    hold('a');
    await pass(200);
    await keeper.catchUp();
    expect(storage.renewals).toEqual([]);
  });
});
