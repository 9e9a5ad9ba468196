import { randomUUID } from 'node:crypto';
import { Observable, Subject } from 'rxjs';
import { inOwnContext } from '../async/own-context.js';
import { listenToJobs } from '../events/job-event-source.js';
import type { JobsEvents } from '../events/jobs-events.js';
import {
  wants,
  wantsEvent,
  type JobEvent,
  type JobEventOf,
  type JobEventType,
  type WantedEvents,
} from '../job/job-event.js';
import { EventReader } from '../outbox/event-reader.js';
import type { EventStore } from '../queue/event-store.js';
import { requireEventFilter, type JobEventFilter, type ResolvedEventFilter } from './event-arguments.js';

/**
 * Tells what happens to jobs. Inject it by its type, or with `@InjectJobEvents(name)`.
 *
 * An event is told after the commit, and at most once: one that is written when its process dies is lost. Where something
 * must follow on a job for certain, enqueue another job in the handler.
 */
export class JobEvents {
  /** Those who listen to all processes. */
  private readonly listeners = new Set<Listener>();
  private reader: EventReader | undefined;
  private readersEnded: Promise<unknown> = Promise.resolve();
  private readonly closed = new Subject<void>();
  private isClosed = false;

  constructor(
    private readonly events: JobsEvents,
    private readonly store: EventStore,
    private readonly settings: JobEventsSettings = {},
  ) {}

  /**
   * The events from the subscription on, until the application closes.
   *
   * With `scope: 'all'` they come within a second, on PostgreSQL within some tens of milliseconds; those of other processes
   * from five seconds after the subscription on. Events of the last minutes are kept for a listener that is cut off; where
   * some may be missing, a `lag` says so.
   *
   * ```ts
   * events.of({ kinds: ['invoice.mail'], types: ['failed'] }).subscribe(({ jobId, error }) => …);
   * ```
   *
   * @throws InvalidJobError
   */
  of<Type extends JobEventType>(filter: JobEventFilter<Type> = {}): Observable<JobEventOf<Type | 'lag'>> {
    const resolved = requireEventFilter(filter);
    return new Observable<JobEvent>((subscriber) => {
      const end = this.listen(resolved, (event) => subscriber.next(event));
      const closing = this.closed.subscribe(() => subscriber.complete());
      if (this.isClosed) subscriber.complete();
      return () => {
        closing.unsubscribe();
        end();
      };
    }) as Observable<JobEventOf<Type | 'lag'>>;
  }

  /** Ends all subscriptions. */
  async close(): Promise<void> {
    this.isClosed = true;
    this.closed.next();
    this.stopReading();
    await this.readersEnded;
  }

  /** @returns a function that ends it */
  private listen(filter: ResolvedEventFilter, hear: (event: JobEvent) => void): () => void {
    // What a listener does must not land in the request, or in the transaction, of the one who caused the event.
    const told = (event: JobEvent) => inOwnContext('JobEvents', () => hear(event));
    if (filter.scope === 'process') {
      const isWanted = (type: JobEventType, kind: string) => wants(filter, type, kind);
      return listenToJobs(this.events, { scope: 'process', wants: isWanted, hear: told });
    }
    const listener: Listener = { ...filter, hear: told };
    this.listeners.add(listener);
    if (!this.isClosed) this.read();
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size === 0) this.stopReading();
    };
  }

  private read(): void {
    if (this.reader !== undefined) return;
    const wanted = () => unionOf([...this.listeners]);
    const hear = (event: JobEvent) => this.hear(event);
    const { lookEveryMs } = this.settings;
    this.reader = new EventReader(this.store, randomUUID(), wanted, hear, this.events, lookEveryMs);
    this.reader.start();
  }

  private stopReading(): void {
    this.readersEnded = Promise.all([this.readersEnded, this.reader?.stop()]);
    this.reader = undefined;
  }

  private hear(event: JobEvent): void {
    for (const listener of [...this.listeners]) if (wantsEvent(listener, event)) listener.hear(event);
  }
}

export interface JobEventsSettings {
  /** How long to wait for a hint of the storage before it is read. Default: half a second. */
  readonly lookEveryMs?: number;
}

interface Listener extends WantedEvents {
  readonly hear: (event: JobEvent) => void;
}

/** What any of them wants. */
function unionOf(listeners: readonly WantedEvents[]): WantedEvents {
  return { kinds: all(listeners.map(({ kinds }) => kinds)), types: all(listeners.map(({ types }) => types)) };
}

function all<T>(lists: readonly (readonly T[] | null)[]): readonly T[] | null {
  return lists.includes(null) ? null : [...new Set(lists.flatMap((list) => list ?? []))].toSorted();
}
