import 'reflect-metadata';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import {
  ApplicationClosedError,
  getJobKindsToken,
  InjectJobKinds,
  JobClient,
  JobHandler,
  JobKinds,
  JobsModule,
  type Job,
} from '../../lib/index.js';
import { JobsTestingModule, jobsTester } from '../../lib/testing/index.js';
import { TestApplications } from '../support/applications.js';
import { describeOn, oneOfEach } from '../support/databases.js';

const HOUR = 3_600_000;

@Injectable()
class Mails {
  @JobHandler('mail')
  send({ payload }: Job) {
    return payload;
  }

  @JobHandler('report')
  report() {}
}

@Injectable()
class Operator {
  constructor(
    readonly kinds: JobKinds,
    @InjectJobKinds('archive') readonly archive: JobKinds,
  ) {}
}

describe('JobKinds in a test', () => {
  let app: TestingModule;
  afterEach(() => app.close());

  const start = async () => {
    const imports = [JobsTestingModule.forRoot(), JobsTestingModule.forRoot({ name: 'archive' })];
    app = await Test.createTestingModule({ imports, providers: [Mails, Operator] }).compile();
    await app.init();
    return app;
  };

  it('are injected by their type, and by the name of their module', async () => {
    const { kinds, archive } = (await start()).get(Operator);
    expect(kinds).toBe(app.get(JobKinds));
    expect(archive).toBe(app.get(getJobKindsToken('archive')));
    expect(archive).not.toBe(kinds);
  });

  it('keep the tester from running jobs of a paused kind', async () => {
    const kinds = (await start()).get(JobKinds);
    const [jobs, tester] = [app.get(JobClient), jobsTester(app)];
    await kinds.pause('mail', { wait: true });
    await jobs.enqueue('mail', 1);
    await jobs.enqueue('report');
    expect((await tester.drain()).map(({ kind }) => kind)).toEqual(['report']);
    await kinds.resume('mail');
    expect((await tester.drain()).map(({ kind }) => kind)).toEqual(['mail']);
  });

  it('end a pause by the clock of the test', async () => {
    const kinds = (await start()).get(JobKinds);
    const [jobs, tester] = [app.get(JobClient), jobsTester(app)];
    await kinds.pause('*', { until: new Date(tester.now.getTime() + HOUR) });
    await jobs.enqueue('mail', 1);
    tester.advance(HOUR - 1);
    expect(await tester.drain()).toEqual([]);
    tester.advance(1);
    expect(await tester.drain()).toHaveLength(1);
  });
});

describeOn(oneOfEach, 'JobKinds on $name', (server) => {
  const apps = TestApplications.on(server);

  it('pause and resume a kind of the application, and tell of its worker', async () => {
    const app = await apps.start({
      imports: [apps.typeOrm(), JobsModule.forRoot({ worker: { pollIntervalMs: 100, concurrency: 3 } })],
      providers: [Mails],
    });
    const [kinds, jobs] = [app.get(JobKinds), app.get(JobClient)];
    await kinds.pause('mail', { wait: true, reason: 'no server' });
    const { id } = await jobs.enqueue('mail', 1);
    await jobs.waitFor((await jobs.enqueue('report')).id);
    expect(await jobs.get(id)).toMatchObject({ state: 'ready', attemptsDone: 0 });
    expect(await kinds.workers()).toMatchObject([
      { kinds: ['mail', 'report'], concurrency: 3, pid: process.pid, stopping: false },
    ]);
    expect(await kinds.resume('mail')).toBe(true);
    expect(await jobs.waitForResult(id)).toBe(1);
    await app.close();
    await expect(kinds.workers()).rejects.toBeInstanceOf(ApplicationClosedError);
  });
});
