import 'reflect-metadata';
import { createHook } from 'node:async_hooks';
import { Inject, Injectable, Module } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { JobClient, JobHandler, JobsModule, RetryableError, type Job } from 'nestjs-typeorm-jobs';
import {
  jobsMatchers,
  JobsTestingModule,
  jobsTester,
  overrideJobs,
  type JobsMatchers,
} from 'nestjs-typeorm-jobs/testing';
import { afterEach, expect, it } from 'vitest';

declare module 'vitest' {
  interface Matchers<T = any> extends JobsMatchers<T> {}
}
expect.extend(jobsMatchers);

@Injectable()
class Greetings {
  // Vite emits no types of constructor parameters, so the token must be explicit.
  constructor(@Inject(JobClient) private readonly jobs: JobClient) {}

  @JobHandler('greet')
  async greet({ payload }: Job<{ name: string }>): Promise<string> {
    await this.jobs.enqueue('wave', { name: payload.name, times: 2 });
    return `Hello ${payload.name}`;
  }

  @JobHandler('wave')
  wave(): void {}
}

@Module({ imports: [JobsModule.forRoot()], providers: [Greetings] })
class AppModule {}

/** The stack traces of the timers that the package has set, by id. Timers of Vitest come and go, so they are left out. */
const timers = new Map<number, string>();
createHook({
  init(id, type) {
    const { stack = '' } = new Error();
    if (type === 'Timeout' && stack.includes('node_modules/nestjs-typeorm-jobs/')) timers.set(id, stack);
  },
  destroy: (id) => timers.delete(id),
}).enable();

let app: TestingModule;
afterEach(() => app.close());

it.each([
  [
    'JobsTestingModule',
    () => Test.createTestingModule({ imports: [JobsTestingModule.forRoot()], providers: [Greetings] }),
  ],
  ['overrideJobs', () => overrideJobs(Test.createTestingModule({ imports: [AppModule] }))],
])('runs jobs with %s and leaves no timer behind', async (_name, builder) => {
  app = await builder().compile();
  await app.init();
  const tester = jobsTester(app);
  await app.get(JobClient).enqueue('greet', { name: 'Ada' });
  tester.failNext('greet', new RetryableError('later'));
  expect(await tester.drain()).toMatchObject([{ kind: 'greet', outcome: 'retry' }]);
  expect(tester).not.toHaveEnqueued('wave');
  tester.advance(6_000); // a retry waits 5 seconds, plus up to a fifth
  expect(await tester.drain()).toMatchObject([
    { job: { result: 'Hello Ada' } },
    { kind: 'wave', outcome: 'done' },
  ]);
  expect(tester).toHaveEnqueued('wave', { name: 'Ada' });
  expect(tester).not.toHaveEnqueued('wave', { name: 'Bo' });
  expect(() => expect(tester).toHaveEnqueued('wave', { times: 3 })).toThrow(/Enqueued of this kind/);
  // The hook learns a little later that a timer is gone.
  for (let turn = 0; timers.size > 0 && turn < 1_000; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect([...timers.values()]).toEqual([]);
});
