import 'reflect-metadata';
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Module, UseGuards, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import * as own from 'nestjs-typeorm-jobs';
import * as ownTesting from 'nestjs-typeorm-jobs/testing';

/** As a file of an application has it that is imported before the dependency, when its copy is not loaded yet. */
const jobsModule = own.JobsModule.forRoot({ tablePrefix: 'both_', minRetryDelayMs: 0 });
const { copy, Greet, Mailing, MailingModule, NoStrangers, testing } = await import('./mailing.cjs');

const Count = own.defineJob<number, number>('own.count', { maxAttempts: 4 });

@Injectable()
class OwnJobs {
  constructor(
    readonly client: own.JobClient,
    @own.InjectJobClient('bulk') readonly bulk: own.JobClient,
  ) {}

  @copy.JobHandler(Count)
  count({ payload }: own.Job<number>): number {
    return payload + 1;
  }

  @UseGuards(NoStrangers)
  @own.JobHandler('own.guarded')
  guarded(@copy.JobPayload() payload: number): number {
    return payload * 2;
  }

  @copy.JobHandler('own.bulk', { queue: 'bulk' })
  bulkJob(): string {
    return 'of the module of the other copy';
  }
}

const database = TypeOrmModule.forRoot({ type: 'postgres', url: process.env.POSTGRES_URL });

const bulkModule = copy.JobsModule.forRoot({ name: 'bulk', tablePrefix: 'both_bulk_' });

@Module({ imports: [database, jobsModule, bulkModule, MailingModule], providers: [OwnJobs] })
class AppModule {}

let app: INestApplicationContext;
let jobs: own.JobClient;

before(async () => {
  app = await NestFactory.createApplicationContext(AppModule, { logger: ['error', 'warn'] });
  jobs = app.get(own.JobClient);
});

after(() => app.close());

async function ended(id: string, client = jobs): Promise<own.Job> {
  const end = Date.now() + 15_000;
  while ((await client.get(id))?.status === 'PENDING' && Date.now() < end) await sleep(10);
  return (await client.get(id))!;
}

test('the process has two copies of the package', () => {
  assert.notEqual(copy.JobClient as unknown, own.JobClient);
  assert.notEqual(copy.RetryableError as unknown, own.RetryableError);
});

test('tokens and classes of both copies lead to the same providers', () => {
  for (const token of [copy.JobClient, own.getJobClientToken(), copy.getJobClientToken()])
    assert.equal(app.get(token), jobs);
  for (const token of [copy.Worker, copy.getWorkerToken(), own.getWorkerToken()])
    assert.equal(app.get(token), app.get(own.Worker));
  for (const token of [copy.JobQueue, copy.getJobQueueToken(), own.getJobQueueToken()])
    assert.equal(app.get(token), app.get(own.JobQueue));
  assert.equal(app.get(copy.getJobClientToken('bulk')), app.get(own.getJobClientToken('bulk')));
});

test('a provider of the dependency injects by type and by token', () => {
  const { client, clientByToken, worker, queue } = app.get(Mailing);
  assert.equal(client as unknown, jobs);
  assert.equal(clientByToken as unknown, jobs);
  assert.equal(worker as unknown, app.get(own.Worker));
  assert.equal(queue as unknown, app.get(own.JobQueue));
});

test('handlers that one copy has decorated are found by the other', () => {
  const kinds = ['mail.again', 'mail.greet', 'mail.guarded', 'mail.never', 'own.count', 'own.guarded'];
  assert.deepEqual([...app.get(own.Worker).kinds].sort(), kinds);
  assert.deepEqual(app.get<own.Worker>(own.getWorkerToken('bulk')).kinds, ['own.bulk']);
});

test('a definition of one copy works with enqueue and @JobHandler of the other', async () => {
  const greeted = await jobs.enqueue(Greet, { name: 'Ada' });
  assert.equal(greeted.priority, 7);
  assert.equal((await ended(greeted.id)).result, 'Hello Ada');
  const counted = await jobs.enqueue(Count, 1);
  assert.equal((await ended(counted.id)).result, 2);
});

test('RetryableError and PermanentError of one copy are obeyed by the worker of the other', async () => {
  const again = await ended((await jobs.enqueue('mail.again')).id);
  assert.deepEqual([again.status, again.result], ['DONE', 2]);
  const never = await ended((await jobs.enqueue('mail.never')).id);
  assert.deepEqual([never.status, never.attemptsDone], ['FAILED', 1]);
});

test('errors of one copy are recognised by instanceof of the other', async () => {
  await assert.rejects(jobs.enqueue('nobody.serves'), (error) => {
    return error instanceof copy.UnknownKindError && error instanceof copy.JobsError;
  });
  assert.throws(() => copy.defineJob('k', { maxAttempts: 0 }), own.InvalidOptionError);
  class OwnError extends own.RetryableError {}
  assert.equal(new copy.RetryableError() instanceof OwnError, false);
});

test('guards and parameters of one copy work on handlers of the other', async () => {
  for (const kind of ['mail.guarded', 'own.guarded']) await jobs.enqueue(kind, 20, { id: kind });
  assert.equal((await ended('mail.guarded')).result, 21);
  assert.equal((await ended('own.guarded')).result, 40);
  await jobs.enqueue('own.guarded', 1, { id: 'stranger' });
  assert.match((await ended('stranger')).lastError ?? '', /ForbiddenException/);
});

test('a transaction of one copy is seen by the enqueue of the other', async () => {
  const { bulk } = app.get(OwnJobs); // its module, client and queue are of the other copy
  const undone = jobs.transaction(async () => {
    await bulk.enqueue('own.bulk', null, { id: 'undone' });
    throw new Error('undo');
  });
  await assert.rejects(undone, /undo/);
  assert.equal(await bulk.get('undone'), null);
  await bulk.transaction(async () => {
    await jobs.enqueue(Count, 1, { id: 'counted' });
    await bulk.enqueue('own.bulk', null, { id: 'done' });
  });
  assert.equal((await ended('counted')).result, 2);
  assert.equal((await ended('done', bulk)).result, 'of the module of the other copy');
});

test('two modules without a name are refused, each by another copy', async () => {
  @Module({ imports: [database, jobsModule, copy.JobsModule.forRoot({ tablePrefix: 'both_' })] })
  class TwiceModule {}
  const options = { logger: false, abortOnError: false } as const;
  const starting = NestFactory.createApplicationContext(TwiceModule, options);
  await assert.rejects(starting, /There are 2 JobsModules with the name "default"/);
});

test('the testing tools of one copy work on the module of the other', async () => {
  @Module({ imports: [jobsModule], providers: [Mailing] })
  class OverriddenModule {}
  @Module({ imports: [ownTesting.JobsTestingModule.forRoot()], providers: [Mailing] })
  class TestingModule {}
  const builders = [
    testing.overrideJobs(Test.createTestingModule({ imports: [OverriddenModule] })),
    Test.createTestingModule({ imports: [TestingModule] }),
  ];
  for (const builder of builders) {
    const testApp = await builder.compile();
    await testApp.init();
    const { id } = await testApp.get(Mailing).client.enqueue(Greet, { name: 'Bo' });
    const ran = await testing.jobsTester(testApp).drain();
    assert.deepEqual(
      ran.map(({ outcome, job }) => [outcome, job.result]),
      [['done', 'Hello Bo']],
    );
    assert.equal(testApp.get(own.JobClient), testApp.get(copy.JobClient));
    assert.equal(testing.jobsTester(testApp).enqueued(Greet)[0]?.id, id);
    await testApp.close();
  }
});
