import { ATTEMPTS_KEPT } from '../../job/job-attempt.js';
import type { AttemptNote } from '../../queue/note-store.js';
import type { JobsTable } from '../sql/dialect.js';
import type { NotesDialect } from '../sql/notes-dialect.js';
import { decodeLease, decodeLogLine } from '../sql/row.js';
import { sideTable } from '../sql/side-tables.js';
import { millisOf } from './columns.js';
import { atOnce, type QueryNow } from './connection.js';
import { leaseOf } from './parameters.js';

/** One transaction, and nothing else of this process comes in between its statements. */
export function notes(table: JobsTable): NotesDialect {
  const statements = { progress: writeProgress(table.quoted), logs: selectLogs(table) };
  const writeLines = lineWriter(table);
  return {
    write: (sql, given) =>
      atOnce(sql, (query) => {
        const rows = given.map((note) => ({ ...leaseOf(note), progress: note.progress }));
        const written = query(statements.progress, [JSON.stringify(rows)]).map(decodeLease);
        const held = new Set(written.map(({ id }) => id));
        for (const note of given) if (held.has(note.id) && note.lines.length > 0) writeLines(query, note);
        return written;
      }),
    logs: async (sql, id, { fromAttempt, toAttempt, after, limit }) => {
      const parameters = [id, fromAttempt, toAttempt, after.attempt, after.line, limit];
      return (await sql.query(statements.logs, parameters)).map(decodeLogLine);
    },
  };
}

function lineWriter(table: JobsTable): (query: QueryNow, note: AttemptNote) => void {
  const statements = {
    last: lastLine(table),
    insert: insertLines(table),
    drop: dropLines(table),
    dropAttempts: dropAttempts(table),
  };
  return (query, { id, attempt, lines, skipped, keep }) => {
    const [last] = query(statements.last, [id, attempt]);
    const base = Number(last!.line) + skipped;
    query(statements.insert, [id, attempt, base, JSON.stringify(lines)]);
    const newest = base + lines.length;
    if (newest > keep) query(statements.drop, [id, attempt, newest - keep]);
    if (attempt > ATTEMPTS_KEPT) query(statements.dropAttempts, [id, attempt - ATTEMPTS_KEPT]);
  };
}

export const writeProgress = (table: string) => `
  UPDATE ${table} AS job
  SET progress = coalesce(noted.value ->> 'progress', job.progress)
  FROM json_each(?) AS noted
  WHERE job.id = noted.value ->> 'id' AND job.lease_token = noted.value ->> 'leaseToken'
    AND job.status = 'PENDING' AND job.locked_by = noted.value ->> 'lockedBy'
  RETURNING id, lease_token`;

export const lastLine = (table: JobsTable) =>
  `SELECT coalesce(max(line), 0) AS line FROM ${sideTable(table, 'logs').quoted} WHERE job_id = ? AND attempt = ?`;

export const insertLines = (table: JobsTable) => `
  INSERT INTO ${sideTable(table, 'logs').quoted} (job_id, attempt, line, logged_at, level, entry)
  SELECT ?, ?, ? + line.key + 1, strftime('%Y-%m-%d %H:%M:%f', 'now', (-(line.value ->> 'agoMs') / 1000.0) || ' seconds'),
    line.value ->> 'level', line.value ->> 'entry'
  FROM json_each(?) AS line`;

export const dropLines = (table: JobsTable) =>
  `DELETE FROM ${sideTable(table, 'logs').quoted} WHERE job_id = ? AND attempt = ? AND line <= ?`;

export const dropAttempts = (table: JobsTable) =>
  `DELETE FROM ${sideTable(table, 'logs').quoted} WHERE job_id = ? AND attempt <= ?`;

export const selectLogs = (table: JobsTable) => `
  SELECT attempt, line, ${millisOf('logged_at')} AS logged_at, level, entry
  FROM ${sideTable(table, 'logs').quoted}
  WHERE job_id = ? AND attempt BETWEEN ? AND ? AND (attempt, line) > (?, ?)
  ORDER BY attempt, line LIMIT ?`;
