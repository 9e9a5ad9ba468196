import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DataSourceOptions } from 'typeorm';
import { until } from '../support/until.js';
import { Evidence, type Counts } from './evidence.js';
import { Member, type Role } from './member.js';
import { KIND, type ProcessSettings } from './process.js';
import { now, type EnqueuerRecord, type Row, type WorkerRecord } from './records.js';

/** The jobs table, as it is read at the end: on the server that then has the truth. */
export interface Store {
  query(text: string): Promise<Record<string, unknown>[]>;
}

export type MemberOptions = Partial<Omit<ProcessSettings, 'name' | 'file' | 'database'>>;

/** What became of a scenario. */
export interface Report {
  readonly counts: Counts | undefined;
  /** From what ended the outage until the first acknowledged enqueue, and until the first claim, in milliseconds. */
  readonly acknowledgedMs: number | undefined;
  readonly claimedMs: number | undefined;
  readonly warnings: number;
  readonly errors: number;
  readonly notes: readonly string[];
  readonly failures: readonly string[];
}

const DRAIN_MS = 25_000;
const SHOWN = 5;
const DEFAULTS = { kind: KIND, handlerMs: 20, concurrency: 10, perSecond: 100, backlog: 0, readsBack: false };

/** The processes of one scenario, and what is expected of them. */
export class Stage {
  readonly notes: string[] = [];
  readonly failures: string[] = [];
  private readonly members: Member[] = [];
  private evidence: Evidence | undefined;
  private healedAt: number | undefined;

  /** @param folder for the files of its processes */
  constructor(private readonly folder: string) {
    mkdirSync(folder, { recursive: true });
  }

  worker(name: string, database: DataSourceOptions, options?: MemberOptions): Member {
    return this.add('worker', name, database, options);
  }

  enqueuer(name: string, database: DataSourceOptions, options?: MemberOptions): Member {
    return this.add('enqueuer', name, database, options);
  }

  /** Waits until all processes are up. */
  async ready(): Promise<void> {
    const fallen = () => this.members.find(({ isReady, isUp }) => !isReady && !isUp);
    await until(() => fallen() !== undefined || this.members.every(({ isReady }) => isReady), {
      what: 'the start of the processes',
      timeoutMs: 30_000,
    });
    const one = fallen();
    if (one !== undefined) throw new Error(`${one.name} did not start:\n${one.log.slice(-3_000)}`);
  }

  /** The outage is over, as far as the servers go. The recovery is measured from here. */
  healed(): void {
    this.healedAt = now();
  }

  /** How many jobs have been claimed so far. */
  get claimed(): number {
    return this.workerRecords
      .filter((record) => record.type === 'claim')
      .reduce((sum, { leases }) => sum + leases.length, 0);
  }

  expect(isSo: boolean, otherwise: string): void {
    if (!isSo) this.failures.push(otherwise);
  }

  /** Stops enqueueing, waits until nothing is pending, stops the workers, and compares. */
  async conclude(store: Store, { drainMs = DRAIN_MS }: { drainMs?: number } = {}): Promise<Evidence> {
    for (const { name, isUp } of this.members) this.expect(isUp, `the process ${name} has ended by itself`);
    await this.stopAll('enqueuer');
    const end = now() + drainMs;
    while (now() < end && (await countPending(store)) > 0) await sleep(100);
    await this.stopAll('worker');
    const rows = await store.query('SELECT id, status, lease_token, crashes, result FROM nest_jobs');
    this.evidence = new Evidence(this.enqueuerRecords, this.workerRecords, rows.map(asRow));
    this.expectPromises(this.evidence.counts);
    return this.evidence;
  }

  get report(): Report {
    const from = this.healedAt;
    const since = (at: number | undefined) => (at === undefined ? undefined : at - from!);
    const logs = this.members.map(({ log }) => log).join('\n');
    return {
      counts: this.evidence?.counts,
      acknowledgedMs: from === undefined ? undefined : since(this.evidence?.firstAcknowledgement(from)),
      claimedMs: from === undefined ? undefined : since(this.evidence?.firstClaim(from)),
      warnings: logs.match(/^\[Nest\].* WARN /gm)?.length ?? 0,
      errors: logs.match(/^\[Nest\].* ERROR /gm)?.length ?? 0,
      notes: [...this.notes, ...(this.evidence?.reasons ?? []).slice(0, SHOWN)],
      failures: this.failures,
    };
  }

  async clear(): Promise<void> {
    await Promise.all(this.members.map((member) => member.stop()));
  }

  private add(role: Role, name: string, database: DataSourceOptions, options?: MemberOptions): Member {
    const file = join(this.folder, `${name}.jsonl`);
    const member = new Member(role, this.folder, { ...DEFAULTS, ...options, name, file, database });
    this.members.push(member);
    return member;
  }

  private async stopAll(role: Role): Promise<void> {
    await Promise.all(this.members.filter((member) => member.role === role).map((member) => member.stop()));
  }

  private expectPromises(counts: Counts): void {
    this.expect(counts.acknowledged > 0, 'no enqueue was acknowledged');
    for (const [name, what] of [
      ['lost', 'acknowledged jobs are lost'],
      ['settledTwice', 'jobs were settled twice'],
      ['vanished', 'acknowledged outcomes are not in the table'],
      ['refused', 'outcomes were refused although nothing else had taken the lease'],
      ['dropped', 'leases were taken for lost although nothing else had taken or ended them'],
      ['pending', 'jobs are still pending'],
    ] as const)
      this.expect(counts[name] === 0, `${counts[name]} ${what}`);
  }

  private get enqueuerRecords(): EnqueuerRecord[] {
    return this.recordsOf<EnqueuerRecord>('enqueuer');
  }

  private get workerRecords(): WorkerRecord[] {
    return this.recordsOf<WorkerRecord>('worker');
  }

  private recordsOf<T extends { at: number }>(role: Role): T[] {
    const members = this.members.filter((member) => member.role === role);
    return members.flatMap((member) => member.records<T>()).toSorted((a, b) => a.at - b.at);
  }
}

async function countPending(store: Store): Promise<number> {
  const [row] = await store.query(`SELECT count(*) AS n FROM nest_jobs WHERE status = 'PENDING'`);
  return Number(row!.n);
}

function asRow(row: Record<string, unknown>): Row {
  const result = typeof row.result === 'string' ? (JSON.parse(row.result) as unknown) : row.result;
  return {
    id: row.id as string,
    status: row.status as string,
    token: Number(row.lease_token),
    crashes: Number(row.crashes),
    resultToken: (result as { token: number } | null)?.token,
  };
}
