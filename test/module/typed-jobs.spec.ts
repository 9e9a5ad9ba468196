import 'reflect-metadata';
import { AsyncLocalStorage } from 'node:async_hooks';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { Injectable, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { z } from 'zod';
import {
  defineJob,
  InvalidJobError,
  JobClient,
  JobHandler,
  JobEncoder,
  JobQueue,
  JobsModule,
  InvalidPayloadError,
  type ContextCarrier,
  type Job,
} from '../../lib/index.js';
import { describeOn, oneOfEach, sqlite, TestDatabase } from '../support/databases.js';
import { until } from '../support/until.js';

const Remind = defineJob('remind', {
  version: 2,
  upcast: (payload) => ({ at: payload, to: 'unknown' }),
  schema: z.object({ at: z.coerce.date(), to: z.string().min(1) }),
});

/** The tenant of the current request, stored as an application might do it. */
const tenants = new AsyncLocalStorage<string>();
const carrier: ContextCarrier<{ tenant: string }> = {
  capture: () => {
    const tenant = tenants.getStore();
    return tenant === undefined ? undefined : { tenant };
  },
  restore: ({ tenant }, next) => tenants.run(tenant, next),
};

@Injectable()
class Reminders {
  readonly seen: unknown[] = [];

  @JobHandler(Remind)
  remind({ payload }: Job<{ at: Date; to: string }>): string {
    this.seen.push(payload);
    return payload.to;
  }

  @JobHandler('who')
  async who(): Promise<string> {
    await Promise.resolve();
    return tenants.getStore() ?? 'nobody';
  }
}

describeOn([...oneOfEach, ...sqlite], 'typed jobs and carried context on $name', (server) => {
  let database: TestDatabase;
  let app: INestApplicationContext;
  let client: JobClient;

  beforeEach(async () => {
    database = await TestDatabase.create(server);
    class AppModule {}
    const imports = [
      TypeOrmModule.forRoot(database.options),
      JobsModule.forRoot({ contextCarrier: carrier, worker: { pollIntervalMs: 100 } }),
    ];
    const root = { module: AppModule, imports, providers: [Reminders] };
    app = await NestFactory.createApplicationContext(root, { logger: false });
    client = app.get(JobClient);
  });

  afterEach(async () => {
    await app.close();
    await database.drop();
  });

  async function ended(id: string): Promise<Job> {
    await until(async () => (await client.get(id))?.status !== 'PENDING', { what: 'the end of the job' });
    return (await client.get(id))!;
  }

  it('gives the handler what the schema makes of the stored payload', async () => {
    const at = new Date('2026-05-04T03:02:01.000Z');
    const { id } = await client.enqueue(Remind, { at, to: 'Ada' });
    expect(await ended(id)).toMatchObject({ status: 'DONE', result: 'Ada', payloadVersion: 2 });
    expect(app.get(Reminders).seen).toEqual([{ at, to: 'Ada' }]);
    expect(await client.get(Remind, id)).toMatchObject({ payload: { at: at.toISOString() } });
    expect(await client.get(defineJob('another.kind'), id)).toBeNull();
  });

  it('refuses a payload that does not fit, and writes nothing', async () => {
    const good = Remind.with({ at: new Date(), to: 'Ada' }, { id: 'good' });
    const bad = Remind.with({ at: new Date(), to: '' });
    await expect(client.enqueueMany([good, bad])).rejects.toThrow(InvalidJobError);
    await expect(client.enqueueMany([good, bad])).rejects.toThrow(/^jobs\[1\]\.payload .* payload\.to: /);
    await expect(client.enqueue(Remind, { at: new Date(), to: '' })).rejects.toThrow(InvalidPayloadError);
    await expect(client.enqueue('remind', { at: new Date(), to: '' })).rejects.toThrow(InvalidPayloadError);
    expect(await client.get('good')).toBeNull();
  });

  it('fails a stored payload that no longer fits without calling the handler', async () => {
    const written = new JobEncoder(1000).encode({
      kind: 'remind',
      payload: { at: '2026-01-01', to: 7 },
      maxAttempts: 5,
    });
    await app.get(JobQueue).enqueue([{ ...written, payloadVersion: 2 }]);
    const job = await ended(written.id);
    expect(job).toMatchObject({ status: 'FAILED', attemptsDone: 1 });
    expect(job.lastError).toContain('payload.to');
    expect(app.get(Reminders).seen).toEqual([]);
  });

  it('upgrades a payload that an earlier release wrote', async () => {
    const written = new JobEncoder(1000).encode({ kind: 'remind', payload: '2026-01-01T00:00:00.000Z' });
    await app.get(JobQueue).enqueue([written]);
    expect(await ended(written.id)).toMatchObject({ status: 'DONE', result: 'unknown', payloadVersion: 1 });
    expect(app.get(Reminders).seen).toEqual([{ at: new Date('2026-01-01T00:00:00.000Z'), to: 'unknown' }]);
  });

  it('leaves a payload of a newer release for a worker of that release', async () => {
    const written = new JobEncoder(1000).encode({ kind: 'remind', payload: 'of the future' });
    await app.get(JobQueue).enqueue([{ ...written, payloadVersion: 3 }]);
    await until(async () => (await client.get(written.id))?.attemptsDone === 1, { what: 'the attempt' });
    const job = await client.get(written.id);
    expect(job).toMatchObject({ status: 'PENDING', payload: 'of the future' });
    expect(job?.lastError).toContain('is of version 3, and this release knows up to 2');
  });

  it("carries the enqueuer's context to the handler, separately for each job", async () => {
    const jobs = await Promise.all([
      tenants.run('north', () => client.enqueue('who')),
      tenants.run('south', () => client.enqueue('who')),
      client.enqueue('who'),
    ]);
    const results = await Promise.all(jobs.map(async ({ id }) => (await ended(id)).result));
    expect(results).toEqual(['north', 'south', 'nobody']);
    expect(jobs.map(({ carried }) => carried)).toEqual([{ tenant: 'north' }, { tenant: 'south' }, undefined]);
  });
});
