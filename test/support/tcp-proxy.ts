import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Stands between a client and a server, and does to their connections what networks do. */
export class TcpProxy {
  /** How long each piece takes on its way, in either direction. */
  latencyMs = 0;
  /** The chance of each piece to end in a reset of its connection instead, from 0 to 1. */
  resetChance = 0;
  /** Requests arrive, and answers are lost. */
  dropsAnswers = false;
  private readonly links = new Set<Link>();
  private readonly server: Server;
  private readonly losses: Loss[] = [];
  private isHolding = false;
  private port = 0;

  private constructor(
    private readonly target: URL,
    /** From 0 up to but not 1. */
    readonly random: () => number,
  ) {
    this.server = createServer((client) => this.join(client));
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

  /** How many connections there are. */
  get size(): number {
    return this.links.size;
  }

  /** Breaks all connections, and refuses new ones. */
  async cut(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.resetAll();
    await closed;
  }

  /** Breaks all connections; new ones work. */
  resetAll(): void {
    for (const link of this.links) link.reset();
  }

  /** Accepts connections again, on the same port. */
  async restore(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject).listen(this.port, '127.0.0.1', resolve);
    });
    this.port = (this.server.address() as AddressInfo).port;
  }

  /** Nothing passes any more on the connections that there are, though they stay open. New ones work. */
  silence(): void {
    for (const link of this.links) link.isSilent = true;
  }

  /** Nothing passes any more, on no connection, and nobody is told; until `release`. */
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
   * The server gets the next request with this text in it and carries it out; its answer never arrives, and the
   * connection breaks.
   * @returns a promise of when that has happened
   */
  loseAnswerTo(text: string): Promise<void> {
    return new Promise((resolve) => this.losses.push({ text, resolve }));
  }

  /** For a link: the loss that this request meets. */
  takeLoss(request: Buffer): Loss | undefined {
    const place = this.losses.findIndex(({ text }) => request.includes(text));
    return place === -1 ? undefined : this.losses.splice(place, 1)[0];
  }

  private join(client: Socket): void {
    const server = connect({ host: this.target.hostname, port: Number(this.target.port) });
    const link = new Link(this, client, server);
    this.links.add(link);
    if (this.isHolding) link.hold();
    client.on('close', () => this.links.delete(link));
  }
}

interface Loss {
  readonly text: string;
  readonly resolve: () => void;
}

/** One connection through the proxy. */
class Link {
  isSilent = false;
  private loss: Loss | undefined;
  /** What waits for `release`; undefined where nothing is held. */
  private held: (() => void)[] | undefined;
  /** When the piece before passes, in each direction. */
  private readonly lastAt = new Map<Socket, number>();
  private readonly onTheWay: ReadonlyMap<Socket, Buffer[]>;

  constructor(
    private readonly proxy: TcpProxy,
    private readonly client: Socket,
    private readonly server: Socket,
  ) {
    this.onTheWay = new Map([
      [client, []],
      [server, []],
    ]);
    client.on('data', (request) => {
      this.loss ??= proxy.takeLoss(request);
      this.pass(request, server);
    });
    server.on('data', (answer) => {
      if (this.loss !== undefined) this.lose(this.loss);
      else if (!proxy.dropsAnswers) this.pass(answer, client);
    });
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.setNoDelay(true);
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
  }

  reset(): void {
    this.client.resetAndDestroy();
    this.server.destroy();
  }

  hold(): void {
    this.held ??= [];
  }

  release(): void {
    const held = this.held ?? [];
    this.held = undefined;
    for (const write of held) write();
  }

  private pass(piece: Buffer, to: Socket): void {
    if (this.isSilent) return;
    if (this.proxy.resetChance > 0 && this.proxy.random() < this.proxy.resetChance) {
      this.reset();
      return;
    }
    const now = performance.now();
    const at = Math.max(now + this.proxy.latencyMs, this.lastAt.get(to) ?? 0);
    this.lastAt.set(to, at);
    const queue = this.onTheWay.get(to)!;
    if (at <= now && queue.length === 0) {
      this.write(piece, to);
      return;
    }
    queue.push(piece);
    // The first of the queue and not this piece: timers are not exact, and none may overtake another.
    setTimeout(() => this.write(queue.shift()!, to), at - now);
  }

  private write(piece: Buffer, to: Socket): void {
    if (this.held !== undefined) this.held.push(() => this.write(piece, to));
    else if (!to.destroyed) to.write(piece);
  }

  private lose(loss: Loss): void {
    this.reset();
    loss.resolve();
  }
}
