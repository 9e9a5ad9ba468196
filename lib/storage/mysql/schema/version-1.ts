import type { JobsTable } from '../../sql/dialect.js';
import type { SchemaStep } from '../../sql/schema-dialect.js';
import { commentFor } from '../../sql/schema-version.js';
import { MAX_COUNT } from '../../sql/row-limits.js';
import { VERSION_1_COLUMNS } from '../../sql/columns.js';

/*
 * - There are no partial indexes here. A generated column that is NULL for rows outside the index does the same:
 *   `ready_kind` is the kind of a ready job, `scheduled_at` the time of one that is not due yet, `running` marks one
 *   under a lease. No index mentions `locked_until`.
 * - "sound" refuses rows that no statement of the queue writes: a worker would never find them, or stumble over them.
 * - The collation is binary: the default one would fold case and accents in ids and kinds.
 * - DATETIME(6) is always in UTC, whatever the session's time zone. DEFAULTs that depend on it are left out.
 */
export const version1 = ({ name, quoted }: JobsTable): SchemaStep => ({
  version: 1,
  up: [createTable(name, quoted)],
  down: [`DROP TABLE ${quoted}`],
  columns: VERSION_1_COLUMNS,
});

export const commentOn = ({ quoted }: Pick<JobsTable, 'quoted'>, version: number) =>
  `ALTER TABLE ${quoted} COMMENT = '${commentFor(version)}'`;

const createTable = (name: string, quoted: string) => `
  CREATE TABLE IF NOT EXISTS ${quoted} (
    id varchar(255) NOT NULL,
    kind varchar(255) NOT NULL,
    run_at datetime(6) NOT NULL,
    payload longtext,
    payload_bytes longblob,
    payload_version int NOT NULL DEFAULT 1,
    carried longtext,
    payload_size int GENERATED ALWAYS AS (COALESCE(LENGTH(payload), LENGTH(payload_bytes), 0)) STORED,
    status varchar(9) NOT NULL DEFAULT 'PENDING',
    created_at datetime(6) NOT NULL,
    updated_at datetime(6) NOT NULL,
    result longtext,
    result_bytes longblob,
    attempts_done int NOT NULL DEFAULT 0,
    last_attempt_at datetime(6),
    last_error longtext,
    priority int NOT NULL DEFAULT 0,
    max_attempts int,
    crashes int NOT NULL DEFAULT 0,
    due tinyint NOT NULL DEFAULT 1,
    lease_token int NOT NULL DEFAULT 0,
    locked_by varchar(255),
    locked_at datetime(6),
    locked_until datetime(6),
    heartbeat_at datetime(6),
    alone tinyint NOT NULL DEFAULT 0,
    ready_kind varchar(255) GENERATED ALWAYS AS
      (IF(status = 'PENDING' AND locked_by IS NULL AND due = 1, kind, NULL)) STORED,
    scheduled_at datetime(6) GENERATED ALWAYS AS
      (IF(status = 'PENDING' AND locked_by IS NULL AND due = 0, run_at, NULL)) STORED,
    running tinyint GENERATED ALWAYS AS
      (IF(status = 'PENDING' AND locked_by IS NOT NULL, 1, NULL)) STORED,
    PRIMARY KEY (id),
    KEY \`${name}_ready\` (ready_kind, priority, run_at, id),
    KEY \`${name}_scheduled\` (scheduled_at),
    KEY \`${name}_running\` (running),
    CONSTRAINT \`${name}_status\` CHECK (status IN ('PENDING', 'DONE', 'FAILED', 'PANIC', 'CANCELLED')),
    CONSTRAINT \`${name}_sound\` CHECK (${SOUND})
  ) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin COMMENT = '${commentFor(1)}'`;

const SOUND = `
  id <> '' AND id NOT LIKE ' %' AND id NOT LIKE '% ' AND kind <> '' AND kind NOT LIKE ' %' AND kind NOT LIKE '% '
  AND attempts_done BETWEEN 0 AND ${MAX_COUNT} AND crashes BETWEEN 0 AND ${MAX_COUNT}
  AND lease_token BETWEEN 0 AND ${MAX_COUNT} AND due IN (0, 1) AND alone IN (0, 1)
  AND (locked_by IS NULL) = (locked_until IS NULL) AND (locked_by IS NULL) = (locked_at IS NULL)`;
