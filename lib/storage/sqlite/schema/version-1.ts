import type { JobsTable } from '../../sql/dialect.js';
import type { SchemaStep } from '../../sql/schema-dialect.js';
import { commentFor } from '../../sql/schema-version.js';
import { MAX_COUNT } from '../../sql/row-limits.js';
import { VERSION_1_COLUMNS } from '../../sql/columns.js';

/*
 * - Instants are text in UTC, 'YYYY-MM-DD HH:MM:SS.SSS', as TypeORM writes and reads them. So they sort as they should.
 * - `payload` and `result` are JSON in columns of type text. A type of the name json would have numeric affinity, and
 *   turn the document 1.0 into the number 1.
 * - "sound" refuses rows that no statement of the queue writes: a worker would never find them, or stumble over them. Any
 *   column of SQLite takes a value of any type.
 * - No index mentions `locked_until`.
 */
export const version1 = ({ name, quoted }: JobsTable): SchemaStep => ({
  version: 1,
  up: [
    createTable(name, quoted),
    `CREATE INDEX IF NOT EXISTS "${name}_ready" ON ${quoted} (kind, priority, run_at, id)
       WHERE status = 'PENDING' AND locked_by IS NULL AND due = 1`,
    `CREATE INDEX IF NOT EXISTS "${name}_scheduled" ON ${quoted} (run_at)
       WHERE status = 'PENDING' AND locked_by IS NULL AND due = 0`,
    `CREATE INDEX IF NOT EXISTS "${name}_running" ON ${quoted} (id) /* ${commentFor(1)} */
       WHERE status = 'PENDING' AND locked_by IS NOT NULL`,
  ],
  down: [`DROP TABLE ${quoted}`],
  columns: VERSION_1_COLUMNS,
});

const createTable = (name: string, quoted: string) => `
  CREATE TABLE IF NOT EXISTS ${quoted} (
    id text NOT NULL PRIMARY KEY,
    kind text NOT NULL,
    run_at datetime NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')),
    payload text,
    payload_bytes blob,
    payload_version integer NOT NULL DEFAULT 1,
    carried text,
    payload_size integer GENERATED ALWAYS AS (coalesce(length(payload), length(payload_bytes), 0)) STORED,
    status text NOT NULL DEFAULT 'PENDING'
      CHECK (status IN ('PENDING', 'DONE', 'FAILED', 'PANIC', 'CANCELLED')),
    created_at datetime NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')),
    updated_at datetime NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')),
    result text,
    result_bytes blob,
    attempts_done integer NOT NULL DEFAULT 0,
    last_attempt_at datetime,
    last_error text,
    priority integer NOT NULL DEFAULT 0,
    max_attempts integer,
    crashes integer NOT NULL DEFAULT 0,
    due integer NOT NULL DEFAULT 1,
    lease_token integer NOT NULL DEFAULT 0,
    locked_by text,
    locked_at datetime,
    locked_until datetime,
    heartbeat_at datetime,
    alone integer NOT NULL DEFAULT 0,
    CONSTRAINT "${name}_sound" CHECK (
      typeof(id) = 'text' AND id <> '' AND id = trim(id) AND typeof(kind) = 'text' AND kind <> '' AND kind = trim(kind)
      AND typeof(attempts_done) = 'integer' AND attempts_done BETWEEN 0 AND ${MAX_COUNT}
      AND typeof(crashes) = 'integer' AND crashes BETWEEN 0 AND ${MAX_COUNT}
      AND typeof(lease_token) = 'integer' AND lease_token BETWEEN 0 AND ${MAX_COUNT}
      AND typeof(priority) = 'integer' AND typeof(run_at) = 'text'
      AND due IN (0, 1) AND alone IN (0, 1)
      AND (locked_by IS NULL) = (locked_until IS NULL) AND (locked_by IS NULL) = (locked_at IS NULL)
    )
  )`;
