import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

const CHECK_MS = 250;

/** Whether a server may get new connections, as a balancer's health check finds out. */
export type Check = (port: number) => Promise<boolean>;

/**
 * Stands before several servers, as haproxy does: gives each new connection to the next of them in turn that accepts it.
 * With a check it leaves out those that fail it; connections that there are already stay.
 */
export class Balancer {
  private readonly server: Server;
  private readonly links = new Set<Socket>();
  private failing: ReadonlySet<number> = new Set();
  private turn = 0;
  private timer: NodeJS.Timeout | undefined;

  private constructor(
    private targets: readonly number[],
    private readonly check: Check | undefined,
  ) {
    this.server = createServer((client) => this.join(client, this.inTurn()));
  }

  /** @param targets the ports of servers of this machine */
  static async start(targets: readonly number[], check?: Check): Promise<Balancer> {
    const balancer = new Balancer(targets, check);
    await new Promise<void>((resolve, reject) => {
      balancer.server.once('error', reject).listen(0, '127.0.0.1', resolve);
    });
    if (check !== undefined) balancer.look();
    return balancer;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** New connections go to this server alone; those that there are break. */
  switchTo(target: number): void {
    this.divertTo(target);
    for (const client of this.links) client.resetAndDestroy();
  }

  /** New connections go to this server alone; those that there are stay where they are. */
  divertTo(target: number): void {
    this.targets = [target];
  }

  async stop(): Promise<void> {
    clearTimeout(this.timer);
    const closed = new Promise((resolve) => this.server.close(resolve));
    for (const client of this.links) client.resetAndDestroy();
    await closed;
  }

  private inTurn(): number[] {
    const able = this.targets.filter((port) => !this.failing.has(port));
    this.turn += 1;
    return able.map((_, index) => able[(this.turn + index) % able.length]!);
  }

  private join(client: Socket, [target, ...others]: readonly number[]): void {
    client.on('error', () => undefined);
    if (target === undefined) {
      client.destroy();
      return;
    }
    const server = connect({ host: '127.0.0.1', port: target, noDelay: true });
    client.setNoDelay(true);
    let isConnected = false;
    server.once('connect', () => {
      isConnected = true;
      this.links.add(client);
      client.pipe(server).pipe(client);
    });
    server.on('error', () => undefined);
    server.once('close', () => {
      if (isConnected) client.destroy();
      else this.join(client, others);
    });
    client.once('close', () => {
      this.links.delete(client);
      server.destroy();
    });
  }

  private look(): void {
    const checks = this.targets.map(async (port) => [port, await this.check!(port)] as const);
    void Promise.all(checks).then((found) => {
      this.failing = new Set(found.filter(([, isFine]) => !isFine).map(([port]) => port));
      this.timer = setTimeout(() => this.look(), CHECK_MS);
    });
  }
}
