import { Loop, type Startable } from '../async/loop.js';
import { ExponentialPause, jittered } from '../async/pauses.js';
import { endsWithin, sleep } from '../async/timers.js';
import { WakeSignal } from '../async/wake-signal.js';
import type { JobsEvents } from '../events/jobs-events.js';
import type { JobQueue } from '../queue/job-queue.js';
import type { StoredCounts } from '../queue/kind-counts.js';
import type { Controls, StoredPause } from '../queue/kind-store.js';
import { ControlGate } from './control-gate.js';
import { Pulse } from './pulse.js';

/** Between two beats, with jitter. */
const BEAT_MS = 10_000;
/** Between two looks where the storage does not tell of changes. */
const LOOK_MS = 5_000;
/** Between two looks that are asked for. Who can notify can send as many hints as it likes. */
const HINT_PAUSE_MS = 100;
const FIRST_PAUSE_MS = 250;
const MAX_PAUSE_MS = 5_000;
/** How long a stop waits until the register has forgotten the worker. */
const FORGET_MS = 1_000;

export interface ControlWatchSettings {
  readonly workerId: string;
}

/** What the register has of a worker. */
export interface WorkerTelling {
  /** As JSON. */
  about(): string;
  /** What it has counted. @param now the storage's clock, in milliseconds since 1970 */
  counts(now: number): readonly StoredCounts[];
  /** The register has these counts. */
  counted(sent: readonly StoredCounts[]): void;
}

/**
 * Tells the register that the worker is live, reads what operators say of kinds, and has it obeyed before the register
 * hears that it was seen. At the start the worker registers first and reads then, so that a pause either is read or waits
 * for this worker.
 */
export class ControlWatch implements Startable {
  readonly gate = new ControlGate();
  private readonly hints = new WakeSignal();
  private readonly loop = new Loop((signal, succeeded) => this.turn(signal, succeeded), {
    pause: new ExponentialPause(FIRST_PAUSE_MS, MAX_PAUSE_MS),
    wait: (ms) => this.wait(ms),
    onFailure: (error, failures) => this.failed(error, failures),
    onRecovery: (failures) => this.recovered(failures),
  });
  private readonly pulse = new Pulse();
  private isFailing = false;
  /** Since when the database answers. */
  private answeringSince = -Infinity;
  private unwatch: (() => void) | undefined;
  private nextBeatAt = -Infinity;
  /** What the storage's clock is ahead of `performance.now()`; undefined while it is not known. */
  private clockMs: number | undefined;
  /** The number that the register has. */
  private acknowledged = 0;
  private told: readonly StoredPause[] = [];

  /**
   * @param obey is called when kinds may have been paused or resumed, and starts no job of a closed kind any more when it
   * returns
   */
  constructor(
    private readonly queue: Pick<JobQueue, 'kinds'>,
    private readonly settings: ControlWatchSettings,
    private readonly events: JobsEvents,
    private readonly telling: WorkerTelling,
    private readonly obey: () => void,
  ) {}

  start(): void {
    this.answeringSince = performance.now();
    this.unwatch = this.queue.kinds.watch(() => this.hints.wake());
    this.loop.start();
  }

  /** How late its next step is, in milliseconds. */
  get silentMs(): number {
    return this.pulse.silentMs;
  }

  /** For how long it has not known enough to start a job, though the database answers, in milliseconds. */
  get fencedMs(): number {
    if (this.isFailing) return 0;
    return Math.max(0, performance.now() - Math.max(this.answeringSince, this.gate.knowsUntil));
  }

  /** Only for a worker that starts no job any more: the register forgets it. */
  async stop(): Promise<void> {
    this.unwatch?.();
    const ended = this.loop.stop();
    this.hints.wake();
    await endsWithin(ended, FORGET_MS);
    this.pulse.stop();
    if (this.clockMs !== undefined) await endsWithin(this.lastBeat(), FORGET_MS);
    const forgotten = this.queue.kinds.forget(this.settings.workerId).catch(() => undefined); // it is forgotten in time
    await endsWithin(forgotten, FORGET_MS);
  }

  private async turn(signal: AbortSignal, succeeded: () => void): Promise<void> {
    const beganAt = performance.now();
    this.pulse.beat();
    if (beganAt >= this.nextBeatAt) await this.beat();
    else await this.read();
    succeeded();
    if (this.gate.seen !== this.acknowledged || signal.aborted) return;
    await this.wait(this.pauseMs);
    await sleep(HINT_PAUSE_MS - (performance.now() - beganAt), signal);
  }

  private wait(ms: number): Promise<void> {
    this.pulse.beat(ms);
    return this.hints.wait(ms);
  }

  private failed(error: unknown, failures: number): void {
    this.isFailing = true;
    this.events.emit('controlsFailed', { error, failures });
  }

  private recovered(failures: number): void {
    this.isFailing = false;
    this.answeringSince = performance.now();
    this.events.emit('controlsRecovered', { failures });
  }

  /** Writes the counts of the last seconds. */
  private async lastBeat(): Promise<void> {
    await this.beat().catch(() => undefined);
  }

  private async beat(): Promise<void> {
    const sentAt = performance.now();
    const { workerId } = this.settings;
    const controlsSeen = this.gate.seen;
    const { clockMs, telling } = this;
    const counts = clockMs === undefined ? [] : telling.counts(sentAt + clockMs);
    const controls = await this.queue.kinds.beat({ workerId, controlsSeen, about: telling.about(), counts });
    telling.counted(counts);
    this.acknowledged = controlsSeen;
    this.nextBeatAt = sentAt + jittered(BEAT_MS);
    // The controls may be those of a moment at which the register did not have this worker.
    if (this.gate.beaten(sentAt)) this.seen(controls, sentAt);
    else await this.read();
  }

  private async read(): Promise<void> {
    const sentAt = performance.now();
    this.seen(await this.queue.kinds.controls(), sentAt);
  }

  private seen(controls: Controls, sentAt: number): void {
    this.clockMs = controls.now - performance.now();
    if (!this.gate.read(controls, sentAt)) {
      this.nextBeatAt = -Infinity;
      return;
    }
    this.obey();
    this.tell();
    if (this.gate.seen !== this.acknowledged) this.nextBeatAt = -Infinity; // say so at once
  }

  private get pauseMs(): number {
    const beatMs = this.nextBeatAt - performance.now();
    const lookMs = this.queue.kinds.isTold ? Infinity : jittered(LOOK_MS);
    return Math.max(0, Math.min(beatMs, lookMs, this.gate.nextEndMs));
  }

  /** Tells of what has changed since the last time. */
  private tell(): void {
    const before = this.told;
    const now = (this.told = this.gate.all);
    const isIn = (pauses: readonly StoredPause[], wanted: StoredPause) =>
      pauses.some((pause) => isSame(pause, wanted));
    const kinds = new Set(now.map(({ kind }) => kind));
    for (const pause of now) if (!isIn(before, pause)) this.events.emit('kindPaused', pause);
    for (const { kind } of before) if (!kinds.has(kind)) this.events.emit('kindResumed', { kind });
  }
}

function isSame(one: StoredPause, other: StoredPause): boolean {
  return (
    one.kind === other.kind &&
    one.reason === other.reason &&
    one.stopsRunning === other.stopsRunning &&
    one.since.getTime() === other.since.getTime() &&
    one.until?.getTime() === other.until?.getTime()
  );
}
