import { ATTEMPTS_KEPT } from '../../job/job-attempt.js';
import type { AttemptNote } from '../../queue/note-store.js';
import type { JobsTable } from '../sql/dialect.js';
import type { NotesDialect } from '../sql/notes-dialect.js';
import { decodeLogLine } from '../sql/row.js';
import { sideTable } from '../sql/side-tables.js';
import type { Sql } from '../sql/sql.js';
import { utcText } from '../sql/instants.js';
import { millisOf } from './columns.js';
import { NOW } from './insert.js';
import { LockedLeases } from './locked-leases.js';
import { inPackets, inParts, roomIn } from './packets.js';
import type { MysqlServer } from './server.js';

/** How many bytes a character takes at most in JSON in a text. */
const MAX_BYTES_PER_CHARACTER = 7;
/** Names, numbers and punctuation. */
const OTHER_BYTES = 200;

export function notes(table: JobsTable, server: MysqlServer): NotesDialect {
  const statements = { logs: selectLogs(table) };
  const lockedLeases = new LockedLeases(table.quoted);
  const writeProgress = progressWriter(table.quoted, server);
  const writeLines = lineWriter(table, server);
  return {
    write: (sql, given) =>
      lockedLeases.write(sql, given, async (held) => {
        const progressed = held.filter(({ progress }) => progress !== null);
        if (progressed.length > 0) await writeProgress(sql, progressed);
        const logged = held.filter(({ lines }) => lines.length > 0);
        if (logged.length > 0) await writeLines(sql, logged);
      }),
    logs: async (sql, id, { fromAttempt, toAttempt, after, limit }) => {
      const parameters = [id, fromAttempt, toAttempt, after.attempt, after.attempt, after.line, limit];
      return (await sql.query(statements.logs, parameters)).map(decodeLogLine);
    },
  };
}

type WriteNotes = (sql: Sql, given: readonly AttemptNote[]) => Promise<void>;

function progressWriter(table: string, server: MysqlServer): WriteNotes {
  const statements = { each: progressEach(table), one: progressOne(table) };
  const bytesOf = ({ id, progress }: AttemptNote) =>
    (id.length + progress!.length) * MAX_BYTES_PER_CHARACTER + OTHER_BYTES;
  return async (sql, given) => {
    if (!server.updatesByJoin) {
      for (const { id, progress } of given) await sql.query(statements.one, [progress, id]);
      return;
    }
    for (const part of inParts(given, bytesOf, roomIn(server))) {
      const rows = part.map(({ id, progress }) => ({ id, progress }));
      await sql.query(statements.each, [JSON.stringify(rows)]);
    }
  };
}

function lineWriter(table: JobsTable, server: MysqlServer): WriteNotes {
  const statements = {
    last: lastLines(table),
    insert: insertLines(table),
    drop: dropLines(table),
    dropAttempts: dropAttempts(table),
  };
  return async (sql, given) => {
    const rows = given.map(({ id, attempt }) => ({ id, attempt }));
    const found = await sql.query(statements.last, [JSON.stringify(rows)]);
    const last = new Map(found.map(({ id, line }) => [id, Number(line)]));
    const now = Number((await sql.query(NOW))[0]!.now);
    const based = given.map((note) => ({ ...note, base: last.get(note.id)! + note.skipped }));
    const values = based.flatMap(({ id, attempt, base, lines }) =>
      lines.map(({ agoMs, level, entry }, index) => [
        ...[id, attempt, base + index + 1],
        ...[utcText(Math.round(now - agoMs)), level, entry],
      ]),
    );
    for (const packet of inPackets(values, server)) await sql.query(statements.insert, [packet]);
    for (const { id, attempt, base, lines, keep } of based) {
      const newest = base + lines.length;
      if (newest > keep) await sql.query(statements.drop, [id, attempt, newest - keep]);
      if (attempt > ATTEMPTS_KEPT) await sql.query(statements.dropAttempts, [id, attempt - ATTEMPTS_KEPT]);
    }
  };
}

export const progressEach = (table: string) => `
  UPDATE JSON_TABLE(?, '$[*]' COLUMNS (
    id varchar(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PATH '$.id',
    progress longtext CHARACTER SET utf8mb4 PATH '$.progress'
  )) AS noted
  STRAIGHT_JOIN ${table} AS job FORCE INDEX (PRIMARY) ON job.id = noted.id
  SET job.progress = noted.progress`;

/* The same for a server with sql_safe_updates. */
export const progressOne = (table: string) => `UPDATE ${table} SET progress = ? WHERE id = ?`;

export const lastLines = (table: JobsTable) => `
  SELECT noted.id, COALESCE((
    SELECT MAX(line) FROM ${sideTable(table, 'logs').quoted} WHERE job_id = noted.id AND attempt = noted.attempt
  ), 0) AS line
  FROM JSON_TABLE(?, '$[*]' COLUMNS (
    id varchar(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PATH '$.id',
    attempt int PATH '$.attempt'
  )) AS noted`;

export const insertLines = (table: JobsTable) => `
  INSERT INTO ${sideTable(table, 'logs').quoted} (job_id, attempt, line, logged_at, level, entry) VALUES ?`;

export const dropLines = (table: JobsTable) =>
  `DELETE FROM ${sideTable(table, 'logs').quoted} WHERE job_id = ? AND attempt = ? AND line <= ?`;

export const dropAttempts = (table: JobsTable) =>
  `DELETE FROM ${sideTable(table, 'logs').quoted} WHERE job_id = ? AND attempt <= ?`;

export const selectLogs = (table: JobsTable) => `
  SELECT attempt, line, ${millisOf('logged_at')} AS logged_at, level, entry
  FROM ${sideTable(table, 'logs').quoted}
  WHERE job_id = ? AND attempt BETWEEN ? AND ? AND (attempt > ? OR (attempt = ? AND line > ?))
  ORDER BY attempt, line LIMIT ?`;
