import type { JobsTable } from '../../sql/dialect.js';
import type { SchemaStep } from '../../sql/schema-dialect.js';
import { commentFor } from '../../sql/schema-version.js';
import { VERSION_1_COLUMNS } from '../../sql/columns.js';

/*
 * - The three partial indexes hold only rows that a statement looks for: ready ones in the order of the claim,
 *   scheduled ones by their time, running ones. A row that is settled is in none of them.
 * - No index mentions `locked_until`, so that a heartbeat is a heap-only update; fillfactor leaves it room in the page.
 * - Vacuum and analyze go by absolute numbers: by a share of the table they would come ever later as settled rows add up.
 *   Vacuum does not pause, either: at 20,000 jobs a second it would not keep up.
 * - The other databases have a CHECK against rows that no statement of the queue writes, such as counts at their ends.
 *   PostgreSQL reads the text of a CHECK anew for each statement, and this one took a tenth of a small insert. Here the
 *   statements alone see to it that no such row holds back others.
 * - `json` and not `jsonb`, which refuses \u0000 and reorders keys.
 */
export const version1 = ({ name, quoted }: JobsTable): SchemaStep => ({
  version: 1,
  up: [
    createTable(name, quoted),
    `CREATE INDEX "${name}_ready" ON ${quoted} (kind, priority, run_at, id)
       WHERE status = 'PENDING' AND locked_by IS NULL AND due`,
    `CREATE INDEX "${name}_scheduled" ON ${quoted} (run_at)
       WHERE status = 'PENDING' AND locked_by IS NULL AND NOT due`,
    `CREATE INDEX "${name}_running" ON ${quoted} (id)
       WHERE status = 'PENDING' AND locked_by IS NOT NULL`,
    commentOn({ quoted }, 1),
  ],
  down: [`DROP TABLE ${quoted}`],
  columns: VERSION_1_COLUMNS,
});

export const commentOn = ({ quoted }: Pick<JobsTable, 'quoted'>, version: number) =>
  `COMMENT ON TABLE ${quoted} IS '${commentFor(version)}'`;

const createTable = (name: string, quoted: string) => `
  CREATE TABLE ${quoted} (
    id varchar(255) COLLATE "C" NOT NULL,
    kind varchar(255) COLLATE "C" NOT NULL,
    run_at timestamptz NOT NULL DEFAULT now(),
    payload json,
    payload_bytes bytea,
    payload_version integer NOT NULL DEFAULT 1,
    carried json,
    payload_size integer,
    status varchar(9) NOT NULL DEFAULT 'PENDING',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    result json,
    result_bytes bytea,
    attempts_done integer NOT NULL DEFAULT 0,
    last_attempt_at timestamptz,
    last_error text,
    priority integer NOT NULL DEFAULT 0,
    max_attempts integer,
    crashes integer NOT NULL DEFAULT 0,
    due boolean NOT NULL DEFAULT true,
    lease_token integer NOT NULL DEFAULT 0,
    locked_by varchar(255),
    locked_at timestamptz,
    locked_until timestamptz,
    heartbeat_at timestamptz,
    alone boolean NOT NULL DEFAULT false,
    CONSTRAINT "${name}_pkey" PRIMARY KEY (id),
    CONSTRAINT "${name}_status" CHECK (status IN ('PENDING', 'DONE', 'FAILED', 'PANIC', 'CANCELLED'))
  ) WITH (
    fillfactor = 85,
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000, autovacuum_vacuum_cost_delay = 0,
    autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 20000
  )`;
