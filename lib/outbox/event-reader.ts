import { Loop, type Startable } from '../async/loop.js';
import { ExponentialPause } from '../async/pauses.js';
import { sleep } from '../async/timers.js';
import { WakeSignal } from '../async/wake-signal.js';
import type { JobsEvents } from '../events/jobs-events.js';
import { decodeJobEvent, type JobEvent, type WantedEvents } from '../job/job-event.js';
import { LISTENER_LIVES_MS, type EventPage, type EventStore } from '../queue/event-store.js';
import { EventGaps } from './event-gaps.js';

const READ_AT_ONCE = 1_000;
/** Between two looks, where no hint comes. */
const LOOK_EVERY_MS = 500;
/** Between two looks that are asked for. Who can notify can send as many hints as it likes. */
const HINT_PAUSE_MS = 30;
/** Well within the time after which a listener is taken for dead. */
const REGISTER_EVERY_MS = LISTENER_LIVES_MS / 3;
const FIRST_PAUSE_MS = 500;
const MAX_PAUSE_MS = 5_000;

/** Reads what happens in all processes, for one listener: each event once, and a lag where some may be missing. */
export class EventReader implements Startable {
  private readonly loop = new Loop((signal) => this.turn(signal), {
    pause: new ExponentialPause(FIRST_PAUSE_MS, MAX_PAUSE_MS),
    onFailure: (error, failures) => this.events.emit('eventsUnread', { error, failures }),
  });
  private readonly hints = new WakeSignal();
  private unwatch: (() => void) | undefined;
  private gaps: EventGaps | undefined;
  /** When it registered last, by `performance.now()` and by the storage's clock. */
  private registered = { at: -Infinity, nowMs: 0 };
  /** When it read last, by the storage's clock. */
  private readAtMs = 0;
  private registeredFor: WantedEvents | undefined;

  /**
   * @param id that of the listener
   * @param wanted what it wants now
   * @param lookEveryMs how long it waits for a hint before it looks by itself
   */
  constructor(
    private readonly store: EventStore,
    private readonly id: string,
    private readonly wanted: () => WantedEvents,
    private readonly hear: (event: JobEvent) => void,
    private readonly events: JobsEvents,
    private readonly lookEveryMs = LOOK_EVERY_MS,
  ) {}

  start(): void {
    this.loop.start();
  }

  async stop(): Promise<void> {
    const stopped = this.loop.stop();
    this.hints.wake();
    await stopped;
    this.unwatch?.();
    this.unwatch = undefined;
    await this.store.unlisten(this.id).catch(() => undefined); // it is taken for dead in a minute
    this.gaps = undefined;
  }

  private async turn(signal: AbortSignal): Promise<void> {
    if (this.mustRegister()) await this.register();
    const beganAt = performance.now();
    const page = await this.store.read(this.gaps!.floor, READ_AT_ONCE);
    if (signal.aborted) return;
    this.deliver(page);
    if (page.events.length === READ_AT_ONCE) return;
    await this.hints.wait(this.lookEveryMs);
    await sleep(HINT_PAUSE_MS - (performance.now() - beganAt), signal);
  }

  private mustRegister(): boolean {
    const wanted = this.wanted();
    const isOther = JSON.stringify(wanted) !== JSON.stringify(this.registeredFor);
    return isOther || performance.now() - this.registered.at >= REGISTER_EVERY_MS;
  }

  private async register(): Promise<void> {
    const at = performance.now();
    const wanted = this.wanted();
    const { seq, nowMs } = await this.store.listen(this.id, wanted);
    this.unwatch ??= this.store.watch(() => this.hints.wake());
    const isFirst = this.gaps === undefined;
    this.gaps ??= new EventGaps(seq);
    if (isFirst) this.readAtMs = nowMs;
    else if (nowMs - this.registered.nowMs > LISTENER_LIVES_MS) this.tellOfLag(nowMs);
    this.registered = { at, nowMs };
    this.registeredFor = wanted;
  }

  /** It was taken for dead in between: events may not have been written, or be deleted already. */
  private tellOfLag(nowMs: number): void {
    const [from, to] = [new Date(this.readAtMs), new Date(nowMs)];
    this.hear({ type: 'lag', at: to, from, to });
  }

  private deliver({ events, nowMs }: EventPage): void {
    this.readAtMs = nowMs;
    for (const { seq, atMs, event } of this.gaps!.unseen(events, nowMs)) {
      const decoded = decodeJobEvent(event, new Date(atMs));
      if (decoded !== null) this.hear(decoded);
      this.gaps!.saw(seq);
    }
  }
}
