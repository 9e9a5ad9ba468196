import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Settlement } from '../../../lib/queue/job-queue.js';
import type { LeaseAnswer } from '../../../lib/queue/lease.js';
import type { Outcome } from '../../../lib/job/outcome.js';
import { Settler } from '../../../lib/execution/settler.js';
import { claimedJob, Deferred, FAKE_TIMERS, turn } from '../fakes.js';
import { MemoryLogger } from '../../support/memory-logger.js';

const LINK_LOST = 'connection lost';
const DONE: Outcome = { type: 'done', result: { json: null, bytes: null } };

/** Keeps each statement until a test answers it; `answer` may be a function over the ids, or an error. */
class Storage {
  readonly statements: string[][] = [];
  private readonly open: { ids: string[]; deferred: Deferred<LeaseAnswer[]> }[] = [];

  readonly settle = (settlements: readonly Settlement[]): Promise<LeaseAnswer[]> => {
    const ids = settlements.map(({ id }) => id);
    const deferred = new Deferred<LeaseAnswer[]>();
    this.statements.push(ids);
    this.open.push({ ids, deferred });
    return deferred.promise;
  };

  readonly isLinkFailure = (error: unknown): boolean => error instanceof Error && error.message === LINK_LOST;

  async answer(how: Error | ((id: string) => LeaseAnswer) = () => 'written'): Promise<void> {
    await turn(); // in which it is sent
    const { ids, deferred } = this.open.shift()!;
    if (how instanceof Error) deferred.reject(how);
    else deferred.resolve(ids.map(how));
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

let storage: Storage;
let logger: MemoryLogger;
let settler: Settler;

const settle = (id: string, outcome = DONE) => settler.settle(claimedJob({ id }), outcome);

beforeEach(() => {
  jest.useFakeTimers(FAKE_TIMERS);
  storage = new Storage();
  logger = new MemoryLogger();
  settler = new Settler(storage, logger);
});

afterEach(() => {
  settler.abandon();
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
    settler = new Settler({ settle: seeing, isLinkFailure: storage.isLinkFailure }, logger);
    const answer = settler.settle(claimedJob({ id: 'a', leaseToken: 7 }), DONE);
    await turn();
    expect(storage.statements).toEqual([['a']]);
    expect(seen[0]).toMatchObject({ id: 'a', leaseToken: 7, outcome: DONE });
    await storage.answer();
    expect(await answer).toBe('written');
    expect(logger.lines).toEqual([]);
  });

  it('sends together what ends in the same turn of the event loop', async () => {
    const answers = [settle('a'), settle('b')];
    await storage.answer();
    expect(storage.statements).toEqual([['a', 'b']]);
    expect(await Promise.all(answers)).toEqual(['written', 'written']);
  });

  it('gathers what comes while one statement is under way into the next', async () => {
    const answers = [settle('a')];
    await turn();
    answers.push(settle('b'), settle('c'));
    expect(storage.statements).toEqual([['a']]);
    await storage.answer();
    expect(storage.statements).toEqual([['a'], ['b', 'c']]);
    answers.push(settle('d'));
    await storage.answer();
    await storage.answer();
    expect(storage.statements).toEqual([['a'], ['b', 'c'], ['d']]);
    expect(await Promise.all(answers)).toEqual(Array(4).fill('written'));
  });

  it('puts at most a thousand into one statement', async () => {
    for (let count = 0; count < 2_001; count++) void settle(`job-${String(count)}`);
    await storage.answer();
    await storage.answer();
    expect(storage.statements.map((ids) => ids.length)).toEqual([1_000, 1_000, 1]);
    await storage.answer();
  });

  it('tells apart, in one answer, what was written, refused and busy', async () => {
    void settle('first');
    await turn();
    const answers = [settle('mine'), settle('gone'), settle('locked')];
    await storage.answer();
    await storage.answer((id) => (id === 'mine' ? 'written' : id === 'gone' ? 'lost' : 'busy'));
    expect(await answers[0]).toBe('written');
    expect(await answers[1]).toBe('lost');
    expect(settler.size).toBe(1);
    await jest.advanceTimersByTimeAsync(100);
    await turn();
    expect(storage.statements.at(-1)).toEqual(['locked']);
    await storage.answer();
    expect(await answers[2]).toBe('written');
  });

  it('logs a refused outcome with job, kind and attempt', async () => {
    const answer = settler.settle(claimedJob({ id: 'a', kind: 'mail', attemptsDone: 2 }), DONE);
    await storage.answer(() => 'lost');
    await answer;
    expect(logger.lines).toEqual([
      'warn The outcome (done) of job a (kind mail, attempt 3) was refused: its lease is lost.',
    ]);
  });

  it('tries again, ever more slowly but at least every seven seconds, until it is written', async () => {
    const answer = settle('a');
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
    expect(await answer).toBe('written');
    expect(logger.lines).toHaveLength(12);
    expect(logger.lines[0]).toMatch(
      /^warn Could not write the outcome of job a \(kind mail, attempt 1\), trying again: Error: connection lost/,
    );
  });

  it('goes on with others while one waits to be tried again', async () => {
    const failing = settle('failing');
    await storage.answer(new Error('deadlock'));
    const other = settle('other');
    await turn();
    expect(storage.statements.at(-1)).toEqual(['other']);
    await storage.answer();
    expect(await other).toBe('written');
    await jest.advanceTimersByTimeAsync(100);
    await storage.answer();
    expect(await failing).toBe('written');
  });

  it('does not let one outcome that is always refused hold back the others', async () => {
    jest.spyOn(Math, 'random').mockReturnValue(0.5); // all of a batch come back at the same instant
    void settle('first');
    const good = Array.from({ length: 100 }, (_, place) => settle(`good-${String(place)}`));
    const bad = settle('bad');
    await storage.answerAll((ids) => ids.includes('bad'));
    expect(await Promise.all(good)).toEqual(Array(100).fill('written'));
    expect(settler.size).toBe(1);
    expect(storage.statements.filter((ids) => ids.includes('bad')).at(-1)).toEqual(['bad']);
    settler.abandon();
    expect(await bad).toBe('abandoned');
  });

  it('sends together again what could not be sent while the storage was away', async () => {
    jest.spyOn(Math, 'random').mockReturnValue(0.5);
    const answers = Array.from({ length: 1_500 }, (_, place) => settle(`job-${String(place)}`));
    let answered = 0;
    const isAway = () => ++answered <= 8;
    for (let round = 0; round < 5; round++) await storage.answerAll(isAway, LINK_LOST);
    expect(await Promise.all(answers)).toEqual(Array(1_500).fill('written'));
    expect(storage.statements.length).toBeLessThan(20);
    expect(logger.lines).toHaveLength(8);
    expect(logger.lines[0]).toMatch(
      /^warn Could not write the outcomes of job job-0 .* and 999 others, trying/,
    );
  });

  it('finds out one that is always refused in few statements', async () => {
    jest.spyOn(Math, 'random').mockReturnValue(0.5);
    const good = Array.from({ length: 999 }, (_, place) => settle(`good-${String(place)}`));
    void settle('bad');
    await storage.answerAll((ids) => ids.includes('bad'));
    expect(await Promise.all(good)).toEqual(Array(999).fill('written'));
    expect(storage.statements.length).toBeLessThan(80);
  });

  it('is idle when everything given so far is answered', async () => {
    void settle('a');
    await turn();
    void settle('b');
    let idle = false;
    void settler.idle().then(() => (idle = true));
    await storage.answer();
    expect(idle).toBe(false);
    expect(settler.size).toBe(1);
    await storage.answer();
    expect(idle).toBe(true);
    expect(settler.size).toBe(0);
    await new Settler(storage, logger).idle();
  });

  it('gives up on what is not answered when it is told to, and logs each as an error', async () => {
    const answers = [settle('under way')];
    await turn();
    answers.push(settle('waiting'));
    settler.abandon();
    expect(await Promise.all(answers)).toEqual(['abandoned', 'abandoned']);
    expect(logger.lines).toEqual([
      'error The outcome (done) of job under way (kind mail, attempt 1) could not be written in time.',
      'error The outcome (done) of job waiting (kind mail, attempt 1) could not be written in time.',
    ]);
    await storage.answer(() => 'lost'); // too late: nobody is told twice
    expect(storage.statements).toEqual([['under way']]);
    expect(logger.lines).toHaveLength(2);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('sends nothing again after it was told to give up', async () => {
    void settle('a');
    await storage.answer(new Error(LINK_LOST));
    settler.abandon();
    await jest.advanceTimersByTimeAsync(60_000);
    expect(storage.statements).toHaveLength(1);
  });
});
