import { after } from '../../async/timers.js';
import type { EventStream } from './live-stream.js';
import { DashboardRefusal, refusalOf } from './refusal.js';

/** Times of a feed, in milliseconds. */
export interface FeedTiming {
  /** How often all streams are told. */
  readonly everyMs: number;
  /** How often a stream hears something though there is nothing to tell: proxies end one that is silent. */
  readonly beatMs: number;
  /** A stream ends after so long, and the page begins a new one: who may see it is asked again. */
  readonly lifeMs: number;
}

const TIMING: FeedTiming = { everyMs: 2_000, beatMs: 15_000, lifeMs: 15 * 60_000 };
/** How many streams one process has at most. */
const MOST_STREAMS = 200;

/** Tells streams of events what is new. While there is none it asks for nothing. */
export class LiveFeed {
  private readonly streams = new Map<EventStream, () => void>();
  private cancelTurn: () => void = () => undefined;
  private isTelling = false;
  private isOver = false;

  /** @param read what is to be told, as it is now */
  constructor(
    private readonly read: () => Promise<unknown>,
    private readonly timing: FeedTiming = TIMING,
  ) {}

  /** @throws DashboardRefusal where another stream is one too many, and where the application ends */
  requireRoom(): void {
    if (this.isOver) throw new DashboardRefusal('closing', 'The application ends.');
    if (this.streams.size >= MOST_STREAMS)
      throw new DashboardRefusal(
        'too-many',
        `${MOST_STREAMS} pages are open already. Pages ask by themselves without this stream.`,
      );
  }

  /** Tells the stream at once, and from then on until it is closed. */
  join(stream: EventStream): void {
    const { beatMs, lifeMs } = this.timing;
    let cancelBeat: () => void = () => undefined;
    const beat = () => {
      cancelBeat = after(beatMs, () => {
        if (stream.write(': still here\n\n')) beat();
      });
    };
    const cancelLife = after(lifeMs, () => stream.end());
    const leave = () => {
      cancelBeat();
      cancelLife();
      this.streams.delete(stream);
      if (this.streams.size === 0) this.cancelTurn();
    };
    this.streams.set(stream, leave);
    stream.onClose(leave);
    stream.write('retry: 2000\n\n');
    beat();
    void this.turn();
  }

  /** Ends all streams: a server does not close while one is open. */
  stop(): void {
    this.isOver = true;
    for (const [stream, leave] of [...this.streams]) {
      stream.end();
      leave();
    }
  }

  get size(): number {
    return this.streams.size;
  }

  private async turn(): Promise<void> {
    if (this.isTelling) return;
    this.isTelling = true;
    this.cancelTurn();
    const event = await this.event();
    this.isTelling = false;
    for (const stream of [...this.streams.keys()]) stream.write(event);
    if (this.streams.size > 0) this.cancelTurn = after(this.timing.everyMs, () => void this.turn());
  }

  /** A page that hears nothing in time asks by itself, and is told why. */
  private async event(): Promise<string> {
    try {
      return `data: ${JSON.stringify(await this.read())}\n\n`;
    } catch (error) {
      return `event: refusal\ndata: ${JSON.stringify(refusalOf(error).getResponse())}\n\n`;
    }
  }
}
