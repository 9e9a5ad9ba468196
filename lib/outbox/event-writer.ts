import { Batcher } from '../async/batcher.js';
import type { Startable } from '../async/loop.js';
import { ExponentialPause } from '../async/pauses.js';
import { after, endsWithin } from '../async/timers.js';
import { listenToJobs } from '../events/job-event-source.js';
import type { JobsEvents } from '../events/jobs-events.js';
import {
  encodeJobEvent,
  wants,
  wantsEvent,
  type JobEvent,
  type JobEventType,
  type WantedEvents,
} from '../job/job-event.js';
import type { EventStore, NewEvent } from '../queue/event-store.js';
import { WantedNow } from './wanted-now.js';

const ROWS_AT_ONCE = 500;
/** What waits to be written, or to be found out whether it is wanted. More is lost, and told as a lag. */
const MAX_WAITING = 10_000;
const FINAL_WRITES_MS = 3_000;
/** How soon a lag is written where nothing else is. */
const FIRST_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 10_000;

/**
 * Writes what happens in this process for listeners of all processes, where there are any. It never holds up a job: an event
 * is written after the commit, once at most, and what could not be written is told as a lag.
 */
export class EventWriter implements Startable {
  private readonly batcher = new Batcher<JobEvent>({
    count: (waiting) => Math.min(waiting.length, ROWS_AT_ONCE),
    send: (batch) => this.write(batch),
  });
  private readonly wanted: WantedNow;
  /** What happened while it was being found out what is wanted. */
  private undecided: JobEvent[] = [];
  /** How many are wanted, and not written yet. */
  private queued = 0;
  /** When events were lost of which no lag has been written yet. */
  private loss: { readonly from: Date; to: Date } | undefined;
  private readonly pause = new ExponentialPause(FIRST_PAUSE_MS, MAX_PAUSE_MS);
  /** In a row. */
  private failures = 0;
  private cancelTimer: (() => void) | undefined;
  private end: (() => void) | undefined;

  constructor(
    private readonly store: EventStore,
    private readonly events: JobsEvents,
  ) {
    this.wanted = new WantedNow(store, () => this.decide());
  }

  start(): void {
    this.end ??= listenToJobs(this.events, {
      scope: 'all',
      wants: (type, kind) => this.mayBeWanted(type, kind),
      hear: (event) => this.happened(event),
    });
  }

  /** Waits a moment for what is not written yet. */
  async stop(): Promise<void> {
    this.end?.();
    this.end = undefined;
    await endsWithin(
      this.wanted.known().then(() => this.batcher.idle()),
      FINAL_WRITES_MS,
    );
    this.cancelTimer?.();
    this.cancelTimer = undefined;
    this.batcher.clear();
  }

  /** While this is being found out, everything may be. */
  private mayBeWanted(type: JobEventType, kind: string): boolean {
    const wanted = this.wanted.get();
    if (wanted?.length === 0) return false; // the most frequent answer by far
    return wanted === undefined || isWanted(wanted, type, kind);
  }

  private happened(event: JobEvent): void {
    if (this.undecided.length + this.queued >= MAX_WAITING) this.lost(event);
    else if (this.wanted.get() === undefined) this.undecided.push(event);
    else this.add(event);
  }

  private decide(): void {
    const undecided = this.undecided;
    this.undecided = [];
    const wanted = this.wanted.latest;
    for (const event of undecided) if (wanted.some((some) => wantsEvent(some, event))) this.add(event);
  }

  private add(event: JobEvent): void {
    this.queued += 1;
    this.batcher.add(event);
  }

  private async write(batch: readonly JobEvent[]): Promise<void> {
    const all = [...this.takeLag(), ...batch];
    try {
      await this.store.write(all.map(encode));
      this.failures = 0;
      this.pause.reset();
    } catch (error) {
      this.failures += 1;
      this.lost(all[0]!);
      this.events.emit('eventsLost', { error, failures: this.failures });
    }
    this.queued -= batch.length;
  }

  /** @param first the first event that is lost; all are up to now */
  private lost(first: JobEvent): void {
    this.loss ??= { from: first.type === 'lag' ? first.from : first.at, to: first.at };
    this.loss.to = new Date();
    this.cancelTimer ??= after(this.pause.next(), () => this.tellLag());
  }

  private tellLag(): void {
    this.cancelTimer = undefined;
    for (const lag of this.takeLag()) this.add(lag);
  }

  private takeLag(): JobEvent[] {
    const { loss } = this;
    this.loss = undefined;
    return loss === undefined ? [] : [{ type: 'lag', at: loss.to, ...loss }];
  }
}

function encode(event: JobEvent): NewEvent {
  return { type: event.type, kind: event.type === 'lag' ? '' : event.kind, event: encodeJobEvent(event) };
}

function isWanted(wanted: readonly WantedEvents[], type: JobEventType, kind: string): boolean {
  return wanted.some((some) => wants(some, type, kind));
}
