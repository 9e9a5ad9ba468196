import type { EventEmitter } from 'node:events';
import type { DataSource } from 'typeorm';
import { UnsupportedDatabaseError } from '../../job/errors.js';
import type { Job, ReclaimedJob } from '../../job/job.js';
import type { JobsEvents } from '../../events/jobs-events.js';
import type { EncodedJob } from '../../job/encode-job.js';
import { compareIds } from '../../job/id-order.js';
import type { Connections } from '../sql/connections.js';
import type { ClaimResult, DatabaseErrors, Dialect, JobsTable, SchemaStep } from '../sql/dialect.js';
import type { Settlement } from '../../queue/job-queue.js';
import type { Lease, LeaseRenewal, LeaseTerms } from '../../queue/lease.js';
import { postgresErrors } from './postgres-errors.js';
import {
  areAlike,
  areSame,
  bindJob,
  bindJobs,
  bindJobsAlike,
  bindLeases,
  bindOutcome,
  bindOutcomes,
} from './postgres-parameters.js';
import { postgresSteps } from './postgres-schema.js';
import { postgresStatements } from './postgres-statements.js';
import { PostgresNotifier } from './postgres-notifier.js';
import {
  decodeClaimed,
  decodeInserted,
  decodeJob,
  decodeLease,
  decodeOpenTransaction,
  decodeReclaimed,
} from '../sql/row.js';
import { versionIn } from '../sql/schema-version.js';
import type { OpenTransaction } from '../typeorm/slow-claims.js';
import { inTransaction, type Row, type Sql } from '../sql/sql.js';
import type { Notifier } from '../sql/notifier.js';

const OLDEST_SERVER = 120_000;
/** Of larger claims the plan is a small part of the work, and had better be made for what is in the table now. */
const MAX_PREPARED_LIMIT = 100;

/** PostgreSQL 12 and later. */
export class PostgresDialect implements Dialect {
  readonly table: JobsTable;
  readonly steps: readonly SchemaStep[];
  readonly errors: DatabaseErrors;
  private readonly sql: ReturnType<typeof postgresStatements>;

  constructor(name: string, schema: string | undefined) {
    const quoted = schema === undefined ? quote(name) : `${quote(schema)}.${quote(name)}`;
    this.table = { name, schema, quoted };
    this.steps = postgresSteps(this.table);
    this.errors = postgresErrors(name);
    this.sql = postgresStatements(quoted);
  }

  async requireVersion(sql: Sql): Promise<void> {
    const [row] = await sql.query(this.sql.version);
    if (Number(row!.version) >= OLDEST_SERVER) return;
    throw new UnsupportedDatabaseError(
      `Jobs need PostgreSQL 12 or later; this server is ${String(row!.description)}.`,
    );
  }

  async schemaVersion(sql: Sql): Promise<number | null> {
    const { name, schema } = this.table;
    const [row] = await sql.query(this.sql.schemaVersion, [name, schema ?? null]);
    return row === undefined ? 0 : versionIn(row.comment);
  }

  whileMigrating<T>(sql: Sql, work: () => Promise<T>): Promise<T> {
    return inTransaction(sql, ['BEGIN ISOLATION LEVEL READ COMMITTED'], async () => {
      await sql.query(this.sql.lockSchema, [`nestjs-typeorm-jobs ${this.table.quoted}`]);
      return work();
    });
  }

  async insert(sql: Sql, jobs: readonly EncodedJob[]): Promise<Job[]> {
    const [row] = await sql.queryPrepared(...this.insertOf(jobs));
    const [createdAt, startedAt] = [Number(row!.created_at), Number(row!.started_at)];
    return jobs.map((job) => decodeInserted(job, job.runAtMs ?? startedAt + job.delayMs, createdAt));
  }

  async get(sql: Sql, id: string): Promise<Job | null> {
    const [row] = await sql.query(this.sql.get, [id]);
    return row === undefined ? null : decodeJob(row);
  }

  async claim(sql: Sql, kinds: readonly string[], limit: number, terms: LeaseTerms): Promise<ClaimResult> {
    const sizes = kinds.map((kind) => Math.min(limit, terms.kindLimits?.get(kind) ?? limit));
    const lease = [terms.workerId, terms.leaseMs, terms.alone ?? false];
    const [text, parameters] =
      kinds.length === 1
        ? [this.sql.claimOfKind, [kinds[0], sizes[0], ...lease]]
        : [this.sql.claim, [kinds, sizes, limit, ...lease]];
    const rows =
      limit <= MAX_PREPARED_LIMIT
        ? await sql.queryPrepared(text, parameters, { planAges: hasFoundJobs })
        : await sql.query(text, parameters);
    const tryAgain = rows[0]!.look_again as boolean;
    if (!hasFoundJobs(rows)) return { jobs: [], tryAgain };
    return { jobs: rows.toSorted(byTurn).map((row) => decodeClaimed(row, terms)), tryAgain };
  }

  async renew(sql: Sql, leases: readonly LeaseRenewal[], leaseMs: number): Promise<Lease[]> {
    const alone = leases.map((lease) => lease.alone);
    return (await sql.query(this.sql.renew, [...bindLeases(leases), alone, leaseMs])).map(decodeLease);
  }

  async settle(sql: Sql, settlements: readonly Settlement[]): Promise<readonly Lease[]> {
    const outcomes = settlements.map(({ outcome }) => outcome);
    const [row] = areSame(outcomes)
      ? await sql.query(this.sql.settleAlike, [...bindLeases(settlements), ...bindOutcome(outcomes[0]!)])
      : await sql.query(this.sql.settle, [...bindLeases(settlements), ...bindOutcomes(outcomes)]);
    if (row!.part === null) return settlements;
    return (JSON.parse(row!.part as string) as Row[]).map(decodeLease);
  }

  async release(sql: Sql, leases: readonly Lease[]): Promise<Lease[]> {
    return (await sql.query(this.sql.release, bindLeases(leases))).map(decodeLease);
  }

  async releaseUnheld(sql: Sql, workerId: string, held: readonly Lease[]): Promise<number> {
    return (await sql.query(this.sql.releaseUnheld, [workerId, held.map(({ id }) => id)])).length;
  }

  async live(sql: Sql, leases: readonly Lease[]): Promise<Lease[]> {
    return (await sql.query(this.sql.live, bindLeases(leases))).map(decodeLease);
  }

  async longTransaction(sql: Sql, ms: number): Promise<OpenTransaction | null> {
    return decodeOpenTransaction(await sql.query(this.sql.longTransaction, [ms]));
  }

  async reclaim(sql: Sql, maxCrashes: number, held: readonly Lease[]): Promise<ReclaimedJob[]> {
    const heldIds = held.map(({ id }) => id);
    return (await sql.query(this.sql.reclaim, [maxCrashes, heldIds])).map(decodeReclaimed);
  }

  /**
   * A backend that is terminated in the instant in which the pool hands out a new connection: the error comes before
   * pg-pool or TypeORM listens for it, and nobody's error would end the process.
   */
  guard(dataSource: DataSource): () => void {
    const pool = (dataSource.driver as unknown as { master?: EventEmitter }).master;
    const listen = (client: EventEmitter) => client.on('error', () => undefined);
    pool?.on('connect', listen);
    return () => pool?.off('connect', listen);
  }

  notifier(connections: Connections, events: JobsEvents): Notifier {
    return new PostgresNotifier(connections, this.table.quoted, events);
  }

  private insertOf(jobs: readonly EncodedJob[]): [statement: string, parameters: unknown[]] {
    if (jobs.length === 1) return [this.sql.insertOne, bindJob(jobs[0]!)];
    return areAlike(jobs)
      ? [this.sql.insertAlike, bindJobsAlike(jobs)]
      : [this.sql.insertMany, bindJobs(jobs)];
  }
}

/** A claim answers with one row of nothing where there is no job. */
function hasFoundJobs(rows: readonly Row[]): boolean {
  return rows[0]!.id !== null;
}

/** Jobs in the order in which they are started. */
function byTurn(one: Row, other: Row): number {
  return (
    Number(one.priority) - Number(other.priority) ||
    Number(one.run_at) - Number(other.run_at) ||
    compareIds(one.id as string, other.id as string)
  );
}

function quote(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`;
}
