import type { DiscoveryService } from '@nestjs/core';
import type { Subscription } from 'rxjs';
import type { Startable } from '../async/loop.js';
import { onRejection } from '../async/rejections.js';
import { requireEventFilter, type JobEventFilter } from '../client/event-arguments.js';
import type { JobEvents } from '../client/job-events.js';
import type { JobsEvents } from '../events/jobs-events.js';
import { InvalidHandlerError } from '../job/application-errors.js';
import { InvalidJobError } from '../job/errors.js';
import type { JobEvent } from '../job/job-event.js';
import { isObject } from '../job/option-checks.js';
import { DECORATED_LISTENERS, type DecoratedListener } from './decorated-listeners.js';
import { nameOfDecorated, type DecoratedMethod } from './decorated-methods.js';
import { listenerMarksOf, type ListenerMark } from './jobs.metadata.js';
import { DEFAULT_NAME } from './jobs.tokens.js';
import { requireModule } from './module-checks.js';

/** What calls a method that hears of events. */
interface Listener {
  readonly declaredAt: string;
  readonly filter: JobEventFilter;
  readonly call: (event: JobEvent) => unknown;
}

/** A provider, and the method of it that may have `@OnJobEvent`. */
export interface ListeningMethod {
  /** The method itself, with its marks. */
  readonly method: object;
  /** `Mails.tellSupport in MailModule` */
  readonly declaredAt: string;
  /** Whether there is one instance for the life of the application. */
  readonly isShared: boolean;
  readonly call: (event: JobEvent) => unknown;
}

/** The methods with `@OnJobEvent` of one module, and their subscriptions while the application runs. */
export class EventListeners implements Startable {
  private readonly listeners: Listener[] = [];
  private subscriptions: Subscription[] = [];

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly events: JobsEvents,
    /** The name of the module. */
    private readonly name: string,
  ) {}

  /** What the listeners hear of. Set before `start`. */
  source: JobEvents | undefined;

  /** @throws InvalidJobError, InvalidHandlerError, InvalidOptionError */
  add({ method, declaredAt, isShared, call }: ListeningMethod): void {
    for (const mark of listenerMarksOf(method)) {
      const { queue = DEFAULT_NAME } = mark.options;
      if (queue !== this.name) {
        requireModule(this.discovery, queue, declaredAt);
        continue;
      }
      if (!isShared)
        throw new InvalidHandlerError(
          declaredAt,
          'has an instance for each request, and an event belongs to none. Move it to a provider with the default scope',
          '@OnJobEvent',
        );
      this.listeners.push({ declaredAt, filter: filterOf(mark, declaredAt), call });
    }
  }

  /**
   * Tells of methods with `@OnJobEvent` that are never called.
   * @param isProvided whether a provider brings a class or one that extends it
   */
  warn(isProvided: (prototype: object) => boolean): void {
    // Wrong options are refused where a provider brings them. Here they only must do no harm.
    const isOwn = ({ options }: DecoratedListener) =>
      (isObject(options) ? (options.queue ?? DEFAULT_NAME) : DEFAULT_NAME) === this.name;
    const { notProvided, replaced } = DECORATED_LISTENERS.unfound(isOwn, isProvided);
    const tell = (
      event: 'listenersNotProvided' | 'listenersReplaced',
      methods: readonly DecoratedMethod[],
    ) => {
      if (methods.length > 0) this.events.emit(event, { listeners: methods.map(nameOfDecorated) });
    };
    tell('listenersNotProvided', notProvided);
    tell('listenersReplaced', replaced);
  }

  start(): void {
    if (this.subscriptions.length > 0 || this.source === undefined) return;
    this.subscriptions = this.listeners.map((listener) =>
      this.source!.of(listener.filter).subscribe((event) => this.tell(listener, event)),
    );
  }

  stop(): Promise<void> {
    for (const subscription of this.subscriptions) subscription.unsubscribe();
    this.subscriptions = [];
    return Promise.resolve();
  }

  private tell({ declaredAt, call }: Listener, event: JobEvent): void {
    const { type } = event;
    const failed = (error: unknown) =>
      this.events.emit('jobListenerFailed', { listener: declaredAt, type, error });
    try {
      onRejection(call(event), failed);
    } catch (error) {
      failed(error);
    }
  }
}

/** @throws InvalidJobError */
function filterOf({ types, options }: ListenerMark, declaredAt: string): JobEventFilter {
  const { queue: _queue, ...rest } = options;
  const filter: JobEventFilter = { ...rest, types: typeof types === 'string' ? [types] : types };
  try {
    requireEventFilter(filter);
    return filter;
  } catch (cause) {
    if (!(cause instanceof InvalidJobError)) throw cause;
    throw new InvalidJobError(`${declaredAt}: ${cause.path}`, cause.problem, { cause });
  }
}
