import { after } from '../../async/timers.js';
import type { EncodedJob } from '../../job/encode-job.js';
import type { StopListener } from '../../queue/job-editor.js';
import type { WakeListener } from '../../queue/job-queue.js';
import type { Notifier } from '../sql/notifier.js';

interface Awaited {
  readonly kind: string;
  readonly since: number;
}

/** Stands among the kinds of a notification where schedules have changed. No kind begins with a blank: kinds are trimmed. */
const SCHEDULES = ' schedules';
/** Stands there where controls have changed. */
const CONTROLS = ' controls';
/** Stands there where events have been written. */
const EVENTS = ' events';
/** Stands before the id of a job that is asked to end. */
const STOP = ' stop ';

/** How long a worker of this process may take to claim a job before others hear of it. */
const AWAIT_MS = 10;

/**
 * Wakes workers for jobs that have been committed here: those of this process at once, others through the notifier. If an
 * idle worker of this process is about to claim a job that came alone, others hear of it only if it does not do so soon: a
 * notification takes a third of the work of an insert, and would delay the start of the job.
 */
export class WakeUps {
  private readonly listeners = new Set<WakeListener>();
  private readonly scheduleListeners = new Set<() => void>();
  private readonly controlListeners = new Set<() => void>();
  private readonly stopListeners = new Set<StopListener>();
  private readonly eventListeners = new Set<() => void>();
  /** By id, the oldest first. */
  private readonly awaited = new Map<string, Awaited>();
  private cancelTimer: (() => void) | undefined;

  constructor(private readonly notifier: Notifier) {}

  watch(listener: WakeListener): () => void {
    this.listeners.add(listener);
    this.hearOthers();
    return () => {
      this.listeners.delete(listener);
      this.hearOthersIfWanted();
    };
  }

  /** Hears of other processes as `watch` does, and over the same connection. */
  watchEvents(listener: () => void): () => void {
    const own = () => listener();
    this.eventListeners.add(own);
    this.hearOthers();
    return () => {
      this.eventListeners.delete(own);
      this.hearOthersIfWanted();
    };
  }

  /** Events have been written by this process. Only where somebody listens for events is any written. */
  eventsWritten(): void {
    this.tellOfEvents();
    this.notifier.hint(EVENTS);
  }

  /** Hears of other processes only while something of this one listens for jobs or events. */
  watchSchedules(listener: () => void): () => void {
    this.scheduleListeners.add(listener);
    return () => void this.scheduleListeners.delete(listener);
  }

  /** Schedules have been written by this process. */
  schedulesChanged(): void {
    this.tellOfSchedules();
    this.notifier.notify([SCHEDULES]);
  }

  /** Whether it hears of other processes at this moment, as far as is known. */
  get isListening(): boolean {
    return this.notifier.isListening;
  }

  /** Hears of other processes only while something of this one listens for jobs or events. */
  watchControls(listener: () => void): () => void {
    this.controlListeners.add(listener);
    return () => void this.controlListeners.delete(listener);
  }

  /** Controls have been changed by this process. */
  controlsChanged(): void {
    this.tellOfControls();
    this.notifier.notify([CONTROLS]);
  }

  /** Hears of other processes only while something of this one listens for jobs or events. */
  watchStops(listener: StopListener): () => void {
    this.stopListeners.add(listener);
    return () => void this.stopListeners.delete(listener);
  }

  /** Running jobs have been asked to end by this process. */
  stopped(ids: readonly string[]): void {
    this.tellOfStops(ids);
    this.notifier.notify(ids.map((id) => STOP + id));
  }

  committed(jobs: readonly Pick<EncodedJob, 'id' | 'kind'>[]): void {
    const kinds = [...new Set(jobs.map(({ kind }) => kind))];
    const isTaken = this.tell(kinds);
    if (isTaken && jobs.length === 1) this.awaitClaim(jobs[0]!);
    else this.notifier.notify(kinds);
  }

  /** Jobs of these kinds have been committed here, or put back, that are due in so many milliseconds. Null stands for any kind. */
  scheduled(kinds: readonly string[] | null, inMs: number): void {
    this.tell(kinds, inMs);
    this.notifier.notifyDue(kinds, inMs);
  }

  /** A claim has found out when the next job of its kinds is due. Other processes find out by themselves. */
  nextIsDue(kinds: readonly string[], inMs: number): void {
    this.tell(kinds, inMs);
  }

  /** Other processes need not hear of these any more. */
  claimed(jobs: readonly { readonly id: string }[]): void {
    if (this.awaited.size === 0) return;
    for (const { id } of jobs) this.awaited.delete(id);
  }

  async close(): Promise<void> {
    this.listeners.clear();
    this.scheduleListeners.clear();
    this.controlListeners.clear();
    this.stopListeners.clear();
    this.eventListeners.clear();
    this.notifyOfLate(Infinity);
    await this.notifier.close();
  }

  private hearOthers(): void {
    this.notifier.listen((kinds, inMs) => this.notified(kinds, inMs));
  }

  private hearOthersIfWanted(): void {
    if (this.listeners.size + this.eventListeners.size === 0) void this.notifier.unlisten();
  }

  private notified(kinds: readonly string[] | null, inMs?: number): void {
    if (kinds === null || kinds.includes(SCHEDULES)) this.tellOfSchedules();
    if (kinds === null || kinds.includes(CONTROLS)) this.tellOfControls();
    if (kinds === null ? inMs === undefined : kinds.includes(EVENTS)) this.tellOfEvents();
    const stops =
      kinds?.filter((kind) => kind.startsWith(STOP)).map((kind) => kind.slice(STOP.length)) ?? null;
    if (stops === null || stops.length > 0) this.tellOfStops(stops);
    const others = kinds?.filter((kind) => !kind.startsWith(' ')) ?? null;
    if (others === null || others.length > 0) this.tell(others, inMs);
  }

  private tellOfStops(ids: readonly string[] | null): void {
    for (const listener of this.stopListeners) listener(ids);
  }

  private tellOfEvents(): void {
    for (const listener of this.eventListeners) listener();
  }

  private tellOfControls(): void {
    for (const listener of this.controlListeners) listener();
  }

  private tellOfSchedules(): void {
    for (const listener of this.scheduleListeners) listener();
  }

  /** @returns whether one of the listeners is about to claim them */
  private tell(kinds: readonly string[] | null, inMs = 0): boolean {
    let isTaken = false;
    for (const listener of this.listeners) if (listener(kinds, inMs) === true) isTaken = true;
    return isTaken;
  }

  private awaitClaim({ id, kind }: Pick<EncodedJob, 'id' | 'kind'>): void {
    this.awaited.set(id, { kind, since: performance.now() });
    this.cancelTimer ??= after(AWAIT_MS, () => this.notifyOfLate());
  }

  /** Notifies of what has not been claimed in time, and looks again when the next job is late. */
  private notifyOfLate(now = performance.now()): void {
    this.cancelTimer?.();
    this.cancelTimer = undefined;
    const kinds = new Set<string>();
    for (const [id, { kind, since }] of this.awaited) {
      if (now - since < AWAIT_MS) {
        this.cancelTimer = after(AWAIT_MS - (now - since), () => this.notifyOfLate());
        break;
      }
      this.awaited.delete(id);
      kinds.add(kind);
    }
    if (kinds.size > 0) this.notifier.notify([...kinds]);
  }
}
