import type { WantedEvents } from '../../job/job-event.js';
import type { EventPage, EventPosition, NewEvent } from '../../queue/event-store.js';
import type { Row, Sql } from './sql.js';

/** Statements about events and their listeners; see the methods of `EventStore`. */
export interface EventsDialect {
  /** @param wanted JSON */
  listen(sql: Sql, id: string, wanted: string): Promise<EventPosition>;
  unlisten(sql: Sql, id: string): Promise<unknown>;
  wanted(sql: Sql): Promise<(WantedEvents | null)[]>;
  write(sql: Sql, events: readonly NewEvent[]): Promise<unknown>;
  read(sql: Sql, after: number, limit: number): Promise<EventPage>;
  prune(sql: Sql, olderThanMs: number): Promise<number>;
}

/** How many events one statement deletes. */
export const EVENTS_PRUNED_AT_ONCE = 1_000;

/** From the columns `seq` and `now`. */
export function decodePosition(row: Row | undefined): EventPosition {
  return { seq: Number(row!.seq ?? 0), nowMs: Number(row!.now) };
}

/** From the column `wanted`. What cannot be read may want anything. */
export function decodeWanted({ wanted }: Row): WantedEvents | null {
  try {
    const { kinds, types } = JSON.parse(wanted as string) as WantedEvents;
    const areLists = [kinds, types].every((list) => list === null || Array.isArray(list));
    return areLists ? { kinds, types } : null;
  } catch {
    return null;
  }
}

/** From a row for each event, and one without an event where there is none; all tell the time in `now`. */
export function decodePage(rows: readonly Row[]): EventPage {
  const events = rows
    .filter(({ seq }) => seq !== null)
    .map(({ seq, at, event }) => ({ seq: Number(seq), atMs: Number(at), event: event as string }));
  return { events, nowMs: Number(rows[0]!.now) };
}
