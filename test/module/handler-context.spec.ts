import 'reflect-metadata';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { JobClient, JobCtx, JobHandler, type Job, type JobContext } from '../../lib/index.js';
import { JobsTestingModule, jobsTester, type JobsTester } from '../../lib/testing/index.js';

@Injectable()
class Exports {
  isReady = false;

  @JobHandler('export')
  export(_job: Job, { snooze }: JobContext) {
    if (!this.isReady) snooze(60_000);
    return 'exported';
  }

  @JobHandler('import', { maxAttempts: 2 })
  import({ payload }: Job<{ rows: number }>, { attempt, progress, log }: JobContext): void {
    for (let row = 1; row <= payload.rows; row++) {
      progress({ row });
      log({ row, attempt });
    }
    if (attempt === 1) throw new Error('The file was not there yet.');
    progress(1);
    log('imported');
  }

  @JobHandler('crashing')
  crashing(_job: Job, { progress }: JobContext): void {
    progress(0.5);
  }

  @JobHandler('decorated')
  decorated(@JobCtx() context: JobContext): void {
    if (!this.isReady) context.snooze(60_000);
  }
}

let app: TestingModule;
let jobs: JobClient;
let exports: Exports;
let tester: JobsTester;

beforeEach(async () => {
  const imports = [JobsTestingModule.forRoot()];
  app = await Test.createTestingModule({ imports, providers: [Exports] }).compile();
  await app.init();
  jobs = app.get(JobClient);
  exports = app.get(Exports);
  tester = jobsTester(app);
});

afterEach(() => app.close());

describe('A handler that snoozes', () => {
  it.each(['export', 'decorated'])(
    'runs again as the same attempt when the clock of the test is moved: %s',
    async (kind) => {
      const { id } = await jobs.enqueue(kind);
      expect(await tester.drain()).toMatchObject([
        { id, attempt: 1, outcome: 'snoozed', job: { state: 'scheduled', attemptsDone: 0 } },
      ]);
      tester.advance(59_999);
      expect(await tester.drain()).toEqual([]);
      tester.advance(1);
      exports.isReady = true;
      expect(await tester.drain()).toMatchObject([{ id, attempt: 1, outcome: 'done' }]);
    },
  );
});

describe('What a handler notes', () => {
  it('is there for a test to see, with its attempts', async () => {
    const { id } = await jobs.enqueue('import', { rows: 2 });
    expect(await tester.runNext()).toMatchObject({ outcome: 'retry', job: { progress: { row: 2 } } });
    expect(await jobs.attempts(id)).toMatchObject([
      { attempt: 1, outcome: 'retry', error: expect.stringMatching(/^Error: The file was not there yet\./) },
    ]);
    tester.advance(60_000);
    expect(await tester.drain()).toMatchObject([{ outcome: 'done', job: { progress: 1 } }]);
    const { lines } = await jobs.logs(id);
    expect(lines).toMatchObject([
      { attempt: 1, line: 1, fields: { row: 1, attempt: 1 } },
      { attempt: 1, line: 2, fields: { row: 2 } },
      { attempt: 2, line: 1, fields: { row: 1, attempt: 2 } },
      { attempt: 2, line: 2 },
      { attempt: 2, line: 3, level: 'info', text: 'imported' },
    ]);
    // By the clock of the test, but for the moment until it was written.
    expect(Math.abs(lines.at(-1)!.at.getTime() - tester.now.getTime())).toBeLessThan(30_000);
    expect(await jobs.attempts(id)).toHaveLength(1);
  });

  it('is lost with a worker that dies before it is written, and the crash is an attempt', async () => {
    const { id } = await jobs.enqueue('crashing');
    tester.crashDuring('crashing');
    await tester.drain();
    tester.advance(60_000);
    expect(await tester.drain()).toMatchObject([{ attempt: 2, outcome: 'done' }]);
    expect(await jobs.attempts(id)).toMatchObject([{ attempt: 1, outcome: 'crashed' }]);
  });
});

describe('The option attempts', () => {
  it('says which attempts are recorded', async () => {
    const imports = [JobsTestingModule.forRoot({ attempts: 'all' })];
    const other = await Test.createTestingModule({ imports, providers: [Exports] }).compile();
    await other.init();
    const client = other.get(JobClient);
    const { id } = await client.enqueue('crashing');
    await jobsTester(other).drain();
    expect(await client.attempts(id)).toMatchObject([{ attempt: 1, outcome: 'done' }]);
    await other.close();
  });
});
