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

export function events(jobs: JobsTable): EventsDialect {
  const table = sideTable(jobs, 'events').quoted;
  const listeners = sideTable(jobs, 'listeners').quoted;
  const statements = {
    listen: listen(table, listeners),
    unlisten: `DELETE FROM ${listeners} WHERE id = ?`,
    wanted: wanted(listeners),
    write: write(table),
    read: read(table),
    dead: deleteDead(listeners),
    prune: deleteOld(table),
  };
  return {
    listen: async (sql, id, wants) => decodePosition((await sql.query(statements.listen, [id, wants]))[0]),
    unlisten: (sql, id) => sql.query(statements.unlisten, [id]),
    wanted: async (sql) => (await sql.query(statements.wanted, [])).map(decodeWanted),
    write: (sql, told) => sql.query(statements.write, [JSON.stringify(told)]),
    read: async (sql, after, limit) => decodePage(await sql.query(statements.read, [after, limit])),
    prune: async (sql, olderThanMs) => {
      await sql.query(statements.dead, [olderThanMs / 1000]);
      return (await sql.query(statements.prune, [olderThanMs / 1000])).length;
    },
  };
}

const NOW = `strftime('%Y-%m-%d %H:%M:%f', 'now')`;
const AGO = `strftime('%Y-%m-%d %H:%M:%f', 'now', -? || ' seconds')`;

const listen = (events: string, listeners: string) => `
  INSERT INTO ${listeners} (id, wanted, seen_at) VALUES (?, ?, ${NOW})
  ON CONFLICT (id) DO UPDATE SET wanted = excluded.wanted, seen_at = excluded.seen_at
  RETURNING (SELECT max(seq) FROM ${events}) AS seq, unixepoch('now', 'subsec') * 1000 AS now`;

const wanted = (listeners: string) => `
  SELECT wanted FROM ${listeners}
  WHERE seen_at > strftime('%Y-%m-%d %H:%M:%f', 'now', '-${LISTENER_LIVES_MS / 1000} seconds')`;

const write = (events: string) => `
  INSERT INTO ${events} (happened_at, type, kind, event)
  SELECT ${NOW}, value ->> 'type', value ->> 'kind', value ->> 'event' FROM json_each(?) ORDER BY key`;

const read = (events: string) => `
  SELECT told.seq, unixepoch(told.happened_at, 'subsec') * 1000 AS at, told.event, unixepoch('now', 'subsec') * 1000 AS now
  FROM (SELECT 1) AS one
  LEFT JOIN (SELECT seq, happened_at, event FROM ${events} WHERE seq > ? ORDER BY seq LIMIT ?) AS told ON TRUE
  ORDER BY told.seq`;

const deleteDead = (listeners: string) => `DELETE FROM ${listeners} WHERE seen_at < ${AGO}`;

/* The oldest rows have the lowest numbers. */
const deleteOld = (events: string) => `
  DELETE FROM ${events} WHERE seq IN (
    SELECT seq FROM (SELECT seq, happened_at FROM ${events} ORDER BY seq LIMIT ${EVENTS_PRUNED_AT_ONCE})
    WHERE happened_at < ${AGO}
  )
  RETURNING seq`;
