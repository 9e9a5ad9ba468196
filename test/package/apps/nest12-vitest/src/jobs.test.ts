import 'reflect-metadata';
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
  // Vite emits no types of constructor parameters, so Nest must be told.
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

const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
let app: TestingModule;
afterEach(() => app.close());

it.each([
  [
    'JobsTestingModule',
    () => Test.createTestingModule({ imports: [JobsTestingModule.forRoot()], providers: [Greetings] }),
  ],
  ['overrideJobs', () => overrideJobs(Test.createTestingModule({ imports: [AppModule] }))],
])('moves jobs by %s and leaves no timer behind', async (_name, builder) => {
  const before = timers();
  app = await builder().compile();
  await app.init();
  const tester = jobsTester(app);
  await app.get(JobClient).enqueue('greet', { name: 'Ada' });
  tester.failNext('greet', new RetryableError('later'));
  expect(await tester.drain()).toMatchObject([{ kind: 'greet', outcome: 'retry' }]);
  expect(tester).not.toHaveEnqueued('wave');
  tester.advance(6_000); // a retry waits for 5 seconds, and up to a fifth more
  expect(await tester.drain()).toMatchObject([
    { job: { result: 'Hello Ada' } },
    { kind: 'wave', outcome: 'done' },
  ]);
  expect(tester).toHaveEnqueued('wave', { name: 'Ada' });
  expect(tester).not.toHaveEnqueued('wave', { name: 'Bo' });
  expect(() => expect(tester).toHaveEnqueued('wave', { times: 3 })).toThrow(/Enqueued of this kind/);
  expect(timers()).toBe(before);
});
