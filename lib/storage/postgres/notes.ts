import { ATTEMPTS_KEPT } from '../../job/job-attempt.js';
import type { AttemptNote } from '../../queue/note-store.js';
import type { JobsTable } from '../sql/dialect.js';
import type { NotesDialect } from '../sql/notes-dialect.js';
import { decodeLease, decodeLogLine } from '../sql/row.js';
import { sideTable } from '../sql/side-tables.js';
import { numberArray, textArray } from './arrays.js';
import { asciiText } from './ascii.js';
import { bindLeases, workersOf } from './parameters.js';

/** @param isUnicode whether the encoding of the database has every character */
export function notes(table: JobsTable, isUnicode: boolean): NotesDialect {
  const statements = { write: writeNotes(table), logs: selectLogs(table) };
  return {
    write: async (sql, given) =>
      (await sql.query(statements.write, bindNotes(isUnicode ? given : given.map(asciiNote)))).map(
        decodeLease,
      ),
    logs: async (sql, id, { fromAttempt, toAttempt, after, limit }) => {
      const parameters = [id, fromAttempt, toAttempt, after.attempt, after.line, limit];
      return (await sql.query(statements.logs, parameters)).map(decodeLogLine);
    },
  };
}

function bindNotes(given: readonly AttemptNote[]): unknown[] {
  const lines = given.flatMap((note, index) =>
    note.lines.map((line, place) => ({ ...line, note: index + 1, place: place + 1 })),
  );
  return [
    ...bindLeases(given),
    textArray(given.map(({ progress }) => progress)),
    ...[
      given.map(({ attempt }) => attempt),
      given.map(({ skipped }) => skipped),
      given.map(({ keep }) => keep),
    ].map(numberArray),
    workersOf(given),
    ...[lines.map(({ note }) => note), lines.map(({ place }) => place), lines.map(({ agoMs }) => agoMs)].map(
      numberArray,
    ),
    textArray(lines.map(({ level }) => level)),
    textArray(lines.map(({ entry }) => entry)),
  ];
}

function asciiNote(note: AttemptNote): AttemptNote {
  const lines = note.lines.map((line) => ({ ...line, entry: asciiText(line.entry) }));
  return { ...note, progress: asciiText(note.progress), lines };
}

/* Lines beyond what is kept, and those of old attempts. */
const deleteOld = (logs: string) => `
    DELETE FROM ${logs} WHERE ctid = ANY (ARRAY(
      SELECT old.row_id
      FROM (SELECT * FROM based WHERE base + count > keep) AS based CROSS JOIN LATERAL (
        SELECT ctid AS row_id FROM ${logs}
        WHERE job_id = based.id AND attempt = based.attempt AND line <= based.base + based.count - based.keep
        OFFSET 0
      ) AS old
      UNION ALL
      SELECT old.row_id
      FROM (SELECT * FROM based WHERE attempt > ${ATTEMPTS_KEPT}) AS based CROSS JOIN LATERAL (
        SELECT ctid AS row_id FROM ${logs} WHERE job_id = based.id AND attempt <= based.attempt - ${ATTEMPTS_KEPT}
        OFFSET 0
      ) AS old
    ))`;

/*
 * "based" has the jobs with new lines, and the number that those are counted from. What is to go is looked up job by job,
 * and only where there is something: for a plain join the planner might read the table as a whole.
 */
export const writeNotes = (table: JobsTable) => {
  const logs = sideTable(table, 'logs').quoted;
  return `
  WITH sent AS MATERIALIZED (
    SELECT $1::varchar[] AS ids, $2::int4[] AS lease_tokens, $3::json[] AS progresses, $4::int4[] AS attempts,
      $5::int4[] AS skips, $6::int4[] AS keeps, $8::int4[] AS notes, $9::int4[] AS places, $10::float8[] AS agos_ms,
      $11::varchar[] AS levels, $12::text[] AS entries
  ), held AS MATERIALIZED (
    SELECT given.*
    FROM sent, unnest(sent.ids, sent.lease_tokens, sent.progresses, sent.attempts, sent.skips, sent.keeps) WITH ORDINALITY
      AS given(id, lease_token, progress, attempt, skipped, keep, note)
    CROSS JOIN LATERAL (
      SELECT id FROM ${table.quoted}
      WHERE id = given.id AND lease_token = given.lease_token AND status = 'PENDING' AND locked_by = ANY ($7::varchar[])
      FOR UPDATE SKIP LOCKED
    ) AS job
  ), progressed AS (
    UPDATE ${table.quoted} AS job SET progress = held.progress
    FROM held
    WHERE job.id = held.id AND held.progress IS NOT NULL
  ), lines AS MATERIALIZED (
    SELECT line.*
    FROM sent, unnest(sent.notes, sent.places, sent.agos_ms, sent.levels, sent.entries) AS line(note, place, ago_ms, level, entry)
  ), based AS MATERIALIZED (
    SELECT held.id, held.attempt, held.note, held.keep, added.count, held.skipped + coalesce((
      SELECT line FROM ${logs} WHERE job_id = held.id AND attempt = held.attempt ORDER BY line DESC LIMIT 1
    ), 0) AS base
    FROM held JOIN (SELECT note, count(*)::int4 AS count FROM lines GROUP BY note) AS added ON added.note = held.note
  ), logged AS (
    INSERT INTO ${logs} (job_id, attempt, line, logged_at, level, entry)
    SELECT based.id, based.attempt, based.base + lines.place, statement_timestamp() - lines.ago_ms * interval '1 millisecond',
      lines.level, lines.entry
    FROM lines JOIN based ON based.note = lines.note
  ), dropped AS (${deleteOld(logs)}
  )
  SELECT id, lease_token FROM held`;
};

/* The comment keeps pgpool from asking a standby, which may be behind. */
export const selectLogs = (table: JobsTable) => `/*NO LOAD BALANCE*/
  SELECT attempt, line, date_part('epoch', logged_at) * 1000 AS logged_at, level, entry
  FROM ${sideTable(table, 'logs').quoted}
  WHERE job_id = $1 AND attempt BETWEEN $2 AND $3 AND (attempt, line) > ($4, $5)
  ORDER BY attempt, line LIMIT $6`;
