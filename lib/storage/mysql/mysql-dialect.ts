import { UnsupportedDatabaseError } from '../../job/errors.js';
import type { Job, ReclaimedJob } from '../../job/job.js';
import type { EncodedJob } from '../../job/encode-job.js';
import type { ClaimResult, Dialect, JobsTable, SchemaStep } from '../sql/dialect.js';
import type { Settlement } from '../../queue/job-queue.js';
import type { Lease, LeaseRenewal, LeaseTerms } from '../../queue/lease.js';
import { mysqlErrors } from './mysql-errors.js';
import {
  asDatetime,
  bindAlike,
  bindJobs,
  bindPlainJobs,
  byOutcome,
  encodeSettlement,
  inPackets,
  isPlain,
  startOf,
} from './mysql-parameters.js';
import { mysqlSteps } from './mysql-schema.js';
import { mysqlStatements } from './mysql-statements.js';
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
import { NO_NOTIFIER, type Notifier } from '../sql/notifier.js';

const OLDEST_MYSQL = [8, 0, 4]; // SKIP LOCKED came with 8.0.1, JSON_TABLE with 8.0.4; the first release for all was 8.0.11
const OLDEST_MARIADB = [10, 6, 0];
const SCHEMA_LOCK_SECONDS = 60;
/** So many scheduled jobs are marked due in one look. */
const DUE_AT_ONCE = 1000;

/** For more than these a claim looks first which of them have ready jobs: an arm of a statement for each would be dear. */
const MANY_KINDS = 100;

/** Under REPEATABLE READ, the default, a locking read would lock the gaps between rows and hold up inserts. */
const BEGIN = ['SET TRANSACTION ISOLATION LEVEL READ COMMITTED', 'START TRANSACTION'];

type Update<L> = (ids: readonly string[], held: readonly L[]) => Promise<unknown>;

/** MySQL 8.0.4 and later, MariaDB 10.6 and later. */
export class MysqlDialect implements Dialect {
  readonly table: JobsTable;
  readonly steps: readonly SchemaStep[];
  readonly errors = mysqlErrors;
  private readonly sql: ReturnType<typeof mysqlStatements>;

  constructor(name: string) {
    const quoted = `\`${name.replaceAll('`', '``')}\``;
    this.table = { name, schema: undefined, quoted };
    this.steps = mysqlSteps(this.table);
    this.sql = mysqlStatements(quoted);
  }

  async requireVersion(sql: Sql): Promise<void> {
    const [row] = await sql.query(this.sql.version);
    const version = String(row!.version);
    const oldest = /mariadb/i.test(version) ? OLDEST_MARIADB : OLDEST_MYSQL;
    if (isAtLeast(version, oldest)) return;
    throw new UnsupportedDatabaseError(
      `Jobs need MySQL 8.0.4 or MariaDB 10.6 or later; this server is ${version}.`,
    );
  }

  async schemaVersion(sql: Sql): Promise<number | null> {
    const [row] = await sql.query(this.sql.schemaVersion, [this.table.name]);
    return row === undefined ? 0 : versionIn(row.comment);
  }

  async whileMigrating<T>(sql: Sql, work: () => Promise<T>): Promise<T> {
    const [row] = await sql.query(this.sql.lockSchema, [this.table.name, SCHEMA_LOCK_SECONDS]);
    if (Number(row!.locked) !== 1)
      throw new Error(`Could not lock the schema of ${this.table.name} within a minute.`);
    try {
      return await work();
    } finally {
      await sql.query(this.sql.unlockSchema, [this.table.name]);
    }
  }

  async insert(sql: Sql, jobs: readonly EncodedJob[], joined: boolean): Promise<Job[]> {
    const [row] = await sql.query(this.sql.now);
    const now = Number(row!.now);
    if (jobs.every(isPlain))
      await this.insertRows(sql, this.sql.insertPlain, bindPlainJobs(jobs, now), joined);
    else await this.insertRows(sql, this.sql.insert, bindJobs(jobs, now), joined);
    return jobs.map((job) => decodeInserted(job, startOf(job, now), now));
  }

  async get(sql: Sql, id: string): Promise<Job | null> {
    const [row] = await sql.query(this.sql.get, [id]);
    return row === undefined ? null : decodeJob(row);
  }

  async claim(sql: Sql, served: readonly string[], limit: number, terms: LeaseTerms): Promise<ClaimResult> {
    const kinds = served.length > MANY_KINDS ? await this.readyAmong(sql, served) : served;
    // Of one kind, nothing has to be known of the best jobs before they are locked but that there is one.
    const isOneKind = kinds.length === 1;
    const best = await this.readBest(sql, kinds, isOneKind ? 1 : limit, terms);
    const cameDue = best[0]?.id === '';
    // Jobs that have just come due may go before those that were read: look again. Unless there are more of them yet.
    // And unless somebody has locked them: nobody else's jobs wait for that.
    const marked = cameDue ? await this.markDue(sql) : 0;
    if (marked > 0 && marked < DUE_AT_ONCE) return { jobs: [], tryAgain: true };
    const areMoreDue = marked > 0;
    const ready = cameDue ? best.slice(1) : best.slice(0, limit);
    const places = new Map(ready.map((row, place) => [row.id as string, place]));
    if (places.size === 0) return { jobs: [], tryAgain: areMoreDue };
    const share = isOneKind ? countOf(kinds[0]!, limit, terms) : countByKind(ready);
    const rows = await inTransaction(sql, BEGIN, () => this.claimShare(sql, share, terms));
    if (isOneKind) return { jobs: rows.map((row) => decodeClaimed(row, terms)), tryAgain: areMoreDue };
    const placeOf = (row: Row) => places.get(row.id as string) ?? Infinity;
    const jobs = rows.toSorted((a, b) => placeOf(a) - placeOf(b)).map((row) => decodeClaimed(row, terms));
    return { jobs, tryAgain: areMoreDue || jobs.length < places.size };
  }

  async renew(sql: Sql, leases: readonly LeaseRenewal[], leaseMs: number): Promise<Lease[]> {
    const alone = leases.filter((lease) => lease.alone).map((lease) => lease.id);
    return this.underLeases(sql, leases, (ids) =>
      sql.query(this.sql.renew, [leaseMs * 1000, alone.length > 0 ? alone : [''], ids]),
    );
  }

  async settle(sql: Sql, settlements: readonly Settlement[], joined = false): Promise<Lease[]> {
    const update = async (_ids: readonly string[], held: readonly Settlement[]) => {
      const { alike, others } = byOutcome(held.map(encodeSettlement));
      if (alike.length > 0) await sql.query(this.sql.settleAlike, bindAlike(alike));
      if (others.length > 0) await sql.query(this.sql.settle, [JSON.stringify(others)]);
    };
    return joined ? this.writeLeases(sql, settlements, update) : this.underLeases(sql, settlements, update);
  }

  async release(sql: Sql, leases: readonly Lease[]): Promise<Lease[]> {
    return this.underLeases(sql, leases, (ids) => sql.query(this.sql.release, [ids]));
  }

  releaseUnheld(sql: Sql, workerId: string, held: readonly Lease[]): Promise<number> {
    const heldIds = new Set(held.map(({ id }) => id));
    return inTransaction(sql, BEGIN, async () => {
      const rows = await sql.query(this.sql.lockClaimedBy, [workerId]);
      const ids = rows.map((row) => row.id as string).filter((id) => !heldIds.has(id));
      if (ids.length > 0) await sql.query(this.sql.release, [ids]);
      return ids.length;
    });
  }

  async live(sql: Sql, leases: readonly Lease[]): Promise<Lease[]> {
    return (await sql.query(this.sql.live, [leases.map((lease) => lease.id)])).map(decodeLease);
  }

  async longTransaction(sql: Sql, ms: number): Promise<OpenTransaction | null> {
    return decodeOpenTransaction(await sql.query(this.sql.longTransaction, [ms]));
  }

  async reclaim(sql: Sql, maxCrashes: number, held: readonly Lease[]): Promise<ReclaimedJob[]> {
    const expired = await sql.query(this.sql.expired);
    if (expired.length === 0) return [];
    return inTransaction(sql, BEGIN, async () => {
      const heldIds = held.length === 0 ? [null] : held.map(({ id }) => id);
      const rows = await sql.query(this.sql.lockExpired, [maxCrashes, heldIds]);
      const ids = rows.map((row) => row.id);
      if (ids.length > 0) await sql.query(this.sql.reclaim, [maxCrashes, maxCrashes, maxCrashes, ids]);
      return rows.map(decodeReclaimed);
    });
  }

  notifier(): Notifier {
    return NO_NOTIFIER;
  }

  private async insertRows(
    sql: Sql,
    statement: string,
    rows: readonly (readonly unknown[])[],
    joined: boolean,
  ): Promise<void> {
    const packets = inPackets(rows);
    const insertAll = async () => {
      for (const packet of packets) await sql.query(statement, [packet]);
    };
    if (packets.length === 1) return insertAll(); // one statement is all or nothing by itself
    if (!joined) return inTransaction(sql, BEGIN, insertAll);
    await sql.query(this.sql.savepoint);
    try {
      await insertAll();
    } catch (error) {
      await sql.query(this.sql.rollbackToSavepoint);
      throw error;
    }
  }

  private async readyAmong(sql: Sql, served: readonly string[]): Promise<string[]> {
    const ready = new Set((await sql.query(this.sql.readyKinds)).map((row) => row.kind));
    return served.filter((kind) => ready.has(kind));
  }

  private readBest(
    sql: Sql,
    kinds: readonly string[],
    limit: number,
    terms: LeaseTerms,
  ): Promise<readonly Row[]> {
    const arms = kinds.flatMap((kind) => [kind, Math.min(limit, terms.kindLimits?.get(kind) ?? limit)]);
    return sql.query(this.sql.best(kinds.length), [...arms, limit + 1]);
  }

  private markDue(sql: Sql): Promise<number> {
    return inTransaction(sql, BEGIN, async () => {
      const rows = await sql.query(this.sql.lockScheduled, [DUE_AT_ONCE]);
      if (rows.length > 0) await sql.query(this.sql.markDue, [rows.map((row) => row.id)]);
      return rows.length;
    });
  }

  private async claimShare(sql: Sql, share: ReadonlyMap<string, number>, terms: LeaseTerms): Promise<Row[]> {
    const locked: Row[] = [];
    for (const [kind, size] of share)
      locked.push(...(await sql.query(this.sql.lockReadyOfKind, [kind, size])));
    if (locked.length === 0) return [];
    const now = Number(locked[0]!.now);
    const until = now + terms.leaseMs;
    const ids = locked.map((row) => row.id);
    const [nowText, untilText] = [asDatetime(now), asDatetime(until)];
    await sql.query(this.sql.claim, [terms.workerId, nowText, untilText, terms.alone ?? false, nowText, ids]);
    return locked.map((row) => ({ ...row, lease_token: Number(row.lease_token) + 1, now }));
  }

  private underLeases<L extends Lease>(sql: Sql, leases: readonly L[], update: Update<L>): Promise<Lease[]> {
    return inTransaction(sql, BEGIN, () => this.writeLeases(sql, leases, update));
  }

  /** Locks the rows whose leases are still as given, lets `update` write them, and tells which they were. */
  private async writeLeases<L extends Lease>(
    sql: Sql,
    leases: readonly L[],
    update: Update<L>,
  ): Promise<Lease[]> {
    const rows = await sql.query(this.sql.lockLeases, [leases.map((lease) => lease.id)]);
    const tokens = new Map(rows.map((row) => [row.id, Number(row.lease_token)]));
    const held = leases.filter((lease) => tokens.get(lease.id) === lease.leaseToken);
    const ids = held.map((lease) => lease.id);
    if (held.length > 0) await update(ids, held);
    return held.map(({ id, leaseToken }) => ({ id, leaseToken }));
  }
}

function isAtLeast(version: string, oldest: readonly number[]): boolean {
  const parts = version.split(/[.-]/).map(Number);
  for (const [place, wanted] of oldest.entries()) {
    const part = parts[place] || 0;
    if (part !== wanted) return part > wanted;
  }
  return true;
}

function countOf(kind: string, limit: number, { kindLimits }: LeaseTerms): Map<string, number> {
  return new Map([[kind, Math.min(limit, kindLimits?.get(kind) ?? limit)]]);
}

function countByKind(rows: readonly Row[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const row of rows) counts.set(row.kind as string, (counts.get(row.kind as string) ?? 0) + 1);
  return counts;
}
