import { JobsError } from '../../job/errors.js';
import { withinBytes } from '../../job/payload-size.js';
import type { LeaseTerms } from '../../queue/lease.js';
import { CLAIMED_COLUMNS, SMALL_PAYLOAD_BYTES } from '../sql/columns.js';
import { MAX_COUNT } from '../sql/row-limits.js';
import type { Row, Sql } from '../sql/sql.js';
import { millisOf, select } from './columns.js';
import { utcText } from '../sql/instants.js';

/** How many rows to take of each kind. */
export type Share = ReadonlyMap<string, number>;

/**
 * Locks ready rows and puts them under a lease, within a transaction. Not all of the locked ones may be wanted, because
 * claims are bounded in bytes. So large payloads are read afterwards, and while there are large ones, all are: a statement
 * that mentions a payload makes the server read it, whether or not it is wanted.
 */
export class ReadyRows {
  private readonly lockWithSmall: string;
  private readonly lockWithout: string;
  private readonly payloadsOf: string;
  private readonly lease: string;
  /** There was a large payload among the rows of the last claim. */
  private areLarge = false;

  constructor(table: string) {
    this.lockWithSmall = lockReadyOfKind(table);
    this.lockWithout = lockReadyWithoutPayload(table);
    this.payloadsOf = payloadsOf(table);
    this.lease = lease(table);
  }

  /**
   * @param inTurn puts rows into the order in which they are to be taken
   * @returns those that are not locked by others and are within the bytes of the terms, as they are now
   */
  async take(
    sql: Sql,
    share: Share,
    inTurn: (rows: readonly Row[]) => readonly Row[],
    terms: LeaseTerms,
  ): Promise<readonly Row[]> {
    const locked = await this.lock(sql, share);
    if (locked.length === 0) return [];
    const now = Number(locked[0]!.now);
    const [nowText, untilText] = [utcText(now), utcText(now + terms.leaseMs)];
    const taken = await this.withPayloads(sql, withinBytes(inTurn(locked), sizeOf, terms.maxBytes));
    const ids = taken.map((row) => row.id);
    const values = [terms.workerId, nowText, untilText, terms.alone ?? false, nowText, ids];
    const [written] = await sql.query(this.lease, values);
    requireAll(Number(written!.affected_rows), ids.length);
    return taken.map((row) => ({ ...row, now, lease_token: nextTokenOf(row) }));
  }

  private async lock(sql: Sql, share: Share): Promise<readonly Row[]> {
    const statement = this.areLarge ? this.lockWithout : this.lockWithSmall;
    const rows: Row[] = [];
    for (const [kind, size] of share) rows.push(...(await sql.query(statement, [kind, size])));
    this.areLarge = rows.some((row) => sizeOf(row) > SMALL_PAYLOAD_BYTES);
    return rows;
  }

  private async withPayloads(sql: Sql, rows: readonly Row[]): Promise<readonly Row[]> {
    const without = rows.filter((row) => sizeOf(row) > SMALL_PAYLOAD_BYTES || !('payload' in row));
    if (without.length === 0) return rows;
    const found = await sql.query(this.payloadsOf, [without.map(({ id }) => id)]);
    const payloads = new Map(found.map((row) => [row.id, row]));
    return rows.map((row) => ({ ...row, ...payloads.get(row.id) }));
  }
}

const { payload: _payload, payload_bytes: _bytes, ...WITHOUT_PAYLOAD } = CLAIMED_COLUMNS;

const SMALL_PAYLOADS = Object.fromEntries(
  ['payload', 'payload_bytes'].map((name) => [
    name,
    `IF(payload_size > ${SMALL_PAYLOAD_BYTES}, NULL, ${name})`,
  ]),
);

/*
 * "run_at" alone would name the number that is selected under it. To sort by that the server would read, and lock, every
 * ready row of the kind.
 */
export const lockReadyOfKind = (table: string) => `
  SELECT ${select(CLAIMED_COLUMNS, SMALL_PAYLOADS)}, payload_size, ${millisOf('UTC_TIMESTAMP(6)')} AS now
  FROM ${table} AS job
  WHERE ready_kind = ? AND run_at <= UTC_TIMESTAMP(6)
  ORDER BY job.priority, job.run_at, job.id LIMIT ?
  FOR UPDATE SKIP LOCKED`;

export const lockReadyWithoutPayload = (table: string) => `
  SELECT ${select(WITHOUT_PAYLOAD)}, payload_size, ${millisOf('UTC_TIMESTAMP(6)')} AS now
  FROM ${table} AS job
  WHERE ready_kind = ? AND run_at <= UTC_TIMESTAMP(6)
  ORDER BY job.priority, job.run_at, job.id LIMIT ?
  FOR UPDATE SKIP LOCKED`;

export const payloadsOf = (table: string) =>
  `SELECT id, payload, payload_bytes FROM ${table} WHERE id IN (?)`;

export const lease = (table: string) => `
  UPDATE ${table}
  SET lease_token = LEAST(lease_token, ${MAX_COUNT - 1}) + 1, locked_by = ?, locked_at = ?, locked_until = ?, alone = ?,
      updated_at = ?
  WHERE id IN (?) AND locked_by IS NULL`;

/** The rows are locked, so no other claim can have them. @throws JobsError */
function requireAll(written: number, locked: number): void {
  if (written === locked) return;
  throw new JobsError(
    `Of ${locked} rows that a claim had locked, others have claimed ${locked - written}: the SKIP LOCKED of this server ` +
      'takes no locks. Jobs cannot be kept there.',
  );
}

function sizeOf({ payload_size }: Row): number {
  return Number(payload_size);
}

/** As the statement counts it. */
function nextTokenOf({ lease_token }: Row): number {
  return Math.min(Number(lease_token), MAX_COUNT - 1) + 1;
}
