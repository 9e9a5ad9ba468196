import { AUDIT_PRUNED } from '../../queue/audit-store.js';
import { decodeActions, type AuditDialect } from '../sql/audit-dialect.js';
import type { JobsTable } from '../sql/dialect.js';
import { sideTable } from '../sql/side-tables.js';
import { millisOf } from './columns.js';

export function audit(jobs: JobsTable): AuditDialect {
  const table = sideTable(jobs, 'audit').quoted;
  const statements = { begin: begin(table), end: end(table), read: read(table), prune: prune(table) };
  return {
    begin: async (sql, { who, action, target }) =>
      Number((await sql.query(statements.begin, [who, action, target]))[0]!.seq),
    end: (sql, seq, { changed, problem }) => sql.query(statements.end, [changed, problem, seq]),
    read: async (sql, before, limit) =>
      decodeActions(await sql.query(statements.read, [before, before, limit])),
    prune: async (sql, olderThanMs) => (await sql.query(statements.prune, [olderThanMs / 1000])).length,
  };
}

const begin = (table: string) => `
  INSERT INTO ${table} (began_at, who, action, target) VALUES (strftime('%Y-%m-%d %H:%M:%f', 'now'), ?, ?, ?)
  RETURNING seq`;

const end = (table: string) => `UPDATE ${table} SET changed = ?, problem = ? WHERE seq = ?`;

const read = (table: string) => `
  SELECT told.seq, ${millisOf('told.began_at')} AS at, told.who, told.action, told.target, told.changed, told.problem,
    ${millisOf(`'now'`)} AS now
  FROM (SELECT 1) AS one
  LEFT JOIN (SELECT * FROM ${table} WHERE ? IS NULL OR seq < ? ORDER BY seq DESC LIMIT ?) AS told ON TRUE
  ORDER BY told.seq DESC`;

/* The oldest rows have the lowest numbers. */
const prune = (table: string) => `
  DELETE FROM ${table} WHERE seq IN (
    SELECT seq FROM (SELECT seq, began_at FROM ${table} ORDER BY seq LIMIT ${AUDIT_PRUNED})
    WHERE began_at < strftime('%Y-%m-%d %H:%M:%f', 'now', -? || ' seconds')
  )
  RETURNING seq`;
