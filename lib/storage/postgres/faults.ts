import type { InspectionBounds, StorageFinding } from '../../queue/inspector.js';
import type { JobsTable } from '../sql/dialect.js';
import { SHORTEST_STATEMENT_MS } from '../sql/row-limits.js';
import type { Row, Sql } from '../sql/sql.js';
import { textArray } from './arrays.js';

type Faults = (sql: Sql, tables: readonly string[], bounds: InspectionBounds) => Promise<StorageFinding[]>;

/** What PostgreSQL alone can have. */
export function faults({ name: jobs, schema }: JobsTable): Faults {
  return async (sql, tables, { deadRows }) => {
    const settings = await sql.query(SETTINGS);
    const values = new Map(settings.map((row) => [row.name as string, row.setting as string]));
    const rows = await sql.query(TABLE_FACTS, [textArray(tables), schema ?? null]);
    return [
      ...(settings[0]!.is_standby === true ? [STANDBY] : []),
      ...durability(values),
      ...timeouts(values),
      ...(values.get('autovacuum') === 'off' ? [AUTOVACUUM_OFF] : []),
      ...rows.flatMap((row) => ofTable(row, deadRows)),
      ...rows.filter((row) => row.name === jobs).flatMap(collation),
    ];
  };
}

const SETTINGS = `
  SELECT name, setting, pg_is_in_recovery() AS is_standby FROM pg_settings
  WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit', 'autovacuum', 'statement_timeout', 'transaction_timeout')`;

const TABLE_FACTS = `
  SELECT found.relname AS name, home.nspname AS schema, relpersistence = 'u' AS is_unlogged,
    coalesce('autovacuum_enabled=false' = ANY (reloptions) OR 'autovacuum_enabled=off' = ANY (reloptions), false)
      AS is_unvacuumed,
    coalesce(n_dead_tup, 0) AS dead, coalesce(n_live_tup, 0) AS live, last_autovacuum::text AS vacuumed_at,
    (SELECT string_agg(needed, ', ') FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS needed
     WHERE NOT has_table_privilege(found.oid, needed)) AS missing,
    (SELECT string_agg(attname, ', ') FROM pg_attribute JOIN pg_collation ON pg_collation.oid = attcollation
     WHERE attrelid = found.oid AND attname IN ('id', 'kind') AND collname <> 'C') AS recollated
  FROM pg_class AS found JOIN pg_namespace AS home ON home.oid = found.relnamespace
  LEFT JOIN pg_stat_user_tables AS stats ON stats.relid = found.oid
  WHERE found.relname = ANY ($1::name[]) AND found.relkind = 'r' AND home.nspname = coalesce($2::name, current_schema())
  ORDER BY found.relname`;

const STANDBY: StorageFinding = {
  code: 'server-read-only',
  severity: 'error',
  trouble: 'This server is a standby, so no job can be enqueued, claimed or settled on it.',
  remedy: 'Connect to the primary: with several hosts in the URL, add target_session_attrs=read-write.',
};

const AUTOVACUUM_OFF: StorageFinding = {
  code: 'autovacuum-off',
  severity: 'error',
  trouble: 'autovacuum is off on this server. Dead rows pile up, and claims become slower with each job.',
  remedy: 'ALTER SYSTEM SET autovacuum = on; then SELECT pg_reload_conf().',
};

function durability(values: ReadonlyMap<string, string>): StorageFinding[] {
  const wanted = ['fsync', 'full_page_writes', 'synchronous_commit'].filter(
    (name) => values.get(name) === 'off',
  );
  return wanted.map((name) => ({
    code: 'not-durable',
    severity: name === 'synchronous_commit' ? 'warning' : 'error',
    trouble:
      name === 'synchronous_commit'
        ? 'synchronous_commit is off. A crash of the server loses what was committed just before: jobs vanish, others run again.'
        : `${name} is off. A crash of the machine can destroy the whole database.`,
    remedy: `Set ${name} to on, the default, for this server, database and role.`,
  }));
}

function timeouts(values: ReadonlyMap<string, string>): StorageFinding[] {
  return ['statement_timeout', 'transaction_timeout'].flatMap((name): StorageFinding[] => {
    const ms = Number(values.get(name) ?? 0);
    if (ms === 0 || ms >= SHORTEST_STATEMENT_MS) return [];
    return [
      {
        code: 'timeout-short',
        severity: 'warning',
        trouble: `${name} is ${ms} ms. Statements of workers that have to wait for the disk are broken off, and tried again without end.`,
        remedy: `Set ${name} of the application's role to at least ${SHORTEST_STATEMENT_MS} ms, or to 0; the package has time limits of its own.`,
      },
    ];
  });
}

function ofTable({ name, schema, ...facts }: Row, deadRows: number): StorageFinding[] {
  const quoted = `"${String(schema)}"."${String(name)}"`;
  const found: StorageFinding[] = [];
  if (facts.is_unlogged === true)
    found.push({
      code: 'not-durable',
      severity: 'error',
      trouble: `The table ${String(name)} is unlogged. A crash of the server empties it, and standbys do not have it.`,
      remedy: `ALTER TABLE ${quoted} SET LOGGED.`,
    });
  if (facts.is_unvacuumed === true)
    found.push({
      code: 'autovacuum-off',
      severity: 'error',
      trouble: `autovacuum is off for the table ${String(name)}. Dead rows pile up, and claims become slower with each job.`,
      remedy: `ALTER TABLE ${quoted} RESET (autovacuum_enabled); then VACUUM ANALYZE ${quoted}.`,
    });
  if (typeof facts.missing === 'string')
    found.push({
      code: 'permission-missing',
      severity: 'error',
      trouble: `This account may not ${facts.missing} on the table ${String(name)}.`,
      remedy: `GRANT SELECT, INSERT, UPDATE, DELETE ON ${quoted} TO the role of the application.`,
    });
  const dead = Number(facts.dead);
  if (dead >= deadRows && dead > Number(facts.live))
    found.push({
      code: 'bloat',
      severity: 'warning',
      trouble: `The table ${String(name)} has about ${dead} dead rows and ${String(facts.live)} live ones. Claims walk over the dead ones.`,
      remedy:
        `End what keeps vacuum from removing them, such as a transaction, a prepared one or a replication slot that was left ` +
        `open; then VACUUM ANALYZE ${quoted}.`,
    });
  return found;
}

function collation({ name, schema, recollated }: Row): StorageFinding[] {
  if (typeof recollated !== 'string') return [];
  return [
    {
      code: 'collation-changed',
      severity: 'error',
      trouble: `The columns ${recollated} of ${String(name)} have another collation than "C". Jobs are claimed in a wrong order, and some may be passed over.`,
      remedy: `ALTER TABLE "${String(schema)}"."${String(name)}" ALTER COLUMN … TYPE varchar(255) COLLATE "C", for each of them.`,
    },
  ];
}
