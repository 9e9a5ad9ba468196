import 'reflect-metadata';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { Entity, PrimaryColumn } from 'typeorm';
import { forEntity, JobClient, JobHandler, type Job } from '../../lib/index.js';
import { JobsTestingModule, jobsTester } from '../../lib/testing/index.js';

@Entity()
class Order {
  @PrimaryColumn()
  id!: string;
}

@Injectable()
class Invoices {
  isDown = true;

  @JobHandler('invoice')
  create({ payload }: Job<{ n: number }>): number {
    if (this.isDown && payload.n % 2 === 0) throw new Error('ECONNREFUSED');
    return payload.n;
  }
}

describe('Jobs of an application', () => {
  let app: TestingModule;
  let jobs: JobClient;
  const order = Object.assign(new Order(), { id: 'o-1' });

  beforeEach(async () => {
    const imports = [JobsTestingModule.forRoot()];
    app = await Test.createTestingModule({ imports, providers: [Invoices] }).compile();
    await app.init();
    jobs = app.get(JobClient);
    for (let n = 0; n < 6; n++)
      await jobs.enqueue('invoice', { n }, { id: `job ${n}`, ...(n < 3 && { tags: [forEntity(order)] }) });
  });

  afterEach(() => app.close());

  it('are found and counted, and those that failed are run again', async () => {
    await jobsTester(app).drain();
    const failed = { states: ['failed'], error: 'ECONNREFUSED' } as const;
    expect((await jobs.find(failed)).jobs.map(({ id }) => id)).toEqual(['job 4', 'job 2', 'job 0']);
    expect(await jobs.count({ ...failed, entity: order })).toEqual({ value: 2, capped: false });
    app.get(Invoices).isDown = false;
    expect(await jobs.retryMany(failed)).toEqual({ matched: 3, changed: 3, conflicts: 0 });
    await jobsTester(app).drain();
    expect(await jobs.count({ states: ['done'] })).toEqual({ value: 6, capped: false });
  });

  it('are cancelled and deleted by what they belong to', async () => {
    expect(await jobs.cancelMany({ entity: order }, { reason: 'gone' })).toMatchObject({ changed: 3 });
    expect(await jobs.find({ payload: { n: 1 } })).toMatchObject({ jobs: [{ cancelReason: 'gone' }] });
    expect(await jobs.deleteMany({ entity: order })).toMatchObject({ changed: 3 });
    expect(await jobs.count()).toEqual({ value: 3, capped: false });
  });
});
