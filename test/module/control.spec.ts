import 'reflect-metadata';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { z } from 'zod';
import {
  defineJob,
  InvalidPayloadError,
  JobClient,
  getJobQueueToken,
  JobHandler,
  UnknownKindError,
  type JobOf,
  type JobQueue,
} from '../../lib/index.js';
import { JobsTestingModule, jobsTester } from '../../lib/testing/index.js';

const Charge = defineJob('charge', {
  version: 2,
  schema: z.object({ cents: z.number() }),
  upcast: (old: unknown) => ({ cents: (old as { euros: number }).euros * 100 }),
});

@Injectable()
class Charges {
  @JobHandler(Charge)
  charge({ payload }: JobOf<typeof Charge>): number {
    return payload.cents;
  }
}

describe('Control of jobs with a definition', () => {
  let app: TestingModule;
  let jobs: JobClient;

  beforeEach(async () => {
    const imports = [JobsTestingModule.forRoot()];
    app = await Test.createTestingModule({ imports, providers: [Charges] }).compile();
    await app.init();
    jobs = app.get(JobClient);
  });

  afterEach(() => app.close());

  it('checks a payload that is changed, and changes nothing where it does not fit', async () => {
    const { id } = await jobs.enqueue(Charge, { cents: 1 });
    await expect(jobs.update(id, { payload: { cents: 'much' } })).rejects.toBeInstanceOf(InvalidPayloadError);
    expect(await jobs.get(id)).toMatchObject({ payload: { cents: 1 }, payloadVersion: 2 });
    expect(await jobs.update(id, { payload: { cents: 2 } })).toMatchObject({ payload: { cents: 2 } });
    expect(await jobs.update(id, { priority: 3 })).toMatchObject({ payload: { cents: 2 }, priority: 3 });
  });

  it('copies a payload of an earlier version with its version, which the handler gets up to date', async () => {
    const old = new JobClient(app.get<JobQueue>(getJobQueueToken()));
    const { id } = await old.enqueue('charge', { euros: 7 });
    const copy = await jobs.clone(id);
    expect(copy).toMatchObject({ payload: { euros: 7 }, payloadVersion: 1 });
    const ran = await jobsTester(app).drain();
    expect(ran.map(({ job }) => job.result)).toEqual([700, 700]);
    await expect(jobs.clone(id, { payload: { euros: 7 } })).rejects.toBeInstanceOf(InvalidPayloadError);
  });

  it('refuses a copy of a kind that nothing here serves', async () => {
    const elsewhere = new JobClient(app.get<JobQueue>(getJobQueueToken()));
    const { id } = await elsewhere.enqueue('elsewhere');
    await expect(jobs.clone(id)).rejects.toBeInstanceOf(UnknownKindError);
  });
});
