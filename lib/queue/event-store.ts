import type { WantedEvents } from '../job/job-event.js';

/** An event that is to be stored. */
export interface NewEvent {
  readonly type: string;
  /** Empty for an event of no kind. */
  readonly kind: string;
  /** JSON. */
  readonly event: string;
}

export interface StoredEvent {
  /** Rises from one event to the next. Numbers may be left out, and events may become visible out of this order. */
  readonly seq: number;
  /** When it was stored, by the storage's clock, in milliseconds since 1970. */
  readonly atMs: number;
  readonly event: string;
}

/** What a listener learns when it registers. */
export interface EventPosition {
  /** The last event that has been stored, or 0. */
  readonly seq: number;
  /** The storage's clock, in milliseconds since 1970. */
  readonly nowMs: number;
}

export interface EventPage {
  /** In their order. */
  readonly events: readonly StoredEvent[];
  readonly nowMs: number;
}

/** A listener that has not registered again for so long is taken for dead. */
export const LISTENER_LIVES_MS = 60_000;

/**
 * Events that wait to be read by listeners of all processes. Whoever writes events asks what is wanted, and writes nothing
 * else. Every implementation passes test/contract/events.contract.ts.
 */
export abstract class EventStore {
  /** Registers a listener, or registers it again. @returns where it stands: it reads on from there */
  abstract listen(id: string, wanted: WantedEvents): Promise<EventPosition>;

  abstract unlisten(id: string): Promise<void>;

  /** What the listeners want that have registered within the last minute; null stands for one whose entry cannot be read. */
  abstract wanted(): Promise<(WantedEvents | null)[]>;

  /** Stores all of them, or none. */
  abstract write(events: readonly NewEvent[]): Promise<void>;

  /** The first events after a number. @param limit how many at most */
  abstract read(after: number, limit: number): Promise<EventPage>;

  /**
   * Calls the listener when events may have been written, by this process or, where the storage can tell it, by another one.
   * This is a hint, and may be missed. @returns a function that ends it
   */
  abstract watch(listener: () => void): () => void;

  /**
   * Deletes events that are older, up to 1,000 of them, and listeners that have not registered for that time.
   *
   * @returns how many events there were
   */
  abstract prune(olderThanMs: number): Promise<number>;
}
