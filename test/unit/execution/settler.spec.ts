import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { deferred, type Deferred } from '../../../lib/async/deferred.js';
import { HeldJobs } from '../../../lib/execution/held-jobs.js';
import { Settler } from '../../../lib/execution/settler.js';
import type { JobsEventMap } from '../../../lib/events/jobs-events.js';
import type { HeldJob } from '../../../lib/execution/held-job.js';
import { DatabaseTimeoutError } from '../../../lib/job/storage-errors.js';
import type { ClaimedJob } from '../../../lib/job/job.js';
import type { Outcome } from '../../../lib/job/outcome.js';
import type { Settlement } from '../../../lib/queue/job-queue.js';
import type { LeaseAnswer } from '../../../lib/queue/lease.js';
import { FAKE_TIMERS, heard, heldJob, turn } from '../fakes.js';
import { MemoryLogger } from '../../support/memory-logger.js';

const LINK_LOST = 'connection lost';
const LEASE_MS = 30_000;
const DONE: Outcome = { type: 'done', result: { json: null, bytes: null } };

/** Keeps each statement until a test answers it; `answer` may be a function over the ids, or an error. */
class Storage {
  readonly statements: string[][] = [];
  private readonly open: { ids: string[]; answer: Deferred<LeaseAnswer[]> }[] = [];

  readonly settle = (settlements: readonly Settlement[]): Promise<LeaseAnswer[]> => {
    const ids = settlements.map(({ id }) => id);
    const answer = deferred<LeaseAnswer[]>();
    this.statements.push(ids);
    this.open.push({ ids, answer });
    return answer.promise;
  };

  readonly refusesContent = (error: unknown): boolean =>
    error instanceof Error && error.message !== LINK_LOST;

  get isAsked(): boolean {
    return this.open.length > 0;
  }

  async answer(how: Error | ((id: string) => LeaseAnswer) = () => 'written'): Promise<void> {
    await turn(); // in which it is sent
    const { ids, answer } = this.open.shift()!;
    if (how instanceof Error) answer.reject(how);
    else answer.resolve(ids.map(how));
    await turn();
  }

  /** Answers all that comes within a second. */
  async answerAll(fails: (ids: string[]) => boolean, reason = 'refused'): Promise<void> {
    for (let round = 0; round < 10; round++) {
      for (let next = this.open[0]; next !== undefined; next = this.open[0])
        await this.answer(fails(next.ids) ? new Error(reason) : undefined);
      await jest.advanceTimersByTimeAsync(100);
    }
  }
}

type Answer = 'written' | 'lost' | 'abandoned';

let storage: Storage;
let logger: MemoryLogger;
let held: HeldJobs;
let settler: Settler;
/** What has become of the outcomes, by the ids of their jobs: as the events tell it. */
let answers: { id: string; answer: Answer }[];

/** Settles a job whose handler has ended. */
function settle(id: string, fields: Partial<ClaimedJob> = {}): string {
  const job = heldJob({ id, ...fields });
  held.add(job);
  held.start(job);
  settler.settle(job, DONE);
  held.end(job);
  return id;
}

function answersOf(ids: readonly string[]): (Answer | undefined)[] {
  const byId = new Map(answers.map(({ id, answer }) => [id, answer]));
  return ids.map((id) => byId.get(id));
}

beforeEach(() => {
  jest.useFakeTimers(FAKE_TIMERS);
  storage = new Storage();
  logger = new MemoryLogger({ isDebugEnabled: false });
  held = new HeldJobs();
  settler = new Settler(storage, held, { leaseMs: LEASE_MS }, logger.events);
  answers = [];
  const told = (answer: Answer) => (detail: { readonly job: ClaimedJob }) =>
    answers.push({ id: detail.job.id, answer });
  logger.events.on('settled', told('written'));
  logger.events.on('settleRefused', told('lost'));
  logger.events.on('settleAbandoned', told('abandoned'));
});

afterEach(() => {
  settler.abandon();
  expect(held.settlingCount).toBe(0);
  expect(new Set(answers.map(({ id }) => id)).size).toBe(answers.length); // nobody is told twice
  jest.restoreAllMocks();
  jest.useRealTimers();
});

describe('Settler', () => {
  it('sends an outcome that comes alone within a turn of the event loop, with job, token and outcome', async () => {
    const seen: Settlement[] = [];
    const seeing = (batch: readonly Settlement[]) => {
      seen.push(...batch);
      return storage.settle(batch);
    };
    settler = new Settler(
      { settle: seeing, refusesContent: storage.refusesContent },
      held,
      { leaseMs: LEASE_MS },
      logger.events,
    );
    settle('a', { leaseToken: 7 });
    await turn();
    expect(storage.statements).toEqual([['a']]);
    expect(seen[0]).toMatchObject({ id: 'a', leaseToken: 7, outcome: DONE });
    await storage.answer();
    expect(answersOf(['a'])).toEqual(['written']);
    expect(logger.lines).toEqual([]);
  });

  it('sends together what ends in the same turn of the event loop', async () => {
    const ids = [settle('a'), settle('b')];
    await storage.answer();
    expect(storage.statements).toEqual([['a', 'b']]);
    expect(answersOf(ids)).toEqual(['written', 'written']);
  });

  it('gathers what comes while one statement is under way into the next', async () => {
    const ids = [settle('a')];
    await turn();
    ids.push(settle('b'), settle('c'));
    expect(storage.statements).toEqual([['a']]);
    await storage.answer();
    expect(storage.statements).toEqual([['a'], ['b', 'c']]);
    ids.push(settle('d'));
    await storage.answer();
    await storage.answer();
    expect(storage.statements).toEqual([['a'], ['b', 'c'], ['d']]);
    expect(answersOf(ids)).toEqual(Array(4).fill('written'));
  });

  it('puts at most a thousand into one statement', async () => {
    for (let count = 0; count < 2_001; count++) settle(`job-${String(count)}`);
    await storage.answer();
    await storage.answer();
    expect(storage.statements.map((ids) => ids.length)).toEqual([1_000, 1_000, 1]);
    await storage.answer();
  });

  it('tells apart, in one answer, what was written, refused and busy', async () => {
    settle('first');
    await turn();
    const ids = [settle('mine'), settle('gone'), settle('locked')];
    await storage.answer();
    await storage.answer((id) => (id === 'mine' ? 'written' : id === 'gone' ? 'lost' : 'busy'));
    expect(answersOf(ids)).toEqual(['written', 'lost', undefined]);
    expect(held.settling.map(({ id }) => id)).toEqual(['locked']);
    await jest.advanceTimersByTimeAsync(100);
    await turn();
    expect(storage.statements.at(-1)).toEqual(['locked']);
    await storage.answer();
    expect(answersOf(ids)).toEqual(['written', 'lost', 'written']);
  });

  it('logs a refused outcome with job, kind and attempt', async () => {
    settle('a', { kind: 'mail', attemptsDone: 2 });
    await storage.answer(() => 'lost');
    expect(logger.lines).toEqual([
      'warn The outcome (done) of job a (kind mail, attempt 3) was refused: its lease is lost.',
    ]);
  });

  it('says what a refused outcome may mean where an answer did not come before, to those who read job by job', async () => {
    const refused = heard(logger.events, 'settleRefused');
    settle('a', { attemptsDone: 2 });
    await storage.answer(new Error(LINK_LOST));
    await jest.advanceTimersByTimeAsync(100);
    await storage.answer(() => 'lost');
    expect(refused).toEqual([expect.objectContaining({ outcome: DONE, failures: 1 })]);
    expect(logger.lines).toHaveLength(2); // that the first try has failed, and that this is over
  });

  it('tells of each failed try, with the jobs in it and the error', async () => {
    const failed = heard(logger.events, 'settleFailed');
    const error = new Error('deadlock');
    settle('a');
    settle('b');
    await storage.answer(error);
    expect(failed).toEqual([{ jobs: [expect.anything(), expect.anything()], error }]);
    expect(failed[0]!.jobs.map(({ id }) => id)).toEqual(['a', 'b']);
  });

  it('tries again, ever more slowly but at least every seven seconds, until it is written', async () => {
    settle('a');
    const pauses: number[] = [];
    for (let tries = 1; tries <= 12; tries++) {
      await storage.answer(new Error(LINK_LOST));
      const before = Date.now();
      while (storage.statements.length === tries) await jest.advanceTimersByTimeAsync(5);
      pauses.push(Date.now() - before);
    }
    expect(pauses[0]).toBeLessThanOrEqual(70);
    expect(pauses[3]).toBeGreaterThan(pauses[0]!);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(6_300);
    await storage.answer();
    expect(answersOf(['a'])).toEqual(['written']);
    expect(logger.lines.length).toBeLessThan(5); // not one for each try
    expect(logger.lines.at(-1)).toMatch(/^log Writes outcomes again after 12 failures in [\d.]+ s\.$/);
    expect(logger.lines[0]).toMatch(
      /^warn Could not write the outcome of job a \(kind mail, attempt 1\), trying again: Error: connection lost/,
    );
  });

  it('goes on with others while one waits to be tried again', async () => {
    settle('failing');
    await storage.answer(new Error('deadlock'));
    settle('other');
    await turn();
    expect(storage.statements.at(-1)).toEqual(['other']);
    await storage.answer();
    expect(answersOf(['other', 'failing'])).toEqual(['written', undefined]);
    await jest.advanceTimersByTimeAsync(100);
    await storage.answer();
    expect(answersOf(['failing'])).toEqual(['written']);
  });

  it('does not let one outcome that is always refused hold back the others', async () => {
    jest.spyOn(Math, 'random').mockReturnValue(0.5); // all of a batch come back at the same instant
    settle('first');
    const good = Array.from({ length: 100 }, (_, place) => settle(`good-${String(place)}`));
    settle('bad');
    await storage.answerAll((ids) => ids.includes('bad'));
    expect(answersOf(good)).toEqual(Array(100).fill('written'));
    expect(held.settlingCount).toBe(1);
    expect(storage.statements.filter((ids) => ids.includes('bad')).at(-1)).toEqual(['bad']);
    settler.abandon();
    expect(answersOf(['bad'])).toEqual(['abandoned']);
  });

  it('sends together again what could not be sent while the storage was away', async () => {
    jest.spyOn(Math, 'random').mockReturnValue(0.5);
    const ids = Array.from({ length: 1_500 }, (_, place) => settle(`job-${String(place)}`));
    let answered = 0;
    const isAway = () => ++answered <= 8;
    for (let round = 0; round < 5; round++) await storage.answerAll(isAway, LINK_LOST);
    expect(answersOf(ids)).toEqual(Array(1_500).fill('written'));
    expect(storage.statements.length).toBeLessThan(20);
    expect(logger.lines).toHaveLength(2);
    expect(logger.lines[0]).toMatch(
      /^warn Could not write the outcomes of job job-0 .* and 999 others, trying/,
    );
  });

  it('finds out one that is always refused in few statements', async () => {
    jest.spyOn(Math, 'random').mockReturnValue(0.5);
    const good = Array.from({ length: 999 }, (_, place) => settle(`good-${String(place)}`));
    settle('bad');
    await storage.answerAll((ids) => ids.includes('bad'));
    expect(answersOf(good)).toEqual(Array(999).fill('written'));
    expect(storage.statements.length).toBeLessThan(80);
  });

  it('has nothing left to settle when everything given so far is answered', async () => {
    settle('a');
    await turn();
    settle('b');
    let isWritten = false;
    void held.noneSettling().then(() => (isWritten = true));
    await storage.answer();
    expect(isWritten).toBe(false);
    expect(held.settlingCount).toBe(1);
    await storage.answer();
    expect(isWritten).toBe(true);
    expect(held.settlingCount).toBe(0);
    await held.noneSettling();
  });

  it('gives up on what is not answered when it is told to, and logs each as an error', async () => {
    const ids = [settle('under way')];
    await turn();
    ids.push(settle('waiting'));
    settler.abandon();
    expect(answersOf(ids)).toEqual(['abandoned', 'abandoned']);
    expect(logger.lines).toEqual([
      'error The outcome (done) of job under way (kind mail, attempt 1) could not be written in time.',
      'error The outcome (done) of job waiting (kind mail, attempt 1) could not be written in time.',
    ]);
    await storage.answer(() => 'lost'); // too late: nobody is told twice
    expect(storage.statements).toEqual([['under way']]);
    expect(logger.lines).toHaveLength(2);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('adds no listener for each outcome that waits for its next try: Node warns of more than ten', async () => {
    const listened = jest.spyOn(EventTarget.prototype, 'addEventListener');
    for (let n = 0; n < 50; n++) settle(`job-${n}`);
    await storage.answer(new Error(LINK_LOST));
    expect(listened.mock.calls.length).toBeLessThanOrEqual(10);
  });

  it('sends nothing again after it was told to give up', async () => {
    settle('a');
    await storage.answer(new Error(LINK_LOST));
    settler.abandon();
    await jest.advanceTimersByTimeAsync(60_000);
    expect(storage.statements).toHaveLength(1);
  });
});

describe('Settler, where the storage refuses the content of an outcome,', () => {
  const REFUSED = new Error('ung\u00fcltiges Zeichen \u20ac \n in line 2');
  let replaced: JobsEventMap['outcomeReplaced'][];
  let givenUp: JobsEventMap['settleGivenUp'][];
  let settled: JobsEventMap['settled'][];

  beforeEach(() => {
    replaced = heard(logger.events, 'outcomeReplaced');
    givenUp = heard(logger.events, 'settleGivenUp');
    settled = heard(logger.events, 'settled');
  });

  function settleWith(id: string, outcome: Outcome): HeldJob {
    const job = heldJob({ id });
    held.add(job);
    held.start(job);
    settler.settle(job, outcome);
    held.end(job);
    return job;
  }

  /** Answers the only outcome that there is, try by try. */
  async function answerTries(count: number, how?: Error): Promise<void> {
    for (let tries = 0; tries < count; tries++) {
      await jest.advanceTimersByTimeAsync(2_000);
      await storage.answer(how);
    }
  }

  it.each<[Outcome, object]>([
    [DONE, { type: 'failed' }],
    [
      { type: 'retry', delayMs: 7_000, lastError: '\u20ac', maxAttempts: 3 },
      { type: 'retry', delayMs: 7_000, maxAttempts: 3 },
    ],
    [{ type: 'failed', lastError: '\u20ac' }, { type: 'failed' }],
    [{ type: 'panic', lastError: '\u20ac' }, { type: 'panic' }],
  ])('writes another in the place of %j after five tries', async (outcome, written) => {
    const job = settleWith('a', outcome);
    await answerTries(4, REFUSED);
    expect(replaced).toEqual([]);
    await answerTries(1, REFUSED);
    expect(replaced).toEqual([{ job: job.job, outcome, error: REFUSED }]);
    await answerTries(1);
    const lastError = 'The outcome could not be stored: Error: ung\\u00fcltiges Zeichen \\u20ac ';
    expect(settled).toEqual([{ job: job.job, outcome: { ...written, lastError } }]);
    expect(givenUp).toEqual([]);
    expect(held.settlingCount).toBe(0);
    expect(logger.lines.filter((line) => line.startsWith('error The outcome'))).toHaveLength(1);
  });

  it('lets go of the lease where that is refused five times as well, with one line', async () => {
    const job = settleWith('a', DONE);
    await answerTries(10, REFUSED);
    expect(givenUp).toEqual([expect.objectContaining({ job: job.job, error: REFUSED })]);
    expect(held.settlingCount).toBe(0);
    expect(job.lease).toBe('over');
    expect(storage.statements).toHaveLength(10);
    await jest.advanceTimersByTimeAsync(60_000);
    expect(storage.statements).toHaveLength(10);
    expect(logger.lines.filter((line) => line.includes('refuses any outcome'))).toHaveLength(1);
  });

  it('has done so long before a shutdown is over', async () => {
    settleWith('a', DONE);
    const begunAt = Date.now();
    for (let tries = 1; tries <= 10; tries++) {
      while (storage.statements.length < tries) await jest.advanceTimersByTimeAsync(5);
      await storage.answer(REFUSED);
    }
    expect(Date.now() - begunAt).toBeLessThan(8_000);
    expect(held.settlingCount).toBe(0);
  });

  it.each<[string, Error]>([
    ['a lost link', new Error(LINK_LOST)],
    ['no answer in time', new DatabaseTimeoutError(1_000)],
  ])('never takes %s for that', async (_name, error) => {
    settleWith('a', DONE);
    await answerTries(4, REFUSED);
    for (let tries = 0; tries < 30; tries++) {
      await jest.advanceTimersByTimeAsync(7_000);
      await storage.answer(error);
    }
    expect(replaced).toEqual([]);
    await jest.advanceTimersByTimeAsync(7_000);
    await storage.answer();
    expect(settled).toHaveLength(1);
  });

  it('counts no refusal of a batch against one outcome', async () => {
    jest.spyOn(Math, 'random').mockReturnValue(0.5);
    for (let n = 0; n < 10; n++) settleWith(`good-${n}`, DONE);
    settleWith('bad', DONE);
    await storage.answerAll((ids) => ids.includes('bad'));
    expect(settled).toHaveLength(10);
    for (let round = 0; round < 5; round++)
      await storage.answerAll((ids) => ids.includes('bad') && replaced.length === 0);
    expect(replaced.map(({ job }) => job.id)).toEqual(['bad']);
    expect(settled).toHaveLength(11);
  });
});

describe('Settler, by the time that is left of a lease,', () => {
  const SHORT_LEASE_MS = 3_000;

  function settleUnder(leaseMs: number): HeldJob {
    settler = new Settler(storage, held, { leaseMs }, logger.events);
    const job = heldJob({ id: 'a' }, { leaseMs });
    held.add(job);
    held.start(job);
    settler.settle(job, DONE);
    held.end(job);
    return job;
  }

  /** The pauses before the tries that follow, each answered in the same way. */
  async function pausesAfter(how: Error | (() => LeaseAnswer), ms: number): Promise<number[]> {
    const pauses: number[] = [];
    const until = Date.now() + ms;
    while (Date.now() < until) {
      const { length } = storage.statements;
      await storage.answer(how);
      const before = Date.now();
      while (storage.statements.length === length) await jest.advanceTimersByTimeAsync(5);
      pauses.push(Date.now() - before);
    }
    return pauses;
  }

  it('tries a locked row again every hundred milliseconds where the lease lasts for three seconds', async () => {
    settleUnder(SHORT_LEASE_MS);
    await turn();
    expect(Math.max(...(await pausesAfter(() => 'busy', 2_500)))).toBeLessThanOrEqual(105);
  });

  it('tries again after a failure within a tenth of its time, and within a quarter of what is left', async () => {
    settleUnder(SHORT_LEASE_MS);
    await turn();
    const pauses = await pausesAfter(new Error(LINK_LOST), 2_950);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(380); // with jitter
    expect(Math.max(...pauses)).toBeGreaterThan(200);
    expect(pauses.at(-1)!).toBeLessThanOrEqual(200);
  });

  it('is no flood with a lease of thirty seconds', async () => {
    settleUnder(LEASE_MS);
    await turn();
    expect((await pausesAfter(new Error(LINK_LOST), 25_000)).length).toBeLessThan(25);
  });

  it('gives the storage a third of its time to answer, and twice that after each answer that was late', async () => {
    const limits: unknown[] = [];
    const { settle: answering } = storage;
    Object.assign(storage, {
      settle: (batch: readonly Settlement[], answerMs?: number) => {
        limits.push(answerMs);
        return answering(batch);
      },
    });
    settleUnder(SHORT_LEASE_MS);
    await storage.answer(new DatabaseTimeoutError(1_000));
    await jest.advanceTimersByTimeAsync(1_000);
    await storage.answer(new Error(LINK_LOST));
    await jest.advanceTimersByTimeAsync(1_000);
    await storage.answer();
    expect(limits).toEqual([1_000, 2_000, 2_000]);
  });
});

describe('Settler, in the log,', () => {
  it('tells of an outage when it begins, every ten seconds, and when it is over', async () => {
    const failing = heard(logger.events, 'settlesFailing');
    const recovered = heard(logger.events, 'settlesRecovered');
    for (let n = 0; n < 300; n++) settle(`job-${n}`);
    const end = Date.now() + 35_000;
    while (Date.now() < end) {
      if (storage.isAsked) await storage.answer(new Error(LINK_LOST));
      else await jest.advanceTimersByTimeAsync(10);
    }
    expect(failing.map(({ unwritten }) => unwritten)).toEqual([300, 300, 300, 300]);
    expect(recovered).toEqual([]);
    while (held.settlingCount > 0) {
      if (storage.isAsked) await storage.answer();
      else await jest.advanceTimersByTimeAsync(10);
    }
    expect(recovered).toHaveLength(1);
    expect(logger.lines).toHaveLength(5);
  });
});
