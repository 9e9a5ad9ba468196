import { setImmediate as nextTurn } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import { UnsupportedDatabaseError } from '../../job/errors.js';
import type { Job, ReclaimedJob } from '../../job/job.js';
import type { EncodedJob } from '../../job/encode-job.js';
import type { ConnectionsSettings, OwnConnections } from '../sql/connections.js';
import type { ClaimResult, Dialect, JobsTable, SchemaStep } from '../sql/dialect.js';
import type { Settlement } from '../../queue/job-queue.js';
import type { Lease, LeaseRenewal, LeaseTerms } from '../../queue/lease.js';
import {
  asBuffer,
  decodeClaimed,
  decodeInserted,
  decodeJob,
  decodeLease,
  driverErrorOf,
  decodeReclaimed,
  STATUS_AFTER,
} from '../sql/row.js';
import { versionIn } from '../sql/schema-version.js';
import { inTransaction, type Row, type Sql } from '../sql/sql.js';
import { SqliteConnection } from './sqlite-connection.js';
import { sqliteErrors } from './sqlite-errors.js';
import { sqliteSteps } from './sqlite-schema.js';
import { sqliteStatements } from './sqlite-statements.js';
import { NO_NOTIFIER, type Notifier } from '../sql/notifier.js';

/** `unixepoch` with fractions came with 3.42, `unhex` with 3.41. */
const OLDEST = [3, 42];
/** So many scheduled jobs are marked due in one claim. */
const DUE_AT_ONCE = 1000;
/** So many arms are put into one statement; SQLite takes 500. */
const KINDS_AT_ONCE = 400;

/** SQLite by better-sqlite3, in a file. */
export class SqliteDialect implements Dialect {
  readonly table: JobsTable;
  readonly steps: readonly SchemaStep[];
  readonly errors = sqliteErrors;
  readonly noTransactionalHandlers =
    'on SQLite: TypeORM has one connection for the whole application, and whatever others send while the handler runs ' +
    'would become part of its transaction. Leave the option out.';
  private readonly sql: ReturnType<typeof sqliteStatements>;

  constructor(name: string) {
    this.table = { name, schema: undefined, quoted: `"${name}"` };
    this.steps = sqliteSteps(this.table);
    this.sql = sqliteStatements(this.table.quoted);
  }

  /** TypeORM has one connection for all, whose transactions a statement of ours would become part of. */
  connect(dataSource: DataSource, { answerMs }: ConnectionsSettings): OwnConnections {
    return new SqliteConnection(dataSource, answerMs);
  }

  async requireVersion(sql: Sql): Promise<void> {
    const [row] = await sql.query(this.sql.version);
    const [major = 0, minor = 0] = String(row!.version).split('.').map(Number);
    if (major > OLDEST[0]! || (major === OLDEST[0] && minor >= OLDEST[1]!)) return;
    throw new UnsupportedDatabaseError(`Jobs need SQLite 3.42 or later; this is ${String(row!.version)}.`);
  }

  async schemaVersion(sql: Sql): Promise<number | null> {
    const rows = await sql.query(this.sql.schema, [this.table.name]);
    if (rows.length === 0) return 0;
    const versions = rows.map((row) => versionIn(/\/\* (.*?) \*\//.exec(String(row.sql))?.[1]) ?? 0);
    return Math.max(...versions) || null;
  }

  whileMigrating<T>(sql: Sql, work: () => Promise<T>): Promise<T> {
    return inTransaction(sql, [this.sql.lockSchema], work);
  }

  async insert(sql: Sql, jobs: readonly EncodedJob[]): Promise<Job[]> {
    const rows = await this.insertRows(sql, jobs);
    const times = new Map(rows.map((row) => [row.id, row]));
    return jobs.map((job) => {
      const { run_at, created_at } = times.get(job.id)!;
      return decodeInserted(job, Number(run_at), Number(created_at));
    });
  }

  async get(sql: Sql, id: string): Promise<Job | null> {
    const [row] = await sql.query(this.sql.get, [id]);
    return row === undefined ? null : decodeJob(row);
  }

  async claim(sql: Sql, kinds: readonly string[], limit: number, terms: LeaseTerms): Promise<ClaimResult> {
    const marked = await this.markDue(sql);
    const best = await this.readBest(sql, kinds, limit, terms);
    const places = new Map(best.map((row, place) => [row.id as string, place]));
    const rows = places.size === 0 ? [] : await this.claimRows(sql, [...places.keys()], terms);
    const placeOf = (row: Row) => places.get(row.id as string)!;
    const jobs = rows.toSorted((a, b) => placeOf(a) - placeOf(b)).map((row) => decodeClaimed(row, terms));
    return { jobs, tryAgain: marked >= DUE_AT_ONCE || jobs.length < places.size };
  }

  async renew(sql: Sql, leases: readonly LeaseRenewal[], leaseMs: number): Promise<Lease[]> {
    const held = leases.map(({ id, leaseToken, alone }) => ({ id, leaseToken, alone: Number(alone) }));
    return (await sql.query(this.sql.renew, [leaseMs / 1000, JSON.stringify(held)])).map(decodeLease);
  }

  async settle(sql: Sql, settlements: readonly Settlement[]): Promise<Lease[]> {
    return (await sql.query(this.sql.settle, [JSON.stringify(settlements.map(encode))])).map(decodeLease);
  }

  async release(sql: Sql, leases: readonly Lease[]): Promise<Lease[]> {
    return (await sql.query(this.sql.release, [keysOf(leases)])).map(decodeLease);
  }

  async releaseUnheld(sql: Sql, workerId: string, held: readonly Lease[]): Promise<number> {
    const ids = JSON.stringify(held.map(({ id }) => id));
    return (await sql.query(this.sql.releaseUnheld, [workerId, ids])).length;
  }

  async live(sql: Sql, leases: readonly Lease[]): Promise<Lease[]> {
    return (await sql.query(this.sql.live, [keysOf(leases)])).map(decodeLease);
  }

  async reclaim(sql: Sql, maxCrashes: number, held: readonly Lease[]): Promise<ReclaimedJob[]> {
    const heldIds = JSON.stringify(held.map(({ id }) => id));
    const rows = await sql.query(this.sql.expired, [maxCrashes, heldIds]);
    if (rows.length === 0) return [];
    // A handler of this process may have blocked it past the lease: what it has ended in is written first.
    await nextTurn();
    const expired = rows.map((row) => ({ ...decodeLease(row), status: row.status }));
    const written = await sql.query(this.sql.reclaim, [maxCrashes, JSON.stringify(expired)]);
    const ids = new Set(written.map((row) => row.id));
    return rows.filter((row) => ids.has(row.id)).map(decodeReclaimed);
  }

  notifier(): Notifier {
    return NO_NOTIFIER;
  }

  private async insertRows(sql: Sql, jobs: readonly EncodedJob[]): Promise<readonly Row[]> {
    try {
      const [first] = jobs;
      if (jobs.length === 1) return await sql.query(this.sql.insertOne, bindJob(first!));
      return await sql.query(this.sql.insertMany, [JSON.stringify(jobs.map(encodeJob))]);
    } catch (error) {
      // SQLite names the column and not the value. A failed statement leaves a transaction as it was, so ask in it.
      if (sqliteErrors.duplicateId(error) !== null)
        driverErrorOf(error).detail = await this.duplicateAmong(sql, jobs);
      throw error;
    }
  }

  private async duplicateAmong(sql: Sql, jobs: readonly EncodedJob[]): Promise<string> {
    const ids = jobs.map(({ id }) => id);
    const twice = ids.find((id, place) => ids.indexOf(id) < place);
    if (twice !== undefined) return twice;
    const [row] = await sql.query(this.sql.existing, [JSON.stringify(ids)]);
    return (row?.id as string | undefined) ?? '';
  }

  private async markDue(sql: Sql): Promise<number> {
    const scheduled = await sql.query(this.sql.scheduled); // a read waits for nobody
    return scheduled.length === 0 ? 0 : (await sql.query(this.sql.markDue, [DUE_AT_ONCE])).length;
  }

  private async readBest(
    sql: Sql,
    kinds: readonly string[],
    limit: number,
    terms: LeaseTerms,
  ): Promise<readonly Row[]> {
    const best: Row[] = [];
    for (let start = 0; start < kinds.length; start += KINDS_AT_ONCE) {
      const some = kinds.slice(start, start + KINDS_AT_ONCE);
      const arms = some.flatMap((kind) => [kind, Math.min(limit, terms.kindLimits?.get(kind) ?? limit)]);
      best.push(...(await sql.query(this.sql.best(some.length), [...arms, limit])));
    }
    if (kinds.length <= KINDS_AT_ONCE) return best;
    return best.toSorted(byUrgency).slice(0, limit);
  }

  private claimRows(sql: Sql, ids: readonly string[], terms: LeaseTerms): Promise<readonly Row[]> {
    const { workerId, alone = false, leaseMs } = terms;
    return sql.query(this.sql.claim, [workerId, Number(alone), leaseMs / 1000, JSON.stringify(ids)]);
  }
}

function bindJob(job: EncodedJob): unknown[] {
  const { id, kind, payload, payloadVersion, carried, runAtMs, delayMs, priority, maxAttempts } = job;
  const bytes = asBuffer(payload.bytes);
  const runAt = asText(runAtMs);
  return [id, kind, payload.json, bytes, payloadVersion, carried, runAt, delayMs, priority, maxAttempts];
}

function encodeJob(job: EncodedJob): object {
  const { id, kind, payload, payloadVersion, carried, runAtMs, delayMs, priority, maxAttempts } = job;
  const runAt = asText(runAtMs);
  const bytes = asBuffer(payload.bytes)?.toString('hex');
  return {
    id,
    kind,
    payload: payload.json,
    bytes,
    version: payloadVersion,
    carried,
    runAt,
    delayMs,
    priority,
    maxAttempts,
  };
}

/** UTC, as instants are stored. */
function asText(millis: number | null): string | null {
  return millis === null ? null : new Date(millis).toISOString().replace('T', ' ').replace('Z', '');
}

function encode({ id, leaseToken, outcome }: Settlement): object {
  return {
    id,
    leaseToken,
    status: STATUS_AFTER[outcome.type],
    ...(outcome.type === 'done' && {
      result: outcome.result.json,
      resultBytes: asBuffer(outcome.result.bytes)?.toString('hex'),
    }),
    ...(outcome.type !== 'done' && { lastError: outcome.lastError }),
    ...(outcome.type === 'retry' && { delayMs: outcome.delayMs }),
  };
}

function keysOf(leases: readonly Lease[]): string {
  return JSON.stringify(leases.map(({ id, leaseToken }) => ({ id, leaseToken })));
}

function byUrgency(a: Row, b: Row): number {
  const order = Number(a.priority) - Number(b.priority) || compare(a.run_at as string, b.run_at as string);
  return order || Buffer.compare(Buffer.from(a.id as string), Buffer.from(b.id as string));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
