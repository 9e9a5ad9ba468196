import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

type Direction = 'to server' | 'to client';

/** What the proxy does to all that passes. */
interface Weather {
  /** Each piece of data waits so long, in order. */
  readonly latencyMs: number;
  /** The share of pieces at which the connection is reset instead. */
  readonly resetShare: number;
  /** Answers of the server are thrown away; what clients say arrives. */
  readonly dropsAnswers: boolean;
}

const CALM: Weather = { latencyMs: 0, resetShare: 0, dropsAnswers: false };

/** Stands between a client and a server: parts them, lets them meet again, and makes the way between them worse. */
export class TcpProxy {
  private readonly links = new Set<Link>();
  private readonly server: Server;
  private weather = CALM;
  private isHolding = false;
  private port = 0;

  private constructor(
    private readonly target: URL,
    private readonly random: () => number,
  ) {
    // Half-open as it comes: the end of one side is passed on by the link.
    this.server = createServer({ allowHalfOpen: true }, (client) => this.join(client));
  }

  /** @param url of the server, with its port */
  static async start(url: string, random: () => number = Math.random): Promise<TcpProxy> {
    const proxy = new TcpProxy(new URL(url), random);
    await proxy.restore();
    return proxy;
  }

  /** The server's URL by way of this proxy. */
  get url(): string {
    const url = new URL(this.target.href);
    url.host = `127.0.0.1:${this.port}`;
    return url.href;
  }

  /** Breaks all connections, and refuses new ones. */
  async cut(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.breakAll();
    await closed;
  }

  /** Accepts connections again, on the same port. */
  async restore(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject).listen(this.port, '127.0.0.1', resolve);
    });
    this.port = (this.server.address() as AddressInfo).port;
  }

  /** Breaks all connections; new ones are welcome. */
  breakAll(): void {
    for (const link of this.links) link.break();
  }

  /** Lets what passes from now on be slow, be lost, or meet a reset. Without arguments: calm again. */
  change(weather: Partial<Weather> = {}): void {
    this.weather = { ...CALM, ...weather };
  }

  /** Nothing passes any more, in no direction, and nobody is told. New connections are taken, and as silent. */
  hold(): void {
    this.isHolding = true;
    for (const link of this.links) link.hold();
  }

  /** What was held passes. */
  release(): void {
    this.isHolding = false;
    for (const link of this.links) link.release();
  }

  /**
   * Forgets the connections there are, as a firewall does: nothing passes on them ever again, and their clients are not
   * told. The server sees them end. New connections work.
   */
  forget(): void {
    for (const link of this.links) link.forget();
  }

  private join(client: Socket): void {
    const server = connect({
      host: this.target.hostname,
      port: Number(this.target.port),
      allowHalfOpen: true,
    });
    const link = new Link(client, server, {
      fate: (direction) => this.fate(direction),
      onClose: () => this.links.delete(link),
    });
    this.links.add(link);
    if (this.isHolding) link.hold();
  }

  private fate(direction: Direction): number | 'reset' | 'drop' {
    const { latencyMs, resetShare, dropsAnswers } = this.weather;
    if (dropsAnswers && direction === 'to client') return 'drop';
    return resetShare > 0 && this.random() < resetShare ? 'reset' : latencyMs;
  }
}

interface LinkSettings {
  /** What becomes of a piece of data: after how many milliseconds it passes, or what else. */
  readonly fate: (direction: Direction) => number | 'reset' | 'drop';
  readonly onClose: () => void;
}

/** One client's connection by way of the proxy. */
class Link {
  private isHeld = false;
  private isForgotten = false;
  private readonly held: (() => void)[] = [];
  private readonly timers = new Set<NodeJS.Timeout>();

  constructor(
    private readonly client: Socket,
    private readonly server: Socket,
    private readonly settings: LinkSettings,
  ) {
    this.carry(client, server, 'to server');
    this.carry(server, client, 'to client');
  }

  break(): void {
    for (const timer of this.timers) clearTimeout(timer);
    this.client.resetAndDestroy();
    this.server.resetAndDestroy();
    this.settings.onClose();
  }

  hold(): void {
    this.isHeld = true;
  }

  release(): void {
    this.isHeld = false;
    for (const pass of this.held.splice(0)) pass();
  }

  forget(): void {
    this.isForgotten = true;
    this.server.resetAndDestroy();
  }

  private carry(from: Socket, to: Socket, direction: Direction): void {
    /** When the piece before this one passes: none overtakes another. */
    let passesAt = 0;
    const pass = (act: () => void, delayMs: number) => {
      passesAt = Math.max(passesAt, performance.now() + delayMs);
      const go = () => {
        if (this.isHeld) this.held.push(go);
        else act();
      };
      const waitMs = passesAt - performance.now();
      if (delayMs === 0 && waitMs <= 0) {
        go();
        return;
      }
      const timer = setTimeout(() => {
        this.timers.delete(timer);
        go();
      }, waitMs);
      this.timers.add(timer);
    };
    from.on('data', (data) => {
      if (this.isForgotten) return;
      const fate = this.settings.fate(direction);
      if (fate === 'reset') this.break();
      else if (fate !== 'drop') pass(() => to.writable && to.write(data), fate);
    });
    from.on('end', () => pass(() => to.end(), 0));
    from.on('error', () => (this.isForgotten && from === this.server ? undefined : this.break()));
    from.on('close', () => {
      if (this.isForgotten && from === this.server) return;
      pass(() => {
        to.destroy();
        this.settings.onClose();
      }, 0);
    });
  }
}
