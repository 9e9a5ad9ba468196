import 'reflect-metadata';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Injectable, type Type } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { z } from 'zod';
import {
  defineJob,
  DuplicateJobError,
  InvalidJobError,
  InvalidOptionError,
  JobClient,
  JobHandler,
  JobSchedule,
  JobSchedules,
  type JobHandlerOptions,
} from '../../lib/index.js';
import { JobsTestingModule, jobsTester } from '../../lib/testing/index.js';

const HOUR = 3_600_000;

const Sync = defineJob('customer.sync', {
  schema: z.object({ customer: z.string().transform((name) => name.toLowerCase()) }),
  unique: { key: ({ customer }) => customer, onConflict: 'reject' },
});
const Elsewhere = defineJob<{ id: number }>('elsewhere', { unique: { key: ({ id }) => `${id}` } });

@Injectable()
class Jobs {
  @JobHandler('report.build', {
    unique: { key: ({ month }: { month: string }) => month, while: { forMs: HOUR } },
  })
  build(): void {}

  @JobHandler(Sync)
  sync(): void {}

  @JobHandler(Elsewhere, { unique: { key: () => 'all', while: 'unsettled' } })
  elsewhere(): void {}

  @JobHandler('odd', { unique: { key: (payload: unknown) => payload as string } })
  @JobSchedule({ everyMs: 60_000 }, { name: 'ticking', payload: 'tick', overlap: 'allow', missed: 'all' })
  odd(): void {}
}

describe('The unique key of a handler or a definition', () => {
  let app: TestingModule;
  afterEach(() => app.close());

  const start = async (provider: Type = Jobs, options: object = {}) => {
    app = await Test.createTestingModule({
      imports: [JobsTestingModule.forRoot(options)],
      providers: [provider],
    }).compile();
    await app.init();
    return app.get(JobClient);
  };

  it('makes one job of the enqueues with one key, for as long as its terms say', async () => {
    const client = await start();
    const tester = jobsTester(app);
    const first = await client.enqueue('report.build', { month: '2026-11' });
    expect(first).toMatchObject({ enqueued: 'created', uniqueKey: '2026-11' });
    expect(await client.enqueue('report.build', { month: '2026-12' })).toMatchObject({ enqueued: 'created' });
    await tester.drain();
    const again = await client.enqueue('report.build', { month: '2026-11' });
    expect(again).toMatchObject({ enqueued: 'joined', id: first.id, status: 'DONE' });
    tester.advance(HOUR);
    expect(await client.enqueue('report.build', { month: '2026-11' })).toMatchObject({ enqueued: 'created' });
  });

  it('is made of the payload that the handler gets', async () => {
    const client = await start();
    const first = await client.enqueue(Sync, { customer: 'ANN' });
    expect(first).toMatchObject({ uniqueKey: 'ann' });
    const refused = client.enqueue('customer.sync', { customer: 'Ann' });
    await expect(refused).rejects.toBeInstanceOf(DuplicateJobError);
    await expect(refused).rejects.toMatchObject({ id: first.id, kind: 'customer.sync', key: 'ann' });
  });

  it("holds for jobs of a list, and the handler's own goes before that of its definition", async () => {
    const client = await start();
    const jobs = await client.enqueueMany([Elsewhere.with({ id: 1 }), Elsewhere.with({ id: 2 })]);
    expect(jobs.map(({ uniqueKey, enqueued }) => [uniqueKey, enqueued])).toEqual([
      ['all', 'created'],
      ['all', 'joined'],
    ]);
  });

  it('is that of the definition where no handler of the process serves the kind', async () => {
    @Injectable()
    class Nothing {}
    const client = await start(Nothing, { unknownKinds: 'allow' });
    await client.enqueue(Elsewhere, { id: 7 });
    expect(await client.enqueue(Elsewhere, { id: 7 })).toMatchObject({ enqueued: 'joined', uniqueKey: '7' });
  });

  it('gives way to what the enqueue says itself', async () => {
    const client = await start();
    await client.enqueue('report.build', { month: '2026-11' });
    const own = await client.enqueue('report.build', { month: '2026-11' }, { unique: { key: 'mine' } });
    expect(own).toMatchObject({ enqueued: 'created', uniqueKey: 'mine' });
    const throttle = { key: 'yours', perMs: 1_000 };
    expect(await client.enqueue('report.build', { month: '2026-11' }, { throttle })).toMatchObject({
      enqueued: 'created',
      uniqueKey: 'yours',
    });
  });

  it('refuses the job where its function throws or returns no key, and nothing is written', async () => {
    const client = await start();
    const failing = client.enqueueMany([
      { kind: 'odd', payload: 'fine' },
      { kind: 'odd', payload: 7 },
    ]);
    await expect(failing).rejects.toBeInstanceOf(InvalidJobError);
    await expect(failing).rejects.toMatchObject({ path: 'jobs[1].unique.key' });
    await expect(client.enqueue('report.build', null)).rejects.toMatchObject({
      path: 'unique.key',
      cause: expect.any(TypeError),
    });
    expect(jobsTester(app).enqueued()).toEqual([]);
  });

  it('does not hold for the jobs of schedules: their ticks tell them apart', async () => {
    await start();
    const tester = jobsTester(app);
    await tester.schedules();
    tester.advance(150_000);
    const made = await tester.fireSchedules();
    expect(made.length).toBeGreaterThan(1);
    const triggered = await app.get(JobSchedules).trigger('ticking');
    for (const job of [...made, triggered]) expect(job).not.toHaveProperty('uniqueKey');
  });

  it.each<[object, string]>([
    [{ unique: { key: 'a' } }, 'unique.key'],
    [{ unique: { key: String, while: 'running' } }, 'unique.while'],
    [{ unique: { key: String, while: { forMs: -1 } } }, 'unique.while.forMs'],
    [{ unique: { key: String, onConflict: 'skip' } }, 'unique.onConflict'],
  ])('is refused at the start where it is %o', async (options, path) => {
    @Injectable()
    class Bad {
      @JobHandler('bad', options as JobHandlerOptions)
      run(): void {}
    }
    const starting = start(Bad);
    await expect(starting).rejects.toBeInstanceOf(InvalidOptionError);
    await expect(starting).rejects.toMatchObject({
      option: expect.stringMatching(`^Bad.run in .*: ${path}$`),
    });
  });
});
