import { setTimeout as sleep } from 'node:timers/promises';
import type { TcpProxy } from '../support/tcp-proxy.js';
import type { Observer } from './audit.js';
import type { Member } from './fleet.js';
import type { Random } from './random.js';
import type { Fault } from './records.js';
import type { DatabaseServer } from './server.js';

export interface Victims {
  readonly members: readonly Member[];
  /** The proxies between processes and the database, by the process's name. */
  readonly proxies: ReadonlyMap<string, TcpProxy>;
  readonly server: DatabaseServer;
  readonly observer: Observer;
}

type FaultKind = Exclude<Fault['kind'], 'slow database'>;

/** How often each fault is drawn, relative to the others. */
const WEIGHTS: Readonly<Record<FaultKind, number>> = {
  kill: 20,
  stop: 12,
  terminate: 14,
  restart: 6,
  lock: 14,
  latency: 8,
  resets: 8,
  hold: 6,
  forget: 4,
  'drop answers': 8,
  cut: 5,
};
/** The time between the beginnings of two faults. */
const MIN_GAP_MS = 300;
const MAX_GAP_MS = 3_000;
/** How long a forgotten connection stays silent before it is reset. */
const FORGOTTEN_MS = 12_000;

/** Hurts processes, connections and the database as its random numbers decide, and records what it did. */
export class Nemesis {
  readonly faults: Fault[] = [];
  private readonly busy = new Set<string>();
  private readonly underWay = new Set<Promise<void>>();
  private readonly stopping = new AbortController();
  private ended: Promise<void> = Promise.resolve();

  /** @param kinds the faults to draw from; all by default */
  constructor(
    private readonly victims: Victims,
    private readonly random: Random,
    private readonly kinds: readonly FaultKind[] = Object.keys(WEIGHTS) as FaultKind[],
  ) {}

  start(): void {
    this.ended = this.loop();
  }

  /** Stops and heals everything. Resolves when no fault is left. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.ended;
    await Promise.all(this.underWay);
  }

  private async loop(): Promise<void> {
    const weights = Object.fromEntries(this.kinds.map((kind) => [kind, WEIGHTS[kind]]));
    while (await this.pause(this.random.int(MIN_GAP_MS, MAX_GAP_MS))) {
      const kind = this.random.weighted(weights) as FaultKind;
      const done = this.strike(kind).catch((error: unknown) => console.error(`nemesis (${kind}):`, error));
      this.underWay.add(done);
      void done.then(() => this.underWay.delete(done));
    }
  }

  private strike(kind: FaultKind): Promise<void> {
    switch (kind) {
      case 'kill':
        return this.kill();
      case 'stop':
        return this.freeze();
      case 'terminate':
        return this.during(kind, ['database'], () => this.terminate());
      case 'restart':
        return this.during(kind, ['database'], () => this.victims.server.restart());
      case 'lock':
        return this.lock();
      default:
        return this.spoilLink(kind);
    }
  }

  /** Keeps to one fault at a time for each target. Does nothing if a target already has one. */
  private async during(
    kind: FaultKind,
    targets: readonly string[],
    act: () => Promise<unknown>,
  ): Promise<void> {
    if (targets.some((target) => this.busy.has(target))) return;
    for (const target of targets) this.busy.add(target);
    const from = now();
    try {
      await act();
    } finally {
      for (const target of targets) this.busy.delete(target);
      this.faults.push({ kind, targets, from, until: now() });
    }
  }

  private async kill(): Promise<void> {
    const member = this.random.pick(this.victims.members);
    await this.during('kill', [member.name], async () => member.kill());
  }

  private async freeze(): Promise<void> {
    const member = this.random.pick(this.victims.members);
    const ms = this.random.int(4_000, 10_000);
    await this.during('stop', [member.name], async () => {
      member.send('SIGSTOP');
      await this.pause(ms);
      member.send('SIGCONT');
    });
  }

  private async terminate(): Promise<void> {
    await this.victims.observer.terminate(this.random.pick([0.3, 1]));
  }

  private async lock(): Promise<void> {
    const [count, ms] = [this.random.int(1, 20), this.random.int(300, 3_500)];
    const from = now();
    let ids: readonly string[] = [];
    await this.victims.observer
      .lock(count, async (locked) => {
        ids = locked;
        await this.pause(ms);
      })
      .catch(() => undefined); // the database may be restarted at the same time
    this.faults.push({ kind: 'lock', targets: [], ids, from, until: now() });
  }

  private async spoilLink(kind: FaultKind): Promise<void> {
    const [name, proxy] = this.random.pick([...this.victims.proxies]);
    const ms = this.random.int(1_000, 6_000);
    const latencyMs = this.random.pick([50, 300, 2_000]);
    await this.during(kind, [`link of ${name}`], async () => {
      await this.spoil(kind, proxy, latencyMs);
      await this.pause(kind === 'forget' ? FORGOTTEN_MS : ms);
      if (kind === 'cut') return proxy.restore();
      Object.assign(proxy, { latencyMs: 0, resetChance: 0, dropsAnswers: false });
      if (kind === 'hold') proxy.release();
      if (kind === 'drop answers' || kind === 'forget') proxy.resetAll();
    });
  }

  private async spoil(kind: FaultKind, proxy: TcpProxy, latencyMs: number): Promise<void> {
    if (kind === 'latency') proxy.latencyMs = latencyMs;
    else if (kind === 'resets') Object.assign(proxy, { latencyMs: 20, resetChance: 0.1 });
    else if (kind === 'drop answers') proxy.dropsAnswers = true;
    else if (kind === 'hold') proxy.hold();
    else if (kind === 'forget') proxy.silence();
    else await proxy.cut();
  }

  /** @returns false if the nemesis was stopped during the pause */
  private pause(ms: number): Promise<boolean> {
    return sleep(ms, true, { signal: this.stopping.signal }).catch(() => false);
  }
}

function now(): number {
  return performance.timeOrigin + performance.now();
}
