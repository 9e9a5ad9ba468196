import type { WantedEvents } from '../../job/job-event.js';
import { EventStore, type EventPage, type EventPosition, type NewEvent } from '../../queue/event-store.js';
import type { Connections } from '../sql/connections.js';
import type { EventsDialect } from '../sql/events-dialect.js';
import type { QueueParts } from './queue-parts.js';

/** Events and their listeners in a database. */
export class SqlEvents extends EventStore {
  /** @param parts asked each time: a queue has others when it has looked at the database */
  constructor(
    private readonly connections: Connections,
    private readonly parts: () => Pick<QueueParts, 'dialect' | 'wakeUps'>,
  ) {
    super();
  }

  listen(id: string, wanted: WantedEvents): Promise<EventPosition> {
    return this.connections.run((sql) => this.dialect.listen(sql, id, JSON.stringify(wanted)));
  }

  async unlisten(id: string): Promise<void> {
    await this.connections.run((sql) => this.dialect.unlisten(sql, id));
  }

  wanted(): Promise<(WantedEvents | null)[]> {
    return this.connections.run((sql) => this.dialect.wanted(sql));
  }

  async write(events: readonly NewEvent[]): Promise<void> {
    if (events.length === 0) return;
    await this.connections.run((sql) => this.dialect.write(sql, events));
    this.parts().wakeUps.eventsWritten();
  }

  read(after: number, limit: number): Promise<EventPage> {
    return this.connections.run((sql) => this.dialect.read(sql, after, limit));
  }

  prune(olderThanMs: number): Promise<number> {
    return this.connections.run((sql) => this.dialect.prune(sql, olderThanMs));
  }

  watch(listener: () => void): () => void {
    return this.parts().wakeUps.watchEvents(listener);
  }

  private get dialect(): EventsDialect {
    return this.parts().dialect.events;
  }
}
