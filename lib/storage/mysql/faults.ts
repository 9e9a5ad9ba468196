import type { InspectionBounds, StorageFinding } from '../../queue/inspector.js';
import type { JobsTable } from '../sql/dialect.js';
import { SHORTEST_STATEMENT_MS } from '../sql/row-limits.js';
import type { Row, Sql } from '../sql/sql.js';

type Faults = (sql: Sql, tables: readonly string[], bounds: InspectionBounds) => Promise<StorageFinding[]>;

/** A table that is updated by one transaction has an old version for each row; a server has many tables. */
const OLD_VERSIONS_PER_DEAD_ROW = 10;

/** What MySQL and MariaDB alone can have. */
export function faults(jobs: JobsTable): Faults {
  return async (sql, tables, { deadRows }) => {
    const rows = await sql.query(VARIABLES);
    const values = new Map(rows.map((row) => [String(row.Variable_name).toLowerCase(), String(row.Value)]));
    const facts = tables.length === 0 ? [] : await sql.query(TABLE_FACTS, [tables]);
    const recollated = await sql.query(RECOLLATED, [jobs.name]);
    return [
      ...readOnly(values),
      ...durability(values),
      ...timeouts(values),
      ...facts.flatMap(engine),
      ...(recollated.length === 0 ? [] : [collation(jobs, recollated)]),
      ...(await purge(sql, deadRows * OLD_VERSIONS_PER_DEAD_ROW)),
    ];
  };
}

const VARIABLES = `
  SHOW VARIABLES WHERE Variable_name IN
    ('innodb_flush_log_at_trx_commit', 'max_statement_time', 'max_execution_time', 'read_only')`;

const TABLE_FACTS = `
  SELECT table_name AS name, engine AS engine FROM information_schema.tables
  WHERE table_schema = DATABASE() AND table_name IN (?) AND engine <> 'InnoDB'`;

const RECOLLATED = `
  SELECT column_name AS name, collation_name AS collation FROM information_schema.columns
  WHERE table_schema = DATABASE() AND table_name = ? AND column_name IN ('id', 'kind', 'ready_kind')
    AND collation_name NOT LIKE '%\\_bin'`;

/* Only an account with the privilege PROCESS may read it. */
const HISTORY = `SELECT count AS count FROM information_schema.innodb_metrics WHERE name = 'trx_rseg_history_len'`;

/** Newer releases of MariaDB have more than one way of being on: `NO_LOCK`, `NO_LOCK_NO_ADMIN`. */
const isOff = (value: string | undefined) => value === undefined || value === 'OFF' || value === '0';

function readOnly(values: ReadonlyMap<string, string>): StorageFinding[] {
  const value = values.get('read_only');
  if (isOff(value)) return [];
  return [
    {
      code: 'server-read-only',
      severity: 'error',
      trouble: `read_only is ${value}: this server is a replica, so no job can be enqueued, claimed or settled on it.`,
      remedy: 'Connect to the primary, or set read_only to OFF where this is the primary.',
    },
  ];
}

function durability(values: ReadonlyMap<string, string>): StorageFinding[] {
  const value = values.get('innodb_flush_log_at_trx_commit');
  if (value === undefined || value === '1') return [];
  return [
    {
      code: 'not-durable',
      severity: 'warning',
      trouble: `innodb_flush_log_at_trx_commit is ${value}. A crash loses what was committed in the last second: jobs vanish, others run again.`,
      remedy: 'Set innodb_flush_log_at_trx_commit to 1, the default.',
    },
  ];
}

/** MariaDB counts in seconds; MySQL in milliseconds, and for reads alone. */
function timeouts(values: ReadonlyMap<string, string>): StorageFinding[] {
  const limits = [
    ['max_statement_time', Number(values.get('max_statement_time') ?? 0) * 1000],
    ['max_execution_time', Number(values.get('max_execution_time') ?? 0)],
  ] as const;
  return limits
    .filter(([, ms]) => ms > 0 && ms < SHORTEST_STATEMENT_MS)
    .map(([name, ms]) => ({
      code: 'timeout-short',
      severity: 'warning',
      trouble: `${name} is ${ms} ms. Statements of workers that have to wait for the disk are broken off, and tried again without end.`,
      remedy: `Set ${name} for the application's account to at least ${SHORTEST_STATEMENT_MS} ms, or to 0; the package has time limits of its own.`,
    }));
}

function engine({ name, engine: found }: Row): StorageFinding {
  return {
    code: 'table-unsuitable',
    severity: 'error',
    trouble: `The table ${String(name)} is kept by the engine ${String(found)}, which has no transactions.`,
    remedy: `ALTER TABLE \`${String(name)}\` ENGINE = InnoDB.`,
  };
}

function collation({ quoted }: JobsTable, rows: readonly Row[]): StorageFinding {
  const columns = rows.map(({ name, collation: found }) => `${String(name)} (${String(found)})`).join(', ');
  return {
    code: 'collation-changed',
    severity: 'error',
    trouble: `Columns of ${quoted} have another collation than a binary one: ${columns}. Kinds and ids that differ in case or accents count as the same.`,
    remedy: `ALTER TABLE ${quoted} CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, while no worker runs.`,
  };
}

async function purge(sql: Sql, most: number): Promise<StorageFinding[]> {
  const rows = await sql.query(HISTORY).catch(() => []);
  const count = Number(rows[0]?.count ?? 0);
  if (count < most) return [];
  return [
    {
      code: 'bloat',
      severity: 'warning',
      trouble: `InnoDB keeps ${count} old versions of rows (history list length). Claims walk over those of the jobs table.`,
      remedy:
        'End the oldest transaction of information_schema.innodb_trx, which keeps the server from purging them.',
    },
  ];
}
