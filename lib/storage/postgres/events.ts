import { LISTENER_LIVES_MS } from '../../queue/event-store.js';
import type { JobsTable } from '../sql/dialect.js';
import {
  decodePage,
  decodePosition,
  decodeWanted,
  EVENTS_PRUNED_AT_ONCE,
  type EventsDialect,
} from '../sql/events-dialect.js';
import { sideTable } from '../sql/side-tables.js';
import { textArray } from './arrays.js';

export function events(jobs: JobsTable): EventsDialect {
  const table = sideTable(jobs, 'events').quoted;
  const listeners = sideTable(jobs, 'listeners').quoted;
  const statements = {
    listen: listen(table, listeners),
    unlisten: `DELETE FROM ${listeners} WHERE id = $1`,
    wanted: wanted(listeners),
    write: write(table),
    read: read(table),
    prune: prune(table, listeners),
  };
  return {
    listen: async (sql, id, wants) => decodePosition((await sql.query(statements.listen, [id, wants]))[0]),
    unlisten: (sql, id) => sql.query(statements.unlisten, [id]),
    wanted: async (sql) => (await sql.query(statements.wanted, [])).map(decodeWanted),
    write: (sql, told) =>
      sql.query(statements.write, [
        ...[textArray(told.map(({ type }) => type)), textArray(told.map(({ kind }) => kind))],
        textArray(told.map(({ event }) => event)),
      ]),
    read: async (sql, after, limit) => decodePage(await sql.query(statements.read, [after, limit])),
    prune: async (sql, olderThanMs) => Number((await sql.query(statements.prune, [olderThanMs]))[0]!.deleted),
  };
}

const MILLIS = (instant: string) => `date_part('epoch', ${instant}) * 1000`;

/* The position is that of the moment in which the statement began. What is stored later has a higher number. */
const listen = (events: string, listeners: string) => `
  WITH registered AS (
    INSERT INTO ${listeners} AS listener (id, wanted, seen_at) VALUES ($1, $2::json, now())
    ON CONFLICT (id) DO UPDATE SET wanted = excluded.wanted, seen_at = excluded.seen_at
  )
  SELECT (SELECT max(seq) FROM ${events}) AS seq, ${MILLIS('now()')} AS now`;

/* The comment keeps pgpool from asking a standby, which may be behind; so do those below. */
const wanted = (listeners: string) => `/*NO LOAD BALANCE*/
  SELECT wanted::text AS wanted FROM ${listeners}
  WHERE seen_at > now() - interval '${LISTENER_LIVES_MS} milliseconds'`;

const write = (events: string) => `
  INSERT INTO ${events} (type, kind, event)
  SELECT type, kind, event::json
  FROM unnest($1::varchar[], $2::varchar[], $3::text[]) WITH ORDINALITY AS told(type, kind, event, place)
  ORDER BY place`;

const read = (events: string) => `/*NO LOAD BALANCE*/
  SELECT told.seq, ${MILLIS('told.happened_at')} AS at, told.event::text AS event, ${MILLIS('now()')} AS now
  FROM (SELECT 1) AS one
  LEFT JOIN (
    SELECT seq, happened_at, event FROM ${events} WHERE seq > $1 ORDER BY seq LIMIT $2
  ) AS told ON true
  ORDER BY told.seq`;

/* The oldest rows have the lowest numbers. */
const prune = (events: string, listeners: string) => `
  WITH dead AS (
    DELETE FROM ${listeners} WHERE seen_at < now() - $1::float8 * interval '1 millisecond'
  ), old AS (
    SELECT ctid AS row_id FROM (SELECT ctid, happened_at FROM ${events} ORDER BY seq LIMIT ${EVENTS_PRUNED_AT_ONCE}) AS oldest
    WHERE happened_at < now() - $1::float8 * interval '1 millisecond'
  ), gone AS (
    DELETE FROM ${events} WHERE ctid = ANY (ARRAY(SELECT row_id FROM old)) RETURNING seq
  )
  SELECT count(*) AS deleted FROM gone`;
