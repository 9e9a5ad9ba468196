import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { previewSchedule, TypeOrmJobQueue, type Job, type ScheduleSpec } from '../../lib/index.js';
import type { StoredSchedule } from '../../lib/queue/schedule-store.js';
import { describeOn, oneOfEach, sqlite, TestDatabase } from '../support/databases.js';
import { until } from '../support/until.js';
import { OBSERVING } from './observing.js';
import { spawnScheduleProcess } from './schedule-process.js';
import type { WorkerProcess } from './worker-process.js';

/** How long the processes run. The starts of them come on top, and a slow deployment. */
const SECONDS = Number(process.env.SCHEDULES_SECONDS ?? 30);
/** When things happen, in shares of that time. */
const KILL_AT = 0.15;
const DEPLOY_AT = 0.4;
const FROZEN_MS = 5_000;
const HOURS = 3_600_000;
const LOOK_EVERY_MS = 50;

const EVERY_TICK = { missed: 'all', overlap: 'allow' } as const;
const STEADY: ScheduleSpec = { name: 'steady', everyMs: 1_000, ...EVERY_TICK };
const SECONDLY: ScheduleSpec = { name: 'changed', cron: '* * * * * *', ...EVERY_TICK };
const EVEN: ScheduleSpec = { name: 'changed', cron: '*/2 * * * * *', ...EVERY_TICK };
const REMOVED: ScheduleSpec = { name: 'removed', cron: '* * * * * *', ...EVERY_TICK };
const OLD_RELEASE = [STEADY, SECONDLY, REMOVED];
const NEW_RELEASE = [STEADY, EVEN];

/** When the old release was replaced, by the clock of the database. */
interface Deployment {
  /** The new expression was written between these. */
  readonly changing: readonly [from: Date, to: Date];
  /** The last old process was told to end at the first of these, and had ended at the second. */
  readonly silencing: readonly [from: Date, to: Date];
}

/** Processes with schedules, real signals and a deployment, on the built package: `npm run build:lib` makes it. */
describeOn([...oneOfEach, ...sqlite], 'Schedules in many processes on $name', (server) => {
  const size = server.type === 'better-sqlite3' ? 3 : 20;
  let database: TestDatabase;
  let dataSource: DataSource;
  let queue: TypeOrmJobQueue;
  let processes: WorkerProcess[];

  beforeEach(async () => {
    processes = [];
    database = await TestDatabase.create(server);
    dataSource = await database.connect();
    await dataSource.query('CREATE TABLE runs (job varchar(255), worker varchar(255))');
    queue = new TypeOrmJobQueue(dataSource, OBSERVING);
    await queue.open();
  });

  afterEach(async () => {
    await Promise.all(processes.map((process) => process.kill()));
    await queue.close();
    await dataSource.destroy();
    await database.drop();
  });

  /** The first is a Nest application, and the last has a clock that is wrong. */
  function spawn(release: string, declares: readonly ScheduleSpec[], index: number): WorkerProcess {
    const process = spawnScheduleProcess({
      name: `${release} ${index + 1}`,
      database: database.options,
      declares,
      isNest: index === 0,
      clockOffsetMs: index === size - 1 ? 6 * HOURS : 0,
    });
    processes.push(process);
    return process;
  }

  async function now(): Promise<Date> {
    return (await queue.schedules.look([])).now;
  }

  async function row(name: string): Promise<StoredSchedule> {
    return (await queue.schedules.look([name])).schedules[0]!;
  }

  /** Waits until the clock of the database has come so far. */
  async function passed(instant: Date): Promise<void> {
    const what = `"it is ${instant.toISOString()}"`;
    const timeoutMs = 60_000 + SECONDS * 1_000;
    await until(async () => (await now()) >= instant, { what, timeoutMs, everyMs: LOOK_EVERY_MS });
  }

  async function freeze(process: WorkerProcess): Promise<void> {
    process.send('SIGSTOP');
    await passed(new Date((await now()).getTime() + FROZEN_MS));
    process.send('SIGCONT');
  }

  /** Replaces all processes, one by one. One of the old ones is killed rather than asked to end. */
  async function deploy(old: readonly WorkerProcess[]): Promise<Deployment> {
    const from = await now();
    let changedAt = from;
    let silencedFrom = from;
    for (const [index, process] of old.entries()) {
      await spawn('new', NEW_RELEASE, index).ready();
      if (index === 0) {
        const isChanged = async () => (await row('changed')).rule.includes('*/2');
        await until(isChanged, { what: '"the new expression is written"' });
        changedAt = await now();
      }
      if (index === size - 1) silencedFrom = await now();
      if (index === Math.ceil(size / 2)) process.send('SIGKILL');
      else if (!process.hasExited) process.close();
      await process.exited();
    }
    return { changing: [from, changedAt], silencing: [silencedFrom, await now()] };
  }

  async function jobs(): Promise<Job[]> {
    const rows = await dataSource.query<{ id: string }[]>('SELECT id FROM nest_jobs');
    const found: Job[] = [];
    for (const { id } of rows) found.push((await queue.get(id))!);
    return found;
  }

  it(`make one job for each tick: ${size} of them, killed, frozen, replaced, and one by a wrong clock`, async () => {
    const old = Array.from({ length: size }, (_, index) => spawn('old', OLD_RELEASE, index));
    await Promise.all(old.map((process) => process.ready()));
    const start = await now();
    const after = (share: number) => new Date(start.getTime() + share * SECONDS * 1_000);
    await passed(after(KILL_AT));
    old[1]!.send('SIGKILL');
    await freeze(old[2]!);
    await passed(after(DEPLOY_AT));
    const deployment = await deploy(old);
    await passed(after(1));
    await passed(new Date(deployment.silencing[1].getTime() + 5_000)); // all of them new
    const end = await now();
    for (const name of ['steady', 'changed']) await caughtUp(name, end);
    await quiet();

    const made = await jobs();
    const ticksOf = (name: string) => ticks(made.filter(({ schedule }) => schedule === name));
    const [steady, changed, removed] = ['steady', 'changed', 'removed'].map(ticksOf);
    expect(steady!.length + changed!.length + removed!.length).toBe(made.length);
    await expectAll(steady!, end);
    expectChange(changed!, end, deployment);
    await expectSilence(removed!, deployment);
    await expectRuns(made);
    report(made, end.getTime() - start.getTime());
  }, 720_000);

  /** Waits until all ticks up to an instant are over. */
  async function caughtUp(name: string, instant: Date): Promise<void> {
    const isOver = async () => (await row(name)).nextAt! > instant;
    await until(isOver, { what: `"all ticks of ${name} are over"`, everyMs: LOOK_EVERY_MS });
  }

  /** Lets no further tick come, and waits until all jobs have ended. */
  async function quiet(): Promise<void> {
    for (const name of ['steady', 'changed']) await queue.schedules.pause(name, 'the test ends');
    const pending = `SELECT count(*) AS n FROM nest_jobs WHERE status = 'PENDING'`;
    const haveEnded = async () => Number((await dataSource.query<{ n: string }[]>(pending))[0]!.n) === 0;
    await until(haveEnded, { what: '"all jobs have ended"', everyMs: LOOK_EVERY_MS });
  }

  async function expectAll(steady: readonly number[], end: Date): Promise<void> {
    const { anchorAt, createdAt } = await row('steady');
    expect(steady[0]).toBe(anchorAt.getTime() + 1_000);
    expect(anchorAt.getTime() - createdAt.getTime()).toBeLessThan(1_000);
    const declared = previewSchedule(
      { everyMs: 1_000, startAt: anchorAt },
      { from: new Date(steady[0]!), count: 1_000 },
    );
    expectTicks(upTo(steady, end), upTo(numbers(declared), end));
  }

  function expectChange(changed: readonly number[], end: Date, { changing: [from, to] }: Deployment): void {
    const secondly = numbers(previewSchedule(SECONDLY, { from: new Date(changed[0]!), count: 1_000 }));
    const even = numbers(previewSchedule(EVEN, { from: to, count: 1_000 }));
    expectTicks(before(changed, from), before(secondly, from));
    expectTicks(
      upTo(changed, end).filter((tick) => tick > to.getTime()),
      upTo(even, end).filter((tick) => tick > to.getTime()),
    );
    expect(secondly).toEqual(expect.arrayContaining(changed as number[]));
  }

  async function expectSilence(
    removed: readonly number[],
    { silencing: [from, to] }: Deployment,
  ): Promise<void> {
    const { lastTick } = await row('removed');
    expect(lastTick!.getTime()).toBeGreaterThan(from.getTime() - 5_000);
    expect(lastTick!.getTime()).toBeLessThanOrEqual(to.getTime());
    const secondly = previewSchedule(REMOVED, { from: new Date(removed[0]!), count: 1_000 });
    expectTicks(removed, upTo(numbers(secondly), lastTick!));
  }

  /** Each job was run once, but for those whose process was killed or frozen. */
  async function expectRuns(made: readonly Job[]): Promise<void> {
    const rows = await dataSource.query<{ job: string }[]>('SELECT job FROM runs');
    const runs = new Map<string, number>();
    for (const { job } of rows) runs.set(job, (runs.get(job) ?? 0) + 1);
    const odd = made.filter(({ id, crashes }) => crashes === 0 && runs.get(id) !== 1);
    expect(odd).toEqual([]);
  }

  function report(made: readonly Job[], ms: number): void {
    const late = made
      .map(({ tick, createdAt }) => createdAt.getTime() - tick!.getTime())
      .toSorted((a, b) => a - b);
    const at = (share: number) => late[Math.floor((late.length - 1) * share)]!;
    console.log(
      `${server.name}: ${made.length} ticks of ${size} processes in ${(ms / 1000).toFixed(0)} s; ` +
        `a job was made ${at(0.5)} ms after its tick in the median, ${at(0.99)} ms at p99, ${at(1)} ms at most`,
    );
    expect(at(0.5)).toBeLessThan(1_000);
  }
});

/** Of jobs, ascending. A tick with two jobs stands there twice. */
function ticks(jobs: readonly Job[]): number[] {
  return jobs.map(({ tick }) => tick!.getTime()).toSorted((a, b) => a - b);
}

function numbers(dates: readonly Date[]): number[] {
  return dates.map((date) => date.getTime());
}

function upTo(all: readonly number[], end: Date): number[] {
  return all.filter((tick) => tick <= end.getTime());
}

function before(all: readonly number[], end: Date): number[] {
  return all.filter((tick) => tick < end.getTime());
}

/** No hole, and no tick twice. */
function expectTicks(made: readonly number[], declared: readonly number[]): void {
  const text = (all: readonly number[]) => all.map((tick) => new Date(tick).toISOString());
  expect(text(made)).toEqual(text(declared));
}
