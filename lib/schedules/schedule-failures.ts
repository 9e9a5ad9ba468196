import { ExponentialPause } from '../async/pauses.js';
import type { JobsEvents } from '../events/jobs-events.js';

interface Failing {
  count: number;
  retryAt: number;
  readonly pause: ExponentialPause;
}

/** What failed to fire. */
export interface FailedFire {
  readonly name: string;
  readonly kind: string;
  readonly fire: { readonly at: Date };
}

const FIRST_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 60_000;

/** Schedules whose jobs cannot be made: each is tried again after a pause of its own, and its tick is not lost. */
export class ScheduleFailures {
  private readonly failing = new Map<string, Failing>();

  constructor(private readonly events: JobsEvents) {}

  failed({ name, kind, fire }: FailedFire, error: unknown): void {
    const pause = this.failing.get(name)?.pause ?? new ExponentialPause(FIRST_PAUSE_MS, MAX_PAUSE_MS);
    const count = (this.failing.get(name)?.count ?? 0) + 1;
    this.failing.set(name, { count, pause, retryAt: performance.now() + pause.next() });
    this.events.emit('scheduleFailed', { schedule: name, kind, tick: fire.at, error, failures: count });
  }

  succeeded(name: string): void {
    this.failing.delete(name);
  }

  /** Those that are not to be tried now. */
  get names(): readonly string[] {
    const now = performance.now();
    return [...this.failing].filter(([, { retryAt }]) => retryAt > now).map(([name]) => name);
  }

  /** Forgets those that were to be tried again and are not due any more: another process has fired them. */
  keep(due: ReadonlySet<string>): void {
    const now = performance.now();
    for (const [name, { retryAt }] of this.failing)
      if (retryAt <= now && !due.has(name)) this.failing.delete(name);
  }

  /** How long until one of them is to be tried, in milliseconds; `Infinity` where there is none. */
  get msUntilNext(): number {
    const now = performance.now();
    return Math.min(...[...this.failing.values()].map(({ retryAt }) => retryAt - now).filter((ms) => ms > 0));
  }
}
