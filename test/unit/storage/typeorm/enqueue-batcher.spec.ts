import { inspect, types } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { QueryFailedError } from 'typeorm';
import type { Job } from '../../../../lib/job/job.js';
import { JobEncoder, type EncodedJob } from '../../../../lib/job/encode-job.js';
import { ConnectionTimeoutError, DatabaseTimeoutError } from '../../../../lib/job/storage-errors.js';
import { EnqueueBatcher } from '../../../../lib/storage/typeorm/enqueue-batcher.js';

class Refused extends Error {}

const refusedBy = (address: string) =>
  Object.assign(new Error(`connect ECONNREFUSED ${address}`), { code: 'ECONNREFUSED', address });

const preparer = new JobEncoder(1000);
const jobs = (...ids: string[]): EncodedJob[] => ids.map((id) => preparer.encode({ id, kind: 'k' }));
const idsOf = (list: readonly { id: string }[]): string[] => list.map(({ id }) => id);

/** A storage that keeps what it is asked to write until it is told to answer. */
class Storage {
  readonly statements: string[][] = [];
  private readonly answers: (() => void)[] = [];

  constructor(private readonly fail: (ids: string[]) => Error | undefined = () => undefined) {}

  readonly insert = (list: readonly EncodedJob[]): Promise<Job[]> =>
    new Promise((resolve, reject) => {
      const ids = idsOf(list);
      this.statements.push(ids);
      this.answers.push(() => {
        const error = this.fail(ids);
        if (error) reject(error);
        else resolve(list.map(({ id }) => ({ id }) as Job));
      });
    });

  /** Answers every statement, also those that come while it does. */
  async answerAll(): Promise<void> {
    for (let answer = this.answers.shift(); answer; answer = this.answers.shift()) {
      answer();
      for (const _turn of [1, 2]) await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

const batcherFor = (storage: Storage): EnqueueBatcher =>
  new EnqueueBatcher(storage.insert, (error) => error instanceof Refused);

describe('EnqueueBatcher', () => {
  it('writes together what callers that were answered together enqueue next', async () => {
    const storage = new Storage();
    const batcher = batcherFor(storage);
    const call = async (name: string) => {
      for (const round of [1, 2, 3]) {
        await batcher.enqueue(jobs(`${name}${round}`));
        for (let step = 0; step < 10; step++) await Promise.resolve(); // what comes between in an application
      }
    };
    const ended = Promise.all([call('a'), call('b'), call('c')]);
    await storage.answerAll();
    await ended;
    const statements = storage.statements.map((ids) => ids.toSorted());
    expect(statements).toEqual([['a1'], ['b1', 'c1'], ['a2', 'b2', 'c2'], ['a3', 'b3', 'c3']]);
  });

  it('sends a call that comes alone at once, and gathers those that come meanwhile into one statement', async () => {
    const storage = new Storage();
    const batcher = batcherFor(storage);
    const calls = [jobs('a'), jobs('b'), jobs('c', 'd')].map((list) => batcher.enqueue(list));
    expect(storage.statements).toEqual([['a']]);
    await storage.answerAll();
    expect(storage.statements).toEqual([['a'], ['b', 'c', 'd']]);
    expect((await Promise.all(calls)).map(idsOf)).toEqual([['a'], ['b'], ['c', 'd']]);
  });

  it('lets a call that the database refuses fail alone', async () => {
    const storage = new Storage((ids) => (ids.includes('bad') ? new Refused('bad') : undefined));
    const batcher = batcherFor(storage);
    const calls = [jobs('a'), jobs('b'), jobs('c', 'bad'), jobs('d')].map((list) => batcher.enqueue(list));
    const ends = Promise.allSettled(calls);
    await storage.answerAll();
    expect((await ends).map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
      'fulfilled',
    ]);
    expect(storage.statements).toEqual([['a'], ['b', 'c', 'bad', 'd'], ['b'], ['c', 'bad'], ['d']]);
  });

  it('does not send a statement again whose answer was lost, for it may have been carried out', async () => {
    const storage = new Storage((ids) => (ids.includes('b') ? new Error('connection reset') : undefined));
    const batcher = batcherFor(storage);
    const calls = [jobs('a'), jobs('b'), jobs('c')].map((list) => batcher.enqueue(list));
    const ends = Promise.allSettled(calls);
    await storage.answerAll();
    expect((await ends).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
    expect(storage.statements).toEqual([['a'], ['b', 'c']]);
  });

  it.each<[string, Error]>([
    ['is not answered', new DatabaseTimeoutError(1_000)],
    ['finds no connection', new ConnectionTimeoutError(1_000, 10)],
    ['reaches no server', new AggregateError([refusedBy('::1'), refusedBy('127.0.0.1')], 'no server')],
    ['is refused', new QueryFailedError('INSERT', [], refusedBy('127.0.0.1'))],
  ])('gives each caller an error of its own where a statement of several %s', async (_what, error) => {
    const storage = new Storage((ids) => (ids.length > 1 ? error : undefined));
    const batcher = batcherFor(storage);
    const outcomes = Promise.allSettled(['a', 'b', 'c'].map((id) => batcher.enqueue(jobs(id))));
    await storage.answerAll();
    const [first, ...others] = await outcomes;
    expect(first!.status).toBe('fulfilled'); // it came alone
    const reasons = others.map((outcome) => (outcome as PromiseRejectedResult).reason as Error);
    expect(new Set(reasons).size).toBe(2);
    for (const reason of reasons) {
      expect(reason).toBeInstanceOf(error.constructor);
      expect(types.isNativeError(reason)).toBe(true);
      expect(inspect(reason)).toBe(inspect(error));
      expect(Object.entries(reason)).toEqual(Object.entries(error));
    }
  });

  it('puts at most a thousand rows together, but never splits a call', async () => {
    const storage = new Storage();
    const batcher = batcherFor(storage);
    const many = (prefix: string, count: number): EncodedJob[] =>
      jobs(...Array.from({ length: count }, (_, n) => `${prefix}${n}`));
    const sizes = [1, 600, 600, 1500, 1];
    const calls = sizes.map((size, n) => batcher.enqueue(many(`${n}-`, size)));
    await storage.answerAll();
    expect(storage.statements.map((ids) => ids.length)).toEqual([1, 600, 600, 1500, 1]);
    expect((await Promise.all(calls)).map((stored) => stored.length)).toEqual(sizes);
  });
});
