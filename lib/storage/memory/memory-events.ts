import type { WantedEvents } from '../../job/job-event.js';
import {
  EventStore,
  type EventPage,
  type EventPosition,
  type NewEvent,
  type StoredEvent,
} from '../../queue/event-store.js';
import { EVENTS_PRUNED_AT_ONCE } from '../sql/events-dialect.js';

/* eslint-disable @typescript-eslint/require-await -- the contract is asynchronous, a list is not */

/**
 * Events and their listeners of a queue in memory. Listeners live in this very process, so none is ever taken for dead: a
 * test may move the clock of its queue by a day.
 */
export class MemoryEvents extends EventStore {
  private readonly listeners = new Map<string, WantedEvents>();
  private readonly watchers = new Set<() => void>();
  private events: StoredEvent[] = [];
  private seq = 0;

  /** @param now the queue's clock */
  constructor(private readonly now: () => number) {
    super();
  }

  async listen(id: string, wanted: WantedEvents): Promise<EventPosition> {
    this.listeners.set(id, structuredClone(wanted));
    return { seq: this.seq, nowMs: Date.now() };
  }

  async unlisten(id: string): Promise<void> {
    this.listeners.delete(id);
  }

  async wanted(): Promise<WantedEvents[]> {
    return [...this.listeners.values()];
  }

  async write(events: readonly NewEvent[]): Promise<void> {
    for (const { event } of events) this.events.push({ seq: ++this.seq, atMs: this.now(), event });
    if (events.length > 0) for (const watcher of this.watchers) watcher();
  }

  async read(after: number, limit: number): Promise<EventPage> {
    const events = this.events.filter(({ seq }) => seq > after).slice(0, limit);
    return { events, nowMs: Date.now() };
  }

  watch(listener: () => void): () => void {
    const own = () => listener();
    this.watchers.add(own);
    return () => void this.watchers.delete(own);
  }

  async prune(olderThanMs: number): Promise<number> {
    const until = this.now() - olderThanMs;
    const old = this.events.slice(0, EVENTS_PRUNED_AT_ONCE).filter(({ atMs }) => atMs < until);
    this.events = this.events.slice(old.length);
    return old.length;
  }
}
