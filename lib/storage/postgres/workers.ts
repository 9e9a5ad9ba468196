import { WORKER_LIVE_MS, WORKERS_LISTED } from '../../queue/kind-store.js';
import type { JobsTable } from '../sql/dialect.js';
import { decodeControls, WORKER_COLUMNS, workersDialect, type WorkersDialect } from '../sql/kinds-dialect.js';
import { sideTable } from '../sql/side-tables.js';
import { asciiText } from './ascii.js';
import { select } from './columns.js';
import { controlsNow } from './kinds.js';
import type { PostgresServer } from './server.js';

export function workers(jobs: JobsTable, { isUnicode }: PostgresServer): WorkersDialect {
  const table = sideTable(jobs, 'workers').quoted;
  const statements = {
    beat: beat(table, sideTable(jobs, 'controls').quoted, sideTable(jobs, 'minutes').quoted),
    forget: forgetWorker(table),
    workers: liveWorkers(table),
    behind: behind(table),
  };
  return workersDialect(statements, async (sql, { workerId, controlsSeen, about, counts }) => {
    const texts = [about, JSON.stringify(counts)];
    const parameters = [workerId, controlsSeen, ...(isUnicode ? texts : texts.map(asciiText))];
    return decodeControls(await sql.query(statements.beat, parameters));
  });
}

/* The controls are those of before the row was written. */
export const beat = (workers: string, controls: string, minutes: string) => `/*NO LOAD BALANCE*/
  WITH beat AS (
    INSERT INTO ${workers} AS worker (id, started_at, seen_at, controls_seen, about)
    VALUES ($1, clock_timestamp(), clock_timestamp(), $2, $3::json)
    ON CONFLICT (id) DO UPDATE
    SET seen_at = clock_timestamp(), controls_seen = excluded.controls_seen, about = excluded.about
  ), counted AS (
    INSERT INTO ${minutes} (span, minute, kind, worker, counts)
    SELECT given.span, to_timestamp(given.minute / 1000), given.kind, $1, given.counts::json
    FROM json_to_recordset($4::json) AS given(span int2, minute float8, kind varchar, counts text)
    ON CONFLICT (span, minute, kind, worker) DO UPDATE SET counts = excluded.counts
  ) ${controlsNow(controls)}`;

export const forgetWorker = (table: string) => `DELETE FROM ${table} WHERE id = $1`;

const IS_LIVE = `seen_at > clock_timestamp() - interval '${WORKER_LIVE_MS} milliseconds'`;

export const liveWorkers = (table: string) => `/*NO LOAD BALANCE*/
  SELECT ${select(WORKER_COLUMNS)} FROM ${table} WHERE ${IS_LIVE} ORDER BY id LIMIT ${WORKERS_LISTED}`;

export const behind = (table: string) => `/*NO LOAD BALANCE*/
  SELECT id FROM ${table} WHERE ${IS_LIVE} AND controls_seen < $1 ORDER BY id LIMIT ${WORKERS_LISTED}`;
