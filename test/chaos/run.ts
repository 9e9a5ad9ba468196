import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { TcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/until.js';
import { Observer } from './audit.js';
import { KINDS } from './behaviors.js';
import { now } from './clock.js';
import { controlsOf } from './control-calls.js';
import { Member, readLines } from './fleet.js';
import { Nemesis } from './nemesis.js';
import { PauseWatch } from './pause-watch.js';
import { Random } from './random.js';
import type { EnqueuerRecord, Fault, History, Settings, WorkerRecord } from './records.js';
import { queueOn, ScheduleWatch } from './schedule-watch.js';
import { DatabaseServer, type Engine } from './server.js';

export interface RunOptions {
  readonly engine: Engine;
  readonly jobs: number;
  readonly seed: string;
  readonly minutes: number;
  /** The folder of the compiled suite and of the package under test. */
  readonly root: string;
  /** The faults to draw from; all by default. */
  readonly faults?: readonly Exclude<Fault['kind'], 'slow database'>[];
  /** How long the drain may take, in addition to the time that its backlog needs. */
  readonly drainMs?: number;
  readonly say: (text: string) => void;
}

const LEASE_MS = 2_000;
const MAX_CRASHES = 3;
const POOL_SIZE = 8;
/** How long the package waits for the database's answer. */
const ANSWER_MS = 5_000;
const HOURS = 3_600_000;

/** How a process of the suite is set up. */
interface Setup {
  readonly name: string;
  readonly clockOffsetMs: number;
  readonly hasProxy: boolean;
  readonly kinds?: readonly string[];
}

/** One worker serves a single kind, because claims of one kind are a different statement. */
const WORKERS: readonly Setup[] = [
  { name: 'w1', clockOffsetMs: 0, hasProxy: false },
  { name: 'w2', clockOffsetMs: 6 * HOURS, hasProxy: false, kinds: [KINDS.fast] },
  { name: 'w3', clockOffsetMs: 0, hasProxy: true },
  { name: 'w4', clockOffsetMs: -6 * HOURS, hasProxy: true },
];
const ENQUEUERS: readonly Setup[] = [
  { name: 'e1', clockOffsetMs: 0, hasProxy: false },
  { name: 'e2', clockOffsetMs: -6 * HOURS, hasProxy: true },
];
/** The first part of a run is calm, as a baseline. */
const CALM_SHARE = 0.15;
/** How soon all workers must obey a pause before anything happens. */
const OBEYED_MS = 20_000;
/** A kind that is paused from the beginning, and one that is paused under the faults and stops its jobs, each for half of the run. */
const PAUSED = { first: KINDS.hostile, then: KINDS.retrying } as const;
/** Jobs are enqueued in this share of the time. The rest leaves room for calls that were held up. */
const ENQUEUE_SHARE = 0.9;
const PROBE_MS = 200;
const SLOW_MS = 300;
const DRAIN_MS = 60_000;
/** How many jobs a drain is expected to settle in a second. */
const DRAIN_PER_SECOND = 40;

/** Executes one run, from the first process to the last, and returns its history. */
export async function run(options: RunOptions): Promise<History> {
  const stage = await Stage.set(options);
  try {
    return await stage.play();
  } finally {
    await stage.clear();
  }
}

/** The server, the proxies and the processes of one run. */
class Stage {
  private readonly members: Member[] = [];
  private readonly proxies = new Map<string, TcpProxy>();
  private readonly slow: Fault[] = [];
  private readonly schedules: ScheduleWatch;
  private readonly folder = mkdtempSync(join(tmpdir(), 'jobs-chaos-run-'));
  private isOver = false;
  private probing: Promise<void> = Promise.resolve();

  private constructor(
    private readonly options: RunOptions,
    private readonly server: DatabaseServer,
    private readonly observer: Observer,
    private readonly pauses: PauseWatch,
  ) {
    this.schedules = new ScheduleWatch(observer.dataSource);
  }

  static async set(options: RunOptions): Promise<Stage> {
    const server = await DatabaseServer.start(options.engine);
    try {
      await makeTable(options.engine, server.url('jobs'));
      const observer = await Observer.connect(options.engine, server.url('chaos'));
      await observer.install();
      const pauses = new PauseWatch(await queueOn(observer.dataSource).open());
      return new Stage(options, server, observer, pauses);
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  async play(): Promise<History> {
    const { options } = this;
    const totalMs = options.minutes * 60_000;
    await this.startMembers(WORKERS, totalMs);
    // Before the first job: some of them end their processes, which a pause would wait for until they count as dead.
    await this.pauses.pause(PAUSED.first, { timeoutMs: OBEYED_MS });
    await this.startMembers(ENQUEUERS, totalMs);
    const startedAt = now();
    this.probing = this.probe();
    const victims = {
      members: this.members,
      proxies: this.proxies,
      server: this.server,
      observer: this.observer,
    };
    const nemesis = new Nemesis(victims, new Random(`nemesis ${options.seed}`), options.faults);
    await sleep(totalMs * CALM_SHARE);
    nemesis.start();
    await this.playPauses(totalMs * (1 - CALM_SHARE));
    await nemesis.stop();
    for (const member of this.members) member.send('SIGCONT');
    const healedAt = now();
    const backlog = await this.backlog();
    const drainBoundMs = (options.drainMs ?? DRAIN_MS) + (backlog / DRAIN_PER_SECOND) * 1000;
    options.say(
      `healed: ${nemesis.faults.length} faults, ${backlog} jobs left, drain within ${drainBoundMs} ms`,
    );
    const drainedAt = await this.drain(healedAt, healedAt + drainBoundMs * 1.2);
    const endedAt = now();
    await Promise.all(this.members.map((member) => member.stop()));
    this.isOver = true;
    await this.probing;
    return this.collect({ startedAt, healedAt, drainedAt, endedAt, drainBoundMs, faults: nemesis.faults });
  }

  /** The first pause is obeyed by then. Whether the second one is in time, the nemesis decides. */
  private async playPauses(totalMs: number): Promise<void> {
    await sleep(totalMs / 2);
    await this.pauses.resume(PAUSED.first);
    const second = this.pauses.pause(PAUSED.then, { stopRunning: true, timeoutMs: totalMs / 2 });
    await Promise.all([second, sleep(totalMs / 2)]);
    await this.pauses.resume(PAUSED.then);
  }

  async clear(): Promise<void> {
    this.isOver = true;
    await Promise.all(this.members.map((member) => member.stop()));
    await this.probing;
    for (const proxy of this.proxies.values()) await proxy.cut().catch(() => undefined);
    await this.schedules.close();
    await this.pauses.close();
    await this.observer.close();
    await this.server.stop();
    if (process.env.CHAOS_KEEP === undefined) rmSync(this.folder, { recursive: true, force: true });
    else this.options.say(`files are in ${this.folder}`);
  }

  private async startMembers(setups: readonly Setup[], totalMs: number): Promise<void> {
    const { options } = this;
    for (const { name, clockOffsetMs, hasProxy, kinds } of setups) {
      let url = this.server.url('jobs');
      if (hasProxy) {
        const random = new Random(`proxy ${name} ${options.seed}`);
        const proxy = await TcpProxy.start(url, () => random.next());
        this.proxies.set(name, proxy);
        url = proxy.url;
      }
      const quota = Math.ceil(options.jobs / ENQUEUERS.length);
      const member = Member.start({
        role: name.startsWith('w') ? 'worker' : 'enqueuer',
        name,
        seed: options.seed,
        database: databaseOptions(options.engine, url, name),
        folder: this.folder,
        root: options.root,
        clockOffsetMs,
        kinds,
        leaseMs: LEASE_MS,
        maxCrashes: MAX_CRASHES,
        databaseTimeoutMs: ANSWER_MS,
        quota,
        perSecond: (quota / (totalMs * ENQUEUE_SHARE)) * 1000,
      });
      this.members.push(member);
    }
    await until(() => this.members.every(({ wasReady }) => wasReady), { what: 'start', timeoutMs: 60_000 });
  }

  /**
   * Waits until no job is pending anymore and no schedule will make one, or until `end`.
   * @returns when that was, or undefined if `end` came first
   */
  private async drain(healedAt: number, end: number): Promise<number | undefined> {
    const enqueuers = this.members.filter(({ role }) => role === 'enqueuer');
    while (now() < end) {
      const areDone = enqueuers.every(({ isDone }) => isDone) && (await this.schedules.quiet(healedAt));
      if (areDone && (await this.observer.countPending()) === 0) return now();
      await sleep(100);
    }
    return undefined;
  }

  /** How many jobs are left: pending jobs, and jobs that are still to be enqueued. */
  private async backlog(): Promise<number> {
    const sent = this.records<EnqueuerRecord>('enqueuer')
      .filter((record) => record.type === 'send')
      .filter(({ again }) => again === undefined);
    const count = sent.reduce((sum, { jobs }) => sum + jobs.length, 0);
    return (await this.observer.countPending()) + Math.max(0, this.options.jobs - count);
  }

  /** Measures how long a small commit takes, and records when it was slow. Heartbeats were slow then, too. */
  private async probe(): Promise<void> {
    while (!this.isOver) {
      const from = now();
      await this.observer.probe().catch(() => undefined);
      const until = now();
      if (until - from > SLOW_MS)
        this.slow.push({ kind: 'slow database', targets: ['database'], from, until });
      await sleep(PROBE_MS);
      const lateMs = now() - until - PROBE_MS;
      // This process was held up, so the whole machine is busy.
      if (lateMs > SLOW_MS)
        this.slow.push({ kind: 'slow database', targets: ['database'], from: now() - lateMs, until: now() });
    }
  }

  private async collect(seen: {
    startedAt: number;
    healedAt: number;
    drainedAt: number | undefined;
    endedAt: number;
    drainBoundMs: number;
    faults: readonly Fault[];
  }): Promise<History> {
    const { drainBoundMs, faults, ...times } = seen;
    const enqueued = this.records<EnqueuerRecord>('enqueuer');
    const settings: Settings = {
      leaseMs: LEASE_MS,
      // A worker reclaims every half lease, give or take a quarter. The rest is for the write.
      reclaimMs: (LEASE_MS / 2) * 1.25 + 1_500,
      maxCrashes: MAX_CRASHES,
      // The pool, the listening connection, the one beside the pool, and some that are just being replaced.
      maxSockets: POOL_SIZE + 2 + 4,
      drainBoundMs,
      answerMs: ANSWER_MS,
    };
    return {
      ...times,
      settings,
      sends: enqueued.filter((record) => record.type === 'send'),
      answers: enqueued.filter((record) => record.type === 'answer'),
      controls: controlsOf(enqueued),
      pauses: this.pauses.pauses,
      workers: this.records<WorkerRecord>('worker'),
      audit: await this.observer.readAudit(),
      rows: await this.observer.readJobs(),
      schedules: await this.schedules.rows(),
      effects: await this.observer.readEffects(),
      business: await this.observer.readBusiness(),
      faults: [...faults, ...this.slow].toSorted((a, b) => a.from - b.from),
      processes: this.members.flatMap(({ records }) => records),
      deadlocks: this.server.deadlocks,
    };
  }

  private records<T>(role: Member['role']): T[] {
    return this.members
      .filter((member) => member.role === role)
      .flatMap(({ files }) => files)
      .flatMap((file) => readLines<T>(file));
  }
}

/** Creates the jobs table, as the first process of an application would. */
async function makeTable(engine: Engine, url: string): Promise<void> {
  const dataSource = await new DataSource(databaseOptions(engine, url, 'migration')).initialize();
  const queue = queueOn(dataSource);
  await queue.open();
  await queue.close();
  await dataSource.destroy();
}

function databaseOptions(engine: Engine, url: string, name: string): DataSourceOptions {
  return engine === 'postgres'
    ? {
        type: 'postgres',
        url,
        poolSize: POOL_SIZE,
        applicationName: `jobs ${name}`,
        extra: { connectionTimeoutMillis: 5_000 },
      }
    : { type: 'mysql', url, poolSize: POOL_SIZE, charset: 'utf8mb4', timezone: 'Z', connectTimeout: 5_000 };
}
