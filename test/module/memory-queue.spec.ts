import 'reflect-metadata';
import { expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { JobClient, JobHandler, JobQueue, JobsModule, MemoryJobQueue, type Job } from '../../lib/index.js';
import { until } from '../support/until.js';

@Injectable()
class Doubles {
  @JobHandler('double')
  double({ payload }: Job<number>): number {
    return payload * 2;
  }
}

it('runs a whole application on a queue in memory, without a database', async () => {
  const errors: string[] = [];
  const logger = {
    debug: () => 0,
    log: () => 0,
    warn: (line: string) => errors.push(line),
    error: (line: string) => errors.push(line),
  };
  const app = await Test.createTestingModule({
    imports: [JobsModule.forRoot({ logger })],
    providers: [Doubles],
  })
    .overrideProvider(JobQueue)
    .useValue(new MemoryJobQueue())
    .compile();
  await app.init();
  const client = app.get(JobClient);
  const { id } = await client.enqueue('double', 21);
  await until(async () => (await client.get(id))?.status === 'DONE');
  expect((await client.get(id))?.result).toBe(42);
  await app.close();
  expect(errors).toEqual([]);
});
