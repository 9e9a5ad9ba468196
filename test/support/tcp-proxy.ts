import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Stands between a client and a server, and does to their connections what networks do. */
export class TcpProxy {
  /** How long each piece takes on its way, in either direction. */
  latencyMs = 0;
  /** The chance of each piece to end in a reset of its connection instead, from 0 to 1. */
  resetChance = 0;
  private readonly links = new Set<Link>();
  private readonly server: Server;
  private readonly losses: Loss[] = [];
  private port = 0;

  private constructor(private readonly target: URL) {
    this.server = createServer((client) => this.join(client));
  }

  /** @param url of the server, with its port */
  static async start(url: string): Promise<TcpProxy> {
    const proxy = new TcpProxy(new URL(url));
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
    for (const link of this.links) link.reset();
    await closed;
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

  constructor(
    private readonly proxy: TcpProxy,
    private readonly client: Socket,
    private readonly server: Socket,
  ) {
    client.on('data', (request) => {
      this.loss ??= proxy.takeLoss(request);
      this.pass(request, server);
    });
    server.on('data', (answer) => {
      if (this.loss === undefined) this.pass(answer, client);
      else this.lose(this.loss);
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

  private pass(piece: Buffer, to: Socket): void {
    if (this.isSilent) return;
    if (Math.random() < this.proxy.resetChance) this.reset();
    else if (this.proxy.latencyMs === 0) to.write(piece);
    else setTimeout(() => to.destroyed || to.write(piece), this.proxy.latencyMs);
  }

  private lose(loss: Loss): void {
    this.reset();
    loss.resolve();
  }
}
