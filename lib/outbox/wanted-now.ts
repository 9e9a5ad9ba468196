import { oncePerTurn } from '../async/turn.js';
import type { WantedEvents } from '../job/job-event.js';
import type { EventStore } from '../queue/event-store.js';

/** What is known of listeners holds for so long. One that is new is heard of by then. */
const HOLDS_MS = 5_000;
const ALL: WantedEvents = { kinds: null, types: null };

/**
 * What listeners want just now. It asks only when it is asked itself, and what it knows is old: a process in which nothing
 * happens sends nothing.
 */
export class WantedNow {
  /** What was found out last, however old it is. */
  latest: readonly WantedEvents[] = [];
  private knownAt = -Infinity;
  private asking: Promise<void> | undefined;
  private readonly now = oncePerTurn(() => performance.now());

  /** @param onKnown is called after each answer, also where there was none */
  constructor(
    private readonly store: Pick<EventStore, 'wanted'>,
    private readonly onKnown: () => void,
  ) {}

  /** Undefined while it is being found out. */
  get(): readonly WantedEvents[] | undefined {
    if (this.asking === undefined && this.now() - this.knownAt < HOLDS_MS) return this.latest;
    this.asking ??= this.ask();
    return undefined;
  }

  /** Resolves when nothing is being found out. */
  async known(): Promise<void> {
    await this.asking;
  }

  private async ask(): Promise<void> {
    try {
      this.latest = (await this.store.wanted()).map((wanted) => wanted ?? ALL);
    } catch {
      // The storage is away. What was wanted before will be wanted after.
    }
    this.knownAt = performance.now();
    this.asking = undefined;
    this.onKnown();
  }
}
