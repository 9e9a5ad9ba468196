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
    listen: listen(listeners),
    position: position(table),
    unlisten: `DELETE FROM ${listeners} WHERE id = ?`,
    wanted: wanted(listeners),
    read: read(table),
    dead: deleteDead(listeners),
    old: oldest(table),
    prune: deleteEvents(table),
  };
  return {
    listen: async (sql, id, wants) => {
      const [position] = await sql.query(statements.position, []); // first, or it passes over what it makes others write
      await sql.query(statements.listen, [id, wants]);
      return decodePosition(position);
    },
    unlisten: (sql, id) => sql.query(statements.unlisten, [id]),
    wanted: async (sql) => (await sql.query(statements.wanted, [])).map(decodeWanted),
    write: (sql, told) =>
      sql.query(
        write(table, told.length),
        told.flatMap(({ type, kind, event }) => [type, kind, event]),
      ),
    read: async (sql, after, limit) => decodePage(await sql.query(statements.read, [after, limit])),
    prune: async (sql, olderThanMs) => {
      await sql.query(statements.dead, [olderThanMs * 1000]);
      const [row] = await sql.query(statements.old, [olderThanMs * 1000]);
      const count = Number(row!.count);
      if (count > 0) await sql.query(statements.prune, [row!.last]);
      return count;
    },
  };
}

const MILLIS = (instant: string) => `TIMESTAMPDIFF(MICROSECOND, '1970-01-01', ${instant}) / 1000`;

const listen = (listeners: string) => `
  INSERT INTO ${listeners} (id, wanted, seen_at) VALUES (?, ?, UTC_TIMESTAMP(6))
  ON DUPLICATE KEY UPDATE wanted = VALUES(wanted), seen_at = VALUES(seen_at)`;

const position = (events: string) =>
  `SELECT MAX(seq) AS seq, ${MILLIS('UTC_TIMESTAMP(6)')} AS now FROM ${events}`;

const wanted = (listeners: string) => `
  SELECT wanted FROM ${listeners} WHERE seen_at > UTC_TIMESTAMP(6) - INTERVAL ${LISTENER_LIVES_MS * 1000} MICROSECOND`;

const write = (events: string, count: number) => `
  INSERT INTO ${events} (happened_at, type, kind, event)
  VALUES ${Array.from({ length: count }, () => '(UTC_TIMESTAMP(6), ?, ?, ?)').join(', ')}`;

const read = (events: string) => `
  SELECT told.seq, ${MILLIS('told.happened_at')} AS at, told.event, ${MILLIS('UTC_TIMESTAMP(6)')} AS now
  FROM (SELECT 1 AS one) AS one
  LEFT JOIN (
    SELECT seq, happened_at, event FROM ${events} WHERE seq > ? ORDER BY seq LIMIT ?
  ) AS told ON TRUE
  ORDER BY told.seq`;

const deleteDead = (listeners: string) =>
  `DELETE FROM ${listeners} WHERE seen_at < UTC_TIMESTAMP(6) - INTERVAL ? MICROSECOND`;

/* The oldest rows have the lowest numbers. They are read without locks first: a DELETE by time would lock what it passes. */
const oldest = (events: string) => `
  SELECT COUNT(*) AS count, MAX(seq) AS last
  FROM (SELECT seq, happened_at FROM ${events} ORDER BY seq LIMIT ${EVENTS_PRUNED_AT_ONCE}) AS first
  WHERE happened_at < UTC_TIMESTAMP(6) - INTERVAL ? MICROSECOND`;

const deleteEvents = (events: string) => `DELETE FROM ${events} WHERE seq <= ?`;
