import 'reflect-metadata';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Injectable, Module } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import type { EntityManager } from 'typeorm';
import {
  defineJob,
  InvalidOptionError,
  JobClient,
  JobHandler,
  JobsError,
  JobsModule,
  JobCancelledError,
  LeaseLostError,
  UnknownKindError,
  type Job,
  type JobContext,
  type JobsModuleOptions,
} from '../../lib/index.js';
import { PermanentError, RetryableError } from '../../lib/job/errors.js';
import {
  jobsMatchers,
  JobsTestingModule,
  jobsTester,
  overrideJobs,
  type JobsMatchers,
  type JobsTester,
} from '../../lib/testing/index.js';
import { until } from '../support/until.js';

declare module 'expect' {
  // eslint-disable-next-line @typescript-eslint/no-unused-vars, @typescript-eslint/no-empty-object-type -- as Jest declares it
  interface Matchers<R extends void | Promise<void>, T> extends JobsMatchers<R> {}
}
expect.extend(jobsMatchers);

const logger = { debug: () => 0, log: () => 0, warn: () => 0, error: () => 0 };
const Welcome = defineJob<{ to: string; lines: { text: string }[] }, number>('welcome', { maxAttempts: 2 });

@Injectable()
class Mails {
  readonly sent: unknown[] = [];
  /** `send` waits for this. */
  gate: Promise<unknown> = Promise.resolve();
  signal: AbortSignal | undefined;

  constructor(private readonly jobs: JobClient) {}

  @JobHandler('signup', { maxAttempts: 3, backoff: { type: 'fixed', delayMs: 60_000 }, timeoutMs: 20_000 })
  async signUp({ payload, id }: Job<{ to: string }>, { signal }: JobContext) {
    this.signal = signal;
    this.sent.push(payload.to);
    await this.gate;
    signal.throwIfAborted();
    await this.jobs.enqueue(Welcome, { to: payload.to, lines: [{ text: 'Hello' }] });
    await this.jobs.enqueue('remind', id, { delayMs: 3_600_000 });
    return 'signed up';
  }

  @JobHandler(Welcome)
  welcome({ payload }: Job<{ to: string; lines: { text: string }[] }, number>): number {
    return payload.lines.length;
  }

  @JobHandler('remind')
  remind(): void {
    this.sent.push('reminder');
  }

  @JobHandler('again')
  async again(): Promise<void> {
    await this.jobs.enqueue('again');
  }
}

describe('JobsTestingModule', () => {
  let app: TestingModule;
  let jobs: JobClient;
  let tester: JobsTester;
  let mails: Mails;

  const start = async (options: JobsModuleOptions = {}) => {
    app = await Test.createTestingModule({
      imports: [JobsTestingModule.forRoot({ logger, ...options })],
      providers: [Mails],
    }).compile();
    [jobs, tester, mails] = [app.get(JobClient), jobsTester(app), app.get(Mails)];
  };
  beforeEach(() => start());
  afterEach(() => app.close());

  const signUp = () => jobs.enqueue('signup', { to: 'ann' }, { id: 'one' });
  const outcomes = async () => (await tester.drain()).map(({ kind, outcome }) => `${kind} ${outcome}`);

  it('runs nothing by itself, even in an application that has started', async () => {
    await app.init();
    await signUp();
    expect(mails.sent).toEqual([]);
    expect((await jobs.get('one'))!.status).toBe('PENDING');
    expect(await outcomes()).toEqual(['signup done', 'welcome done']);
  });

  it('drains the due jobs and the jobs that they enqueue, and returns what it ran', async () => {
    await signUp();
    const ran = await tester.drain();
    expect(ran).toMatchObject([
      {
        id: 'one',
        kind: 'signup',
        attempt: 1,
        outcome: 'done',
        job: { status: 'DONE', result: 'signed up' },
      },
      { kind: 'welcome', attempt: 1, outcome: 'done', job: { result: 1 } },
    ]);
    expect(ran.every((attempt) => !('error' in attempt))).toBe(true);
    expect(await tester.drain()).toEqual([]);
  });

  it('runs one job after the other, in order of priority', async () => {
    await jobs.enqueue('remind', null, { id: 'second' });
    await jobs.enqueue('remind', null, { id: 'first', priority: -1 });
    expect(await tester.runNext()).toMatchObject({ id: 'first' });
    expect(await tester.runNext()).toMatchObject({ id: 'second' });
    expect(await tester.runNext()).toBeNull();
  });

  it('has a clock that stands still until the test moves it', async () => {
    const begun = tester.now;
    await signUp();
    await tester.drain();
    expect(tester.now).toEqual(begun);
    tester.advance(3_599_999);
    expect(await outcomes()).toEqual([]);
    tester.advance(1);
    expect(await outcomes()).toEqual(['remind done']);
    expect(tester.now.getTime() - begun.getTime()).toBe(3_600_000);
  });

  it.each([-1, NaN, Infinity, '5' as unknown as number])('refuses to move its clock by %p', (ms) => {
    expect(() => tester.advance(ms)).toThrow(InvalidOptionError);
  });

  it('deletes what was settled long enough ago, by its clock and the option retention', async () => {
    await app.close();
    await start({ retention: { done: '1d', perKind: { welcome: { done: '2d' } } } });
    await signUp();
    await tester.drain();
    expect(await tester.prune()).toBe(0);
    tester.advance(86_400_000);
    expect(await tester.prune()).toBe(1);
    expect(tester.enqueued().map(({ kind }) => kind)).toEqual(['welcome', 'remind']);
    tester.advance(86_400_000);
    expect(await tester.prune()).toBe(1);
    expect(tester.enqueued('remind')).toHaveLength(1); // it has not ended
  });

  it('shows what has become of a job that is deleted with its settlement', async () => {
    await app.close();
    await start({ retention: { done: 0 } });
    await signUp();
    expect(await tester.runNext()).toMatchObject({
      outcome: 'done',
      job: { status: 'DONE', attemptsDone: 1 },
    });
    expect(tester.enqueued('signup')).toEqual([]);
    expect(await jobs.get('one')).toBeNull();
  });

  it('returns the enqueued jobs, of one kind or all, as they are stored now', async () => {
    await signUp();
    await tester.drain();
    expect(tester.enqueued().map(({ kind }) => kind)).toEqual(['signup', 'welcome', 'remind']);
    expect(tester.enqueued('signup')).toMatchObject([{ id: 'one', status: 'DONE', payload: { to: 'ann' } }]);
    const [welcome] = tester.enqueued(Welcome);
    expect(welcome!.payload.lines).toEqual([{ text: 'Hello' }]);
    expect(tester.enqueued('nothing')).toEqual([]);
  });

  it('gives up on jobs that enqueue each other endlessly', async () => {
    await jobs.enqueue('again');
    const endless = tester.drain({ maxJobs: 20 });
    await expect(endless).rejects.toBeInstanceOf(JobsError);
    await expect(endless).rejects.toThrow(/has run 20 jobs.*"again".*maxJobs/);
  });

  describe('failNext', () => {
    it('fails an attempt in place of the handler, and lets the next one run', async () => {
      await signUp();
      const error = new Error('no network');
      tester.failNext('signup', error);
      expect(await tester.drain()).toMatchObject([{ kind: 'signup', attempt: 1, outcome: 'retry', error }]);
      expect(mails.sent).toEqual([]);
      expect(await tester.drain()).toEqual([]);
      tester.advance(60_000);
      expect(await tester.drain()).toMatchObject([{ attempt: 2, outcome: 'done' }, { kind: 'welcome' }]);
      expect((await jobs.get('one'))!.lastError).toMatch(/^Error: no network/);
    });

    it('fails one attempt per call, in the order of the calls, until maxAttempts are used up', async () => {
      await signUp();
      for (const message of ['a', 'b', 'c']) tester.failNext('signup', new Error(message));
      const ran = [];
      for (let n = 0; n < 3; n++) {
        ran.push(...(await tester.drain()));
        tester.advance(60_000);
      }
      expect(ran.map(({ outcome, error }) => `${outcome} ${String(error)}`)).toEqual([
        'retry Error: a',
        'retry Error: b',
        'failed Error: c',
      ]);
      expect((await jobs.get('one'))!.status).toBe('FAILED');
    });

    it.each([
      ['RetryableError', new RetryableError('later', { retryAfterMs: 7_000 }), 'retry'],
      ['PermanentError', new PermanentError('never'), 'failed'],
      ['a panic', 'no error at all', 'panic'],
    ])('treats %s as if the handler had thrown it', async (_name, error, outcome) => {
      await jobs.enqueue('remind');
      tester.failNext('remind', error);
      expect(await tester.drain()).toMatchObject([{ outcome, error }]);
      tester.advance(7_000);
      expect(await tester.drain()).toHaveLength(outcome === 'retry' ? 1 : 0);
    });

    it('is typed by a definition, and refuses a kind without a handler', () => {
      tester.failNext(Welcome, new Error('no'));
      expect(() => tester.failNext('wellcome', new Error('no'))).toThrow(UnknownKindError);
      expect(() => tester.crashDuring('wellcome')).toThrow(UnknownKindError);
    });
  });

  describe('crashDuring', () => {
    it('lets the handler do its work but loses the outcome, and the job runs again after its lease', async () => {
      await signUp();
      tester.crashDuring('signup');
      expect(await tester.runNext()).toMatchObject({
        id: 'one',
        outcome: 'crashed',
        job: { status: 'PENDING' },
      });
      expect(mails.sent).toEqual(['ann']);
      expect(tester.enqueued(Welcome)).toHaveLength(1);
      tester.advance(29_999);
      expect((await outcomes()).filter((line) => line.startsWith('signup'))).toEqual([]);
      tester.advance(2);
      expect(await tester.drain()).toMatchObject([
        { id: 'one', attempt: 2, outcome: 'done' },
        { kind: 'welcome' },
      ]);
      expect(await jobs.get('one')).toMatchObject({ attemptsDone: 2, crashes: 1 });
      expect(mails.sent).toEqual(['ann', 'ann']);
      expect(tester.enqueued(Welcome)).toHaveLength(2);
    });

    it('ends the job as PANIC after maxCrashes crashes', async () => {
      await jobs.enqueue('remind', null, { id: 'culprit' });
      for (let crash = 0; crash < 3; crash++) {
        tester.crashDuring('remind');
        await tester.drain();
        tester.advance(30_001);
      }
      expect(await tester.drain()).toEqual([]);
      expect(await jobs.get('culprit')).toMatchObject({ status: 'PANIC', crashes: 3 });
    });

    it('may coincide with a failure of the handler, whose outcome is then lost', async () => {
      await signUp();
      tester.failNext('signup', new PermanentError('no'));
      tester.crashDuring('signup');
      expect(await tester.drain()).toMatchObject([{ outcome: 'crashed', job: { status: 'PENDING' } }]);
    });
  });

  describe('loseLease', () => {
    it('aborts the signal of the running handler, refuses its outcome, and lets the job run again', async () => {
      await signUp();
      let open!: (value: unknown) => void;
      mails.gate = new Promise((resolve) => (open = resolve));
      const running = tester.runNext();
      await until(() => mails.sent.length === 1);
      await tester.loseLease('one');
      expect(mails.signal!.reason).toBeInstanceOf(LeaseLostError);
      open(undefined);
      expect(await running).toMatchObject({ outcome: 'lost', error: mails.signal!.reason });
      expect(await jobs.get('one')).toMatchObject({ status: 'PENDING', attemptsDone: 1, crashes: 1 });
      expect(await outcomes()).toEqual(['signup done', 'welcome done']);
    });

    it('refuses the outcome of a handler that ignores its signal', async () => {
      await jobs.enqueue('remind', null, { id: 'deaf' });
      await tester.loseLease('deaf');
      expect(await tester.runNext()).toMatchObject({
        id: 'deaf',
        outcome: 'lost',
        job: { status: 'PENDING' },
      });
      expect(mails.sent).toEqual(['reminder']);
      expect(await tester.runNext()).toMatchObject({ id: 'deaf', attempt: 2, outcome: 'done' });
    });

    it('is refused if no attempt can follow', async () => {
      await jobs.enqueue('remind', null, { id: 'over' });
      await tester.drain();
      await expect(tester.loseLease('over')).rejects.toThrow(/it is DONE/);
      await expect(tester.loseLease('nobody')).rejects.toThrow(/no such job/);
    });
  });

  describe('A job that a test cancels', () => {
    it('does not run where it waits, and runs once it is retried', async () => {
      await jobs.enqueue('remind', null, { id: 'job' });
      expect(await jobs.cancel('job', { reason: 'no more' })).toBe('cancelled');
      expect(await tester.drain()).toEqual([]);
      await jobs.retry('job');
      expect(await tester.drain()).toMatchObject([{ id: 'job', outcome: 'done' }]);
      expect(await jobs.waitFor('job')).toMatchObject({ status: 'DONE' });
    });

    it('has its signal aborted while it runs, and is CANCELLED with what its handler throws', async () => {
      await signUp();
      let fail!: (error: unknown) => void;
      mails.gate = new Promise((_resolve, reject) => (fail = reject));
      const running = tester.runNext();
      await until(() => mails.sent.length === 1);
      expect(await jobs.cancel('one', { reason: 'no more' })).toBe('stopping');
      await until(() => mails.signal!.aborted);
      expect(mails.signal!.reason).toBeInstanceOf(JobCancelledError);
      fail(mails.signal!.reason);
      expect(await running).toMatchObject({
        outcome: 'cancelled',
        job: { status: 'CANCELLED', cancelReason: 'no more' },
      });
    });
  });

  describe('A handler that runs while the clock moves', () => {
    const running = async () => {
      await signUp();
      let open!: (value: unknown) => void;
      mails.gate = new Promise((resolve) => (open = resolve));
      const attempt = tester.runNext();
      await until(() => mails.sent.length === 1);
      return { attempt, open };
    };

    it('keeps its lease, as it would with a live worker', async () => {
      const { attempt, open } = await running();
      for (let n = 0; n < 6; n++) tester.advance(3_000);
      expect(await tester.drain()).toEqual([]);
      open(undefined);
      expect(await attempt).toMatchObject({ outcome: 'done', job: { crashes: 0 } });
    });

    it('reaches its timeoutMs by that clock, without waiting', async () => {
      const { attempt } = await running();
      tester.advance(19_999);
      expect(mails.signal!.aborted).toBe(false);
      tester.advance(1);
      expect(mails.signal!.reason).toMatchObject({ name: 'JobTimeoutError' });
      expect(await attempt).toMatchObject({ outcome: 'retry', error: { name: 'JobTimeoutError' } });
    });

    it('gets an aborted signal when the application closes, and leaves its job as it was', async () => {
      const { attempt, open } = await running();
      await app.init();
      await app.close();
      expect(mails.signal!.reason).toMatchObject({ name: 'WorkerStoppedError' });
      open(undefined);
      await attempt;
      expect(tester.enqueued('signup')).toMatchObject([{ status: 'PENDING', attemptsDone: 0 }]);
    });
  });

  it('leaves no timer behind, no matter what it was used for', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    await signUp();
    tester.failNext('signup', new Error('once'));
    tester.crashDuring(Welcome);
    for (let n = 0; n < 3; n++) {
      await tester.drain();
      tester.advance(60_000);
    }
    await tester.loseLease(tester.enqueued('remind')[0]!.id);
    tester.advance(3_600_000);
    await tester.drain();
    expect(timers()).toBe(before);
    await app.close();
    expect(timers()).toBe(before);
  });

  it('works under fake timers', async () => {
    jest.useFakeTimers();
    try {
      await signUp();
      tester.failNext('signup', new Error('once'));
      await tester.drain();
      tester.advance(60_000);
      expect(await outcomes()).toEqual(['signup done', 'welcome done']);
      expect(jest.getTimerCount()).toBe(0);
    } finally {
      jest.useRealTimers();
    }
  });

  it("accepts the module's options", async () => {
    await app.close();
    await start({ worker: { leaseMs: 5_000, kinds: ['remind'] }, maxCrashes: 1, minRetryDelayMs: 90_000 });
    await signUp();
    await jobs.enqueue('remind', null, { id: 'mine' });
    expect(tester.kinds).toEqual(['remind']);
    tester.failNext('remind', new RetryableError('later', { retryAfterMs: 1 }));
    expect(await outcomes()).toEqual(['remind retry']);
    tester.advance(89_999);
    expect(await outcomes()).toEqual([]);
    tester.advance(1);
    tester.crashDuring('remind');
    expect(await outcomes()).toEqual(['remind crashed']);
    tester.advance(5_001);
    expect(await outcomes()).toEqual([]);
    expect((await jobs.get('mine'))!.status).toBe('PANIC');
  });

  it('may have a name, and options from a factory', async () => {
    @Injectable()
    class Other {
      @JobHandler('other', { queue: 'second' })
      other(): string {
        return 'of the second';
      }
    }
    const both = await Test.createTestingModule({
      imports: [
        JobsTestingModule.forRoot({ logger }),
        JobsTestingModule.forRootAsync({ name: 'second', useFactory: () => ({ logger, worker: false }) }),
      ],
      providers: [Other],
    }).compile();
    try {
      await both.get<JobClient>('JobClient:second').enqueue('other');
      expect(await jobsTester(both).drain()).toEqual([]);
      expect(await jobsTester(both, 'second').drain()).toMatchObject([{ job: { result: 'of the second' } }]);
    } finally {
      await both.close();
    }
  });
});

describe('overrideJobs', () => {
  it("runs the jobs of an application's own modules with their options, without a database", async () => {
    const carrier = {
      capture: () => ({ tenant: 'acme' }),
      restore: (_carried: unknown, next: () => never) => next(),
    };
    @Module({ imports: [JobsModule.forRoot({ logger, contextCarrier: carrier })], providers: [Mails] })
    class AppModule {}

    const app = await overrideJobs(Test.createTestingModule({ imports: [AppModule] })).compile();
    try {
      await app.init();
      await app.get(JobClient).enqueue('signup', { to: 'bo' });
      const tester = jobsTester(app);
      expect(await tester.drain()).toMatchObject([{ kind: 'signup' }, { kind: 'welcome' }]);
      expect(tester.enqueued('signup')).toMatchObject([{ carried: { tenant: 'acme' } }]);
    } finally {
      await app.close();
    }
  });

  it('works if the module has a name', async () => {
    @Module({ imports: [JobsModule.forRoot({ logger, name: 'second', worker: false })] })
    class AppModule {}

    const app = await overrideJobs(Test.createTestingModule({ imports: [AppModule] }), {
      name: 'second',
    }).compile();
    await app.get<JobClient>('JobClient:second').enqueue('anything');
    expect(jobsTester(app, 'second').enqueued('anything')).toHaveLength(1);
    await app.close();
  });
});

describe('toHaveEnqueued', () => {
  let app: TestingModule;
  let tester: JobsTester;

  beforeEach(async () => {
    app = await Test.createTestingModule({
      imports: [JobsTestingModule.forRoot({ logger, unknownKinds: 'allow' })],
    }).compile();
    tester = jobsTester(app);
    const jobs = app.get(JobClient);
    await jobs.enqueue(Welcome, { to: 'ann', lines: [{ text: 'Hello' }, { text: 'Bye' }] });
    await jobs.enqueue('bytes', new Uint8Array([1, 2, 3]));
    await jobs.enqueue('nothing');
  });
  afterEach(() => app.close());

  it('looks for a kind and for part of its payload', () => {
    expect(tester).toHaveEnqueued('welcome');
    expect(tester).toHaveEnqueued(Welcome);
    expect(tester).toHaveEnqueued(' welcome ', { to: 'ann' });
    expect(tester).toHaveEnqueued(Welcome, { lines: [{ text: 'Hello' }, {}] });
    expect(tester).toHaveEnqueued(Welcome, { to: expect.stringMatching(/^a/) as unknown as string });
    expect(tester).toHaveEnqueued('bytes', new Uint8Array([1, 2, 3]));
    expect(tester).toHaveEnqueued('nothing', undefined);
    expect(tester).not.toHaveEnqueued('bytes', new Uint8Array([1, 2]));
    expect(tester).not.toHaveEnqueued('Welcome');
    expect(tester).not.toHaveEnqueued('other');
    expect(tester).not.toHaveEnqueued(Welcome, { to: 'bo' });
    expect(tester).not.toHaveEnqueued(Welcome, { lines: [{ text: 'Hello' }] });
    expect(tester).not.toHaveEnqueued('welcome', undefined);
  });

  it('shows what was enqueued instead', () => {
    expect(() => expect(tester).toHaveEnqueued(Welcome, { to: 'bo' })).toThrow(
      /a job of kind "welcome" with \{ to: 'bo' \}[^]*Enqueued of this kind:\n.*ann/,
    );
    expect(() => expect(tester).toHaveEnqueued('mail')).toThrow(/other kinds were enqueued: welcome, bytes/);
    expect(() => expect(tester).not.toHaveEnqueued('bytes')).toThrow(/Expected no job of kind "bytes"/);
    expect(() => expect({}).toHaveEnqueued('bytes')).toThrow(/what jobsTester\(app\) returns/);
  });

  it('is checked by the compiler against a definition', () => {
    // @ts-expect-error no such property
    expect(tester).not.toHaveEnqueued(Welcome, { too: 'ann' });
    // @ts-expect-error wrong type
    expect(tester).not.toHaveEnqueued(Welcome, { to: 7 });
  });
});

it('lets a test give a service a manager of its own', async () => {
  @Injectable()
  class Orders {
    constructor(private readonly jobs: JobClient) {}

    place(email: string): Promise<void> {
      return this.jobs.transaction(async (manager) => {
        await manager.save({ email });
        await this.jobs.enqueue('signup', { to: email });
      });
    }
  }
  const app = await Test.createTestingModule({
    imports: [JobsTestingModule.forRoot({ logger })],
    providers: [Mails, Orders],
  }).compile();
  const manager = { save: jest.fn() };
  const client = app.get(JobClient);
  jest.spyOn(client, 'transaction').mockImplementation((work) => work(manager as unknown as EntityManager));
  await app.get(Orders).place('ann@example.com');
  expect(manager.save).toHaveBeenCalledWith({ email: 'ann@example.com' });
  expect(jobsTester(app)).toHaveEnqueued('signup', { to: 'ann@example.com' });
  await app.close();
});
