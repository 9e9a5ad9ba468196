import { decodeSeenJob, type BulkDialect, type Reopening } from '../sql/bulk-dialect.js';
import type { JobsTable } from '../sql/dialect.js';
import { utcText } from '../sql/instants.js';
import { forgetJobs } from './forget.js';
import { NOW } from './rewrite.js';

export function bulk(table: JobsTable): BulkDialect {
  const { quoted } = table;
  const statements = { see: seeAll(quoted), reopen: reopenAll(quoted), delete: deleteAll(quoted) };
  const forget = forgetJobs(table);
  return {
    seeAll: async (sql, ids) => (await sql.query(statements.see, [JSON.stringify(ids)])).map(decodeSeenJob),

    reopenAll: async (sql, jobs) => {
      const rows = await sql.query(statements.reopen, [JSON.stringify(jobs.map(encodeReopening))]);
      return rows.map(({ id }) => id as string);
    },

    async deleteAll(sql, ids, statuses) {
      const rows = await sql.query(statements.delete, [JSON.stringify(ids), JSON.stringify(statuses)]);
      if (rows.length > 0) await forget(sql, JSON.stringify(rows.map(({ id }) => id)));
      return rows.length;
    },
  };
}

function encodeReopening({ seen, settings, runAtMs, delayMs }: Reopening): object {
  const { id, status, attemptsDone, settings: seenSettings } = seen;
  const runAt = runAtMs === null ? null : utcText(runAtMs);
  return { id, status, attemptsDone, seenSettings, settings, runAt, delayMs };
}

export const seeAll = (table: string) => `
  SELECT id, kind, status, locked_by IS NOT NULL AS is_held, attempts_done, settings
  FROM ${table} WHERE id IN (SELECT value FROM json_each(?))`;

const START = `coalesce(given.value ->> 'runAt',
        strftime('%Y-%m-%d %H:%M:%f', 'now', ((given.value ->> 'delayMs') / 1000.0) || ' seconds'))`;

export const reopenAll = (table: string) => `
  UPDATE ${table} AS job
  SET status = 'PENDING', run_at = ${START},
      due = ${START} <= ${NOW}, crashes = 0, settings = given.value ->> 'settings',
      progress = NULL, cancel_requested_at = NULL, cancel_reason = NULL, updated_at = ${NOW}
  FROM json_each(?) AS given
  WHERE job.id = given.value ->> 'id' AND job.status = given.value ->> 'status'
    AND job.attempts_done = given.value ->> 'attemptsDone' AND job.settings IS given.value ->> 'seenSettings'
  RETURNING id`;

export const deleteAll = (table: string) => `
  DELETE FROM ${table}
  WHERE id IN (SELECT value FROM json_each(?)) AND status IN (SELECT value FROM json_each(?))
    AND (status <> 'PENDING' OR locked_by IS NULL)
  RETURNING id`;
