import { WORKER_LIVE_MS, WORKERS_LISTED } from '../../queue/kind-store.js';
import type { JobsTable } from '../sql/dialect.js';
import { decodeControls, WORKER_COLUMNS, workersDialect, type WorkersDialect } from '../sql/kinds-dialect.js';
import { utcText } from '../sql/instants.js';
import { sideTable } from '../sql/side-tables.js';
import { select } from './columns.js';
import { selectControls } from './kinds.js';

export function workers(jobs: JobsTable): WorkersDialect {
  const table = sideTable(jobs, 'workers').quoted;
  const statements = {
    beat: beat(table),
    count: writeCounts(sideTable(jobs, 'minutes').quoted),
    controls: selectControls(sideTable(jobs, 'controls').quoted),
    forget: forgetWorker(table),
    workers: liveWorkers(table),
    behind: behind(table),
  };
  return workersDialect(statements, async (sql, { workerId, controlsSeen, about, counts }) => {
    await sql.query(statements.beat, [workerId, controlsSeen, about]);
    const rows = counts.map((row) => ({ ...row, minute: utcText(row.minute) }));
    if (rows.length > 0) await sql.query(statements.count, [workerId, JSON.stringify(rows)]);
    return decodeControls(await sql.query(statements.controls));
  });
}

const NOW = `strftime('%Y-%m-%d %H:%M:%f', 'now')`;

export const beat = (table: string) => `
  INSERT INTO ${table} (id, started_at, seen_at, controls_seen, about) 
  VALUES (?, ${NOW}, ${NOW}, ?, ?)
  ON CONFLICT (id) DO UPDATE
  SET seen_at = excluded.seen_at, controls_seen = excluded.controls_seen, about = excluded.about`;

export const writeCounts = (table: string) => `
  INSERT INTO ${table} (span, minute, kind, worker, counts)
  SELECT value ->> 'span', value ->> 'minute', value ->> 'kind', ?, value ->> 'counts' FROM json_each(?) WHERE true
  ON CONFLICT (span, minute, kind, worker) DO UPDATE SET counts = excluded.counts`;

export const forgetWorker = (table: string) => `DELETE FROM ${table} WHERE id = ?`;

const IS_LIVE = `seen_at > strftime('%Y-%m-%d %H:%M:%f', 'now', '-${WORKER_LIVE_MS / 1000} seconds')`;

export const liveWorkers = (table: string) => `
  SELECT ${select(WORKER_COLUMNS)} FROM ${table} WHERE ${IS_LIVE} ORDER BY id LIMIT ${WORKERS_LISTED}`;

export const behind = (table: string) => `
  SELECT id FROM ${table} WHERE ${IS_LIVE} AND controls_seen < ? ORDER BY id LIMIT ${WORKERS_LISTED}`;
