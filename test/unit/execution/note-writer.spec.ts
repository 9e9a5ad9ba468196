import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { deferred } from '../../../lib/async/deferred.js';
import type { HandlerFn } from '../../../lib/execution/attempt.js';
import { Executor } from '../../../lib/execution/executor.js';
import type { ClaimedJob, JobContext } from '../../../lib/job/job.js';
import type { LeaseAnswer } from '../../../lib/queue/lease.js';
import type { AttemptNote } from '../../../lib/queue/note-store.js';
import { MemoryLogger } from '../../support/memory-logger.js';
import { FAKE_TIMERS, FakeQueue, heard, heldJob, never, turn } from '../fakes.js';

let queue: FakeQueue;
let logger: MemoryLogger;
let executor: Executor;
let timers: number;

beforeEach(() => {
  jest.useFakeTimers(FAKE_TIMERS);
  queue = new FakeQueue();
  queue.refusesContent = () => false;
  logger = new MemoryLogger();
  executor = new Executor(queue, { leaseMs: 60_000, heartbeatMs: 20_000 }, logger.events);
  executor.start();
  timers = jest.getTimerCount();
});

afterEach(async () => {
  await executor.stop();
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

/** Starts a handler that does not end, and hands out its context. */
async function running(fields: Partial<ClaimedJob> = {}, end: Promise<unknown> = never()) {
  const started = deferred<JobContext<never>>();
  const run: HandlerFn = (_job, context) => {
    started.resolve(context);
    return end;
  };
  const job = executor.hold(heldJob(fields, { run }).attempt, performance.now());
  void executor.run(job);
  return { job, context: await started.promise };
}

const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);
const progresses = () => queue.noted.map(({ id, progress }) => `${id} ${progress!}`);

describe('NoteWriter', () => {
  it('has no timer while handlers note nothing', async () => {
    await running();
    expect(jest.getTimerCount()).toBe(timers);
    await pass(10_000);
    expect(queue.noted).toEqual([]);
  });

  it('writes the newest of a second, of all jobs in one call, and then rests', async () => {
    const calls: (readonly AttemptNote[])[] = [];
    const { write } = queue.notes;
    queue.notes.write = (notes) => {
      calls.push(notes);
      return write(notes);
    };
    const [a, b] = [await running({ id: 'a' }), await running({ id: 'b', attemptsDone: 4 })];
    a.context.progress(0.1);
    await pass(500);
    b.context.log('of b', 'warn');
    a.context.progress(0.2);
    await pass(499);
    expect(calls).toEqual([]);
    await pass(1);
    expect(calls).toMatchObject([
      [
        { id: 'a', attempt: 1, progress: '0.2', lines: [], keep: 1_000 },
        {
          id: 'b',
          attempt: 5,
          progress: null,
          lines: [{ agoMs: 500, level: 'warn', entry: '"of b"' }],
          keep: 1_000,
        },
      ],
    ]);
    expect(jest.getTimerCount()).toBe(timers);
    await pass(5_000);
    expect(calls).toHaveLength(1);
    a.context.progress(0.3);
    await pass(1_000);
    expect(progresses().at(-1)).toBe('a 0.3');
  });

  it('writes before the outcome what the handler has noted last', async () => {
    const order: string[] = [];
    const { settle, notes } = queue;
    queue.notes.write = (given) => {
      order.push(`note ${given[0]!.progress!}`);
      return Promise.resolve(given.map((): LeaseAnswer => 'written'));
    };
    queue.settle = (settlements) => {
      order.push('outcome');
      return settle(settlements);
    };
    expect(notes).toBe(queue.notes);
    const end = deferred();
    const { context } = await running({}, end.promise);
    context.progress(0.5);
    end.resolve();
    await executor.held.noneRunning();
    await executor.held.noneSettling();
    expect(order).toEqual(['note 0.5', 'outcome']);
    context.progress(1); // too late
    expect(jest.getTimerCount()).toBe(timers);
  });

  it('waits a second for a write that is not answered, and not longer', async () => {
    queue.notes.write = never;
    const end = deferred();
    const { context } = await running({}, end.promise);
    context.progress(0.5);
    end.resolve();
    await pass(999);
    expect(queue.settled).toEqual([]);
    await pass(1);
    await turn();
    expect(queue.settled).toHaveLength(1);
  });

  it('tries again what could not be written or met a locked row, with what is new, and tells once', async () => {
    const failures = heard(logger.events, 'notesFailed');
    const { write } = queue.notes;
    const answers: (() => Promise<LeaseAnswer[]>)[] = [
      () => Promise.reject(new Error('connection lost')),
      () => Promise.reject(new Error('connection lost')),
      () => Promise.resolve(['busy']),
    ];
    queue.notes.write = (notes) => answers.shift()?.() ?? write(notes);
    const { context } = await running();
    context.log('one');
    context.progress(0.1);
    await pass(1_000);
    context.log('two');
    await pass(1_000);
    context.progress(0.2);
    await pass(1_000);
    expect(queue.noted).toEqual([]);
    await pass(1_000);
    expect(queue.noted).toMatchObject([
      { progress: '0.2', lines: [{ entry: '"one"' }, { entry: '"two"' }], skipped: 0, keep: 1_000 },
    ]);
    expect(failures.map(({ failures: count }) => count)).toEqual([1, 2]);
    expect(logger.lines.filter((line) => line.includes('Could not write progress'))).toHaveLength(1);
  });

  it('drops what the storage refuses for its content, and writes what others have noted', async () => {
    const refused = heard(logger.events, 'noteRefused');
    const { write } = queue.notes;
    queue.refusesContent = () => true;
    queue.notes.write = (notes) =>
      notes.some(({ id }) => id === 'bad') ? Promise.reject(new Error('no such character')) : write(notes);
    const jobs = [await running({ id: 'a' }), await running({ id: 'bad' }), await running({ id: 'b' })];
    for (const { context } of jobs) context.progress(1);
    await pass(1_000);
    expect(progresses()).toEqual(['a 1', 'b 1']);
    expect(refused.map(({ job }) => job.id)).toEqual(['bad']);
    await pass(5_000);
    expect(refused).toHaveLength(1);
  });

  it('leaves out lines beyond a thousand, though a write is under way and then fails', async () => {
    const answer = deferred<LeaseAnswer[]>();
    const { write } = queue.notes;
    queue.notes.write = () => answer.promise;
    const { context } = await running();
    for (let n = 1; n <= 600; n++) context.log(`${n}`);
    await pass(1_000);
    for (let n = 601; n <= 1_500; n++) context.log(`${n}`);
    queue.notes.write = write;
    answer.reject(new Error('connection lost'));
    await pass(1_000);
    const [note] = queue.noted;
    expect(note).toMatchObject({ skipped: 500, keep: 1_000 });
    expect(note!.lines.map(({ entry }) => entry)).toEqual(
      Array.from({ length: 1_000 }, (_, index) => `"${index + 501}"`),
    );
  });

  it('lets go of what a job has noted whose lease is lost', async () => {
    queue.notes.write = () => Promise.resolve(['lost']);
    const { context } = await running();
    context.progress(1);
    await pass(1_000);
    expect(jest.getTimerCount()).toBe(timers);
  });
});
