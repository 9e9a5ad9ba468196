import { AUDIT_PRUNED } from '../../queue/audit-store.js';
import { decodeActions, type AuditDialect } from '../sql/audit-dialect.js';
import type { JobsTable } from '../sql/dialect.js';
import { sideTable } from '../sql/side-tables.js';
import { millisOf } from './columns.js';

export function audit(jobs: JobsTable): AuditDialect {
  const table = sideTable(jobs, 'audit').quoted;
  const statements = {
    begin: begin(table),
    end: end(table),
    read: read(table),
    old: oldest(table),
    prune: deleteActions(table),
  };
  return {
    begin: async (sql, { who, action, target }) => {
      await sql.query(statements.begin, [who, action, target]);
      return Number((await sql.query(LAST_NUMBER))[0]!.seq);
    },
    end: (sql, seq, { changed, problem }) => sql.query(statements.end, [changed, problem, seq]),
    read: async (sql, before, limit) =>
      decodeActions(await sql.query(statements.read, [before, before, limit])),
    prune: async (sql, olderThanMs) => {
      const [row] = await sql.query(statements.old, [olderThanMs * 1000]);
      const count = Number(row!.count);
      if (count > 0) await sql.query(statements.prune, [row!.last]);
      return count;
    },
  };
}

const begin = (table: string) => `
  INSERT INTO ${table} (began_at, who, action, target) VALUES (UTC_TIMESTAMP(6), ?, ?, ?)`;

/* Of this connection: both statements go over the same one. */
const LAST_NUMBER = 'SELECT LAST_INSERT_ID() AS seq';

const end = (table: string) => `UPDATE ${table} SET changed = ?, problem = ? WHERE seq = ?`;

const read = (table: string) => `
  SELECT told.seq, ${millisOf('told.began_at')} AS at, told.who, told.action, told.target, told.changed, told.problem,
    ${millisOf('UTC_TIMESTAMP(6)')} AS now
  FROM (SELECT 1 AS one) AS one
  LEFT JOIN (
    SELECT * FROM ${table} WHERE ? IS NULL OR seq < ? ORDER BY seq DESC LIMIT ?
  ) AS told ON TRUE
  ORDER BY told.seq DESC`;

/* The oldest rows have the lowest numbers. They are read without locks first: a DELETE by time would lock what it passes. */
const oldest = (table: string) => `
  SELECT COUNT(*) AS count, MAX(seq) AS last
  FROM (SELECT seq, began_at FROM ${table} ORDER BY seq LIMIT ${AUDIT_PRUNED}) AS first
  WHERE began_at < UTC_TIMESTAMP(6) - INTERVAL ? MICROSECOND`;

const deleteActions = (table: string) => `DELETE FROM ${table} WHERE seq <= ?`;
