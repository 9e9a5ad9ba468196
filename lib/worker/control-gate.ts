import type { StartGate } from '../execution/start-gate.js';
import { ControlsUnknownError, JobPausedError } from '../job/control-errors.js';
import { ALL_KINDS, WORKER_LIVE_MS, type Controls, type StoredPause } from '../queue/kind-store.js';

/** What was read longer ago counts for nothing: a worker then starts no job. */
const CURRENT_MS = 30_000;
/**
 * So long after its last beat a worker counts itself as dead. It is less than the time after which others do, because they
 * go by another clock.
 */
const LIVE_MS = WORKER_LIVE_MS - 10_000;

/** One for all: it is inlined where a job is started. */
const monotonicNow = () => performance.now();

interface Pause {
  readonly stored: StoredPause;
  /** By `performance.now()`. */
  readonly endsAt: number;
}

/**
 * What a worker knows of the controls, and whether that is enough to start a job. Whoever pauses a kind waits for the
 * workers that are in the register. So what this worker has read counts only while it has been live there without a gap
 * since before the read was sent: otherwise a pause may have passed it over.
 *
 * Instants are of `performance.now()`, from before a statement was sent. That clock goes on while a process is frozen.
 */
export class ControlGate implements StartGate {
  private beatenAt = -Infinity;
  private currentUntil = -Infinity;
  private pauses: ReadonlyMap<string, Pause> = new Map();
  private lastSeen = 0;

  constructor(private readonly now: () => number = monotonicNow) {}

  /** The number of the last change that it obeys. */
  get seen(): number {
    return this.lastSeen;
  }

  /** Whether it knows enough of the controls to start anything. */
  get isCurrent(): boolean {
    return this.now() < this.knowsUntil;
  }

  /** Until when it knows enough, unless it hears more; `-Infinity` where it has heard nothing. */
  get knowsUntil(): number {
    return Math.min(this.currentUntil, this.beatenAt + LIVE_MS);
  }

  isOpen(kind: string): boolean {
    return this.isCurrent && (this.pauses.size === 0 || this.pauseOf(kind) === undefined);
  }

  reason(kind: string): Error {
    const pause = this.pauseOf(kind);
    return pause === undefined ? new ControlsUnknownError() : new JobPausedError(kind, pause.reason);
  }

  /** The pause of a kind that is in force, or else that of all kinds. */
  pauseOf(kind: string): StoredPause | undefined {
    return this.inForce(kind)[0];
  }

  /** Whether jobs of a kind that run are to be given back. */
  stopsRunning(kind: string): boolean {
    return this.inForce(kind).some((pause) => pause.stopsRunning);
  }

  /** All pauses that are in force. */
  get all(): readonly StoredPause[] {
    const now = this.now();
    return [...this.pauses.values()].filter(({ endsAt }) => now < endsAt).map(({ stored }) => stored);
  }

  /** When the next pause ends by itself, in milliseconds from now; `Infinity` where none does. */
  get nextEndMs(): number {
    const now = this.now();
    const ends = [...this.pauses.values()].map(({ endsAt }) => endsAt - now).filter((ms) => ms > 0);
    return Math.min(Infinity, ...ends);
  }

  /**
   * The register has been told that this worker is live.
   * @returns whether it has been live there without a gap; if not, what it has read before counts for nothing
   */
  beaten(sentAt: number): boolean {
    const wasLive = this.now() < this.beatenAt + LIVE_MS;
    if (!wasLive) this.currentUntil = -Infinity;
    this.beatenAt = sentAt;
    return wasLive;
  }

  /** The controls have been read. @returns whether that counts */
  read({ changed, pauses }: Controls, sentAt: number): boolean {
    const now = this.now();
    if (now >= this.beatenAt + LIVE_MS) return false;
    this.pauses = new Map(
      pauses.map((stored) => [stored.kind, { stored, endsAt: now + (stored.leftMs ?? Infinity) }]),
    );
    this.currentUntil = sentAt + CURRENT_MS;
    this.lastSeen = changed;
    return true;
  }

  private inForce(kind: string): StoredPause[] {
    const now = this.now();
    const wanted = [this.pauses.get(kind), this.pauses.get(ALL_KINDS)];
    return wanted.flatMap((pause) => (pause !== undefined && now < pause.endsAt ? pause.stored : []));
  }
}
