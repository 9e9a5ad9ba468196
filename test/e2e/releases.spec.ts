import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { JobClient, TypeOrmJobQueue } from '../../lib/index.js';
import { describeOn, oneOfEach, sqlite, TestDatabase } from '../support/databases.js';
import { until } from '../support/until.js';
import { OBSERVING } from './observing.js';
import { ReleaseBefore } from './release-before.js';
import { WorkerProcess } from './worker-process.js';

/** A deployment: processes of the release before and of this one, on the same tables. */
describeOn([...oneOfEach, ...sqlite], 'Two releases on $name', (server) => {
  let before: ReleaseBefore;
  let database: TestDatabase;
  let dataSource: DataSource;
  let queue: TypeOrmJobQueue;
  let client: JobClient;
  let processes: WorkerProcess[];

  beforeAll(() => {
    before = new ReleaseBefore(1);
  });

  afterAll(() => before.remove());

  beforeEach(async () => {
    processes = [];
    database = await TestDatabase.create(server);
    dataSource = await database.connect();
    await dataSource.query('CREATE TABLE runs (job varchar(255), worker varchar(255))');
    queue = new TypeOrmJobQueue(dataSource, OBSERVING);
    client = new JobClient(queue);
  });

  afterEach(async () => {
    await Promise.all(processes.map((process) => process.kill()));
    await queue.close();
    await dataSource.destroy();
    await database.drop();
  });

  async function start(name: string, fixture?: string): Promise<WorkerProcess> {
    const worker = { concurrency: 2 };
    const settings = { name, database: database.options, workMs: 20, worker, fixture };
    const process = WorkerProcess.spawn(settings);
    processes.push(process);
    return process.ready();
  }

  /** Enqueues jobs, and waits until each has been run. @returns by which processes */
  async function runners(prefix: string): Promise<string[]> {
    const ids = Array.from({ length: 40 }, (_, index) => `${prefix}-${index}`);
    await client.enqueueMany(ids.map((id) => ({ kind: 'work', id, payload: { prefix } })));
    const jobs = () => Promise.all(ids.map((id) => client.get(id)));
    const areDone = async () => (await jobs()).every((job) => job?.status === 'DONE');
    await until(areDone, { what: `the jobs of "${prefix}" are done` });
    for (const job of await jobs()) expect(job).toMatchObject({ attemptsDone: 1, crashes: 0 });
    const runs = await dataSource.query<{ job: string; worker: string }[]>('SELECT job, worker FROM runs');
    const own = runs.filter(({ job }) => job.startsWith(`${prefix}-`));
    expect(own.map(({ job }) => job).toSorted()).toEqual(ids.toSorted());
    return [...new Set(own.map(({ worker }) => worker))].toSorted();
  }

  const versionTold = ({ output }: WorkerProcess) => /to version (\d+)/.exec(output)?.[1];

  it('share the jobs, whichever started first, and the old one may start again', async () => {
    const old = await start('old', before.fixture);
    expect(versionTold(old)).toBe('1');
    const young = await start('new');
    expect(versionTold(young)).toBe('2');
    expect(await runners('both')).toEqual(['new', 'old']);

    old.close();
    expect(await old.exited()).toBe(0);
    const again = await start('old, started again', before.fixture);
    expect(versionTold(again)).toBeUndefined();
    expect(await runners('again')).toEqual(['new', 'old, started again']);

    young.close();
    expect(await young.exited()).toBe(0);
    expect(await runners('rolled back')).toEqual(['old, started again']);
  });
});
