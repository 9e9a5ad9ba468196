import type { JobsTable } from '../../sql/dialect.js';
import type { SchemaStep } from '../../sql/schema-dialect.js';
import { commentFor } from '../../sql/schema-version.js';
import { VERSION_1_COLUMNS } from '../../sql/columns.js';

/*
 * - Instants are text in UTC, 'YYYY-MM-DD HH:MM:SS.SSS', as TypeORM writes and reads them. So they sort as they should.
 * - `payload` and `result` are JSON in columns of type text. A type of the name json would have numeric affinity, and
 *   turn the document 1.0 into the number 1.
 * - No index mentions `locked_until`.
 */
export const version1 = ({ name, quoted }: JobsTable): SchemaStep => ({
  version: 1,
  up: [
    createTable(quoted),
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

const createTable = (quoted: string) => `
  CREATE TABLE IF NOT EXISTS ${quoted} (
    id text NOT NULL PRIMARY KEY,
    kind text NOT NULL,
    run_at datetime NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')),
    payload text,
    payload_bytes blob,
    payload_version integer NOT NULL DEFAULT 1,
    carried text,
    status text NOT NULL DEFAULT 'PENDING' CHECK (status IN ('PENDING', 'DONE', 'FAILED', 'PANIC')),
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
    alone integer NOT NULL DEFAULT 0
  )`;
