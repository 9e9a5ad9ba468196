import { AUDIT_PRUNED } from '../../queue/audit-store.js';
import { decodeActions, type AuditDialect } from '../sql/audit-dialect.js';
import type { JobsTable } from '../sql/dialect.js';
import { sideTable } from '../sql/side-tables.js';
import { asciiText } from './ascii.js';
import type { PostgresServer } from './server.js';

/** Texts are sent in ASCII to a database whose encoding has not every character. */
export function audit(jobs: JobsTable, { isUnicode }: PostgresServer): AuditDialect {
  const textOf = isUnicode ? <T extends string | null>(text: T) => text : asciiText;
  const table = sideTable(jobs, 'audit').quoted;
  const statements = { begin: begin(table), end: end(table), read: read(table), prune: prune(table) };
  return {
    begin: async (sql, { who, action, target }) =>
      Number((await sql.query(statements.begin, [textOf(who), action, textOf(target)]))[0]!.seq),
    end: (sql, seq, { changed, problem }) => sql.query(statements.end, [seq, changed, textOf(problem)]),
    read: async (sql, before, limit) => decodeActions(await sql.query(statements.read, [before, limit])),
    prune: async (sql, olderThanMs) => Number((await sql.query(statements.prune, [olderThanMs]))[0]!.deleted),
  };
}

const begin = (table: string) => `
  INSERT INTO ${table} (who, action, target) VALUES ($1, $2, $3) RETURNING seq`;

const end = (table: string) => `
  UPDATE ${table} SET changed = $2::int8, problem = $3::text WHERE seq = $1::int8`;

/* The comment keeps pgpool from asking a standby, which may be behind. */
const read = (table: string) => `/*NO LOAD BALANCE*/
  SELECT told.seq, date_part('epoch', told.began_at) * 1000 AS at, told.who, told.action, told.target, told.changed,
    told.problem, date_part('epoch', now()) * 1000 AS now
  FROM (SELECT 1) AS one
  LEFT JOIN (
    SELECT * FROM ${table} WHERE $1::int8 IS NULL OR seq < $1::int8 ORDER BY seq DESC LIMIT $2
  ) AS told ON true
  ORDER BY told.seq DESC`;

/* The oldest rows have the lowest numbers. */
const prune = (table: string) => `
  WITH old AS (
    SELECT seq FROM (SELECT seq, began_at FROM ${table} ORDER BY seq LIMIT ${AUDIT_PRUNED}) AS oldest
    WHERE began_at < now() - $1::float8 * interval '1 millisecond'
  ), gone AS (
    DELETE FROM ${table} WHERE seq = ANY (ARRAY(SELECT seq FROM old)) RETURNING seq
  )
  SELECT count(*) AS deleted FROM gone`;
