import type { JobsTable, SchemaStep } from '../sql/dialect.js';
import { commentFor } from '../sql/schema-version.js';

/**
 * The table on SQLite, version by version.
 *
 * - Tables have no comments here, but SQLite keeps the text of each CREATE statement: the version stands as a comment
 *   within that of the step's last index. Within the definition of an added column, after its name, it would do as well.
 * - Instants are text in UTC, 'YYYY-MM-DD HH:MM:SS.SSS', as TypeORM writes and reads them; so they sort as they should.
 * - `payload` and `result` are JSON in columns of type text. A type of the name json would have numeric affinity, and
 *   turn the document 1.0 into the number 1.
 * - No index mentions `locked_until`.
 */
export function sqliteSteps({ name, quoted }: JobsTable): readonly SchemaStep[] {
  return [
    {
      version: 1,
      up: [
        `CREATE TABLE IF NOT EXISTS ${quoted} (
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
         )`,
        `CREATE INDEX IF NOT EXISTS "${name}_ready" ON ${quoted} (kind, priority, run_at, id)
         WHERE status = 'PENDING' AND locked_by IS NULL AND due = 1`,
        `CREATE INDEX IF NOT EXISTS "${name}_scheduled" ON ${quoted} (run_at)
         WHERE status = 'PENDING' AND locked_by IS NULL AND due = 0`,
        `CREATE INDEX IF NOT EXISTS "${name}_running" ON ${quoted} (id) /* ${commentFor(1)} */
         WHERE status = 'PENDING' AND locked_by IS NOT NULL`,
      ],
      down: [`DROP TABLE ${quoted}`],
    },
  ];
}
