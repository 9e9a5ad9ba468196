import { Injectable, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { JobClient, JobHandler, JobsModule, type Job } from 'nestjs-typeorm-jobs';
import {
  drain,
  jobsMatchers,
  JobsTestingModule,
  jobsTester,
  overrideJobs,
  type JobsMatchers,
} from 'nestjs-typeorm-jobs/testing';

declare global {
  namespace jest {
    interface Matchers<R> extends JobsMatchers<R> {}
  }
}
expect.extend(jobsMatchers);

@Injectable()
class Greetings {
  constructor(private readonly jobs: JobClient) {}

  @JobHandler('greet.twice')
  async greet({ payload }: Job<{ name: string }>): Promise<string> {
    await this.jobs.enqueue('wave', { name: payload.name, times: 2 });
    return `Hello ${payload.name}`;
  }

  @JobHandler('wave')
  wave(): void {}
}

@Module({
  imports: [
    TypeOrmModule.forRoot({ type: 'postgres', url: process.env.POSTGRES_URL }),
    JobsModule.forRoot({ tablePrefix: 'drained_', worker: false }),
  ],
  providers: [Greetings],
})
class AppModule {}

it('runs jobs without a database', async () => {
  const app = await Test.createTestingModule({
    imports: [JobsTestingModule.forRoot()],
    providers: [Greetings],
  }).compile();
  const tester = jobsTester(app);
  await app.get(JobClient).enqueue('greet.twice', { name: 'Ada' });
  expect(await tester.drain()).toMatchObject([{ job: { result: 'Hello Ada' } }, { kind: 'wave' }]);
  expect(tester).toHaveEnqueued('wave', { times: 2 });
  expect(tester).not.toHaveEnqueued('wave', { times: 3 });
  await app.close();
});

it.each([
  ['in memory', overrideJobs],
  ['in the database', <Builder>(builder: Builder) => builder],
])('drains an application whose jobs are %s', async (_name, adapt) => {
  const app = await adapt(Test.createTestingModule({ imports: [AppModule] })).compile();
  await app.init();
  await app.get(JobClient).enqueue('greet.twice', { name: 'Bo' });
  expect(await drain(app)).toMatchObject([
    { job: { result: 'Hello Bo' } },
    { kind: 'wave', outcome: 'done' },
  ]);
  await app.close();
});
