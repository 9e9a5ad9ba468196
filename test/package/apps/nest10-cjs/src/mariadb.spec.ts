import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { JobClient, JobHandler, JobsModule, type Job } from 'nestjs-typeorm-jobs';
import { drain } from 'nestjs-typeorm-jobs/testing';

@Injectable()
class Greetings {
  @JobHandler('greet', { transactional: true })
  greet({ payload }: Job<string>): string {
    return `Hello ${payload}`;
  }
}

it('runs a handler on MariaDB', async () => {
  const app = await Test.createTestingModule({
    imports: [
      TypeOrmModule.forRoot({ type: 'mysql', url: process.env.MARIADB_URL, timezone: 'Z' }),
      JobsModule.forRoot({ worker: false }),
    ],
    providers: [Greetings],
  }).compile();
  await app.init();
  const jobs = app.get(JobClient);
  await jobs.enqueueMany(Array.from({ length: 20 }, (_, n) => ({ kind: 'greet', payload: `${n} 🎉` })));
  const ran = await drain(app);
  expect(ran.map(({ job }) => job.result)).toEqual(Array.from({ length: 20 }, (_, n) => `Hello ${n} 🎉`));
  await app.close();
});
