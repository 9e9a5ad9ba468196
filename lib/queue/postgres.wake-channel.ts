import { createHash, randomUUID } from 'node:crypto';
import { describeError } from '../job/describe-error.js';
import type { JobsLogger } from '../job/logger.js';
import { endsWithin, sleep } from '../job/timers.js';
import type { Connections } from './connections.js';
import type { Notification, WakeChannel } from './wake-channel.js';

/** The part of `pg.Client` that is used. */
interface Client {
  connect(): Promise<unknown>;
  query(text: string): Promise<unknown>;
  end(): Promise<void>;
  on(event: 'notification', listener: (message: { payload?: string }) => void): void;
  on(event: 'error' | 'end', listener: (error?: Error) => void): void;
}

/** The part of TypeORM's PostgresDriver that is used. */
interface Driver {
  readonly postgres: { readonly Client: new (options: unknown) => Client };
  readonly master: { readonly options: unknown };
}

interface Message {
  readonly from: string;
  /** Null for any. */
  readonly kinds: readonly string[] | null;
}

/** PostgreSQL takes at most 8000 bytes with a notification; a longer list of kinds becomes "any". */
const MAX_PAYLOAD = 7_000;
/** Between two notifications: whoever was woken by the one looks again by itself while there are jobs. */
const NOTIFY_PAUSE_MS = 3;
const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 5_000;
const PROBE_INTERVAL_MS = 20_000;
const ANSWER_LIMIT_MS = 5_000;
/** Behind a pooler in transaction mode LISTEN succeeds and nothing ever arrives. */
const ECHO_LIMIT_MS = 1_000;

/**
 * LISTEN and NOTIFY. A notification is sent after the commit and over the pool, and only now and then within the
 * transaction, see `NotifyingInserts`: there it takes a lock that lets commits through one at a time. It is lost where
 * the process dies in between, and then polling finds the job. Listening goes over a connection of its own, which is
 * made anew when it breaks.
 */
export class PostgresWakeChannel implements WakeChannel {
  private readonly channel: string;
  private readonly self = randomUUID();
  private readonly pending = new Set<string>();
  private sending: Promise<void> | undefined;
  private stopping: AbortController | undefined;
  private listening: Promise<void> = Promise.resolve();

  constructor(
    private readonly connections: Connections,
    table: string,
    private readonly logger: JobsLogger,
  ) {
    this.channel = `jobs_${createHash('sha1').update(table).digest('hex').slice(0, 20)}`;
  }

  notify(kinds: readonly string[]): void {
    for (const kind of kinds) this.pending.add(kind);
    this.sending ??= this.sendAll().finally(() => {
      this.sending = undefined;
    });
  }

  notification(kinds: readonly string[]): Notification {
    const payload = JSON.stringify({ from: this.self, kinds } satisfies Message);
    const fits = Buffer.byteLength(payload) <= MAX_PAYLOAD;
    const message = fits ? payload : JSON.stringify({ from: this.self, kinds: null } satisfies Message);
    return { channel: this.channel, message };
  }

  listen(onWake: (kinds: readonly string[] | null) => void): void {
    if (this.stopping !== undefined) return;
    this.stopping = new AbortController();
    this.listening = this.keepListening(onWake, this.stopping.signal);
  }

  async unlisten(): Promise<void> {
    this.stopping?.abort();
    this.stopping = undefined;
    await this.listening;
  }

  async close(): Promise<void> {
    await this.unlisten();
    await this.sending;
  }

  private async sendAll(): Promise<void> {
    while (this.pending.size > 0) {
      const kinds = [...this.pending];
      this.pending.clear();
      await this.send(kinds).catch((error: unknown) => {
        this.logger.debug(`Could not notify of new jobs; polling finds them: ${describeError(error)}`);
      });
      await sleep(NOTIFY_PAUSE_MS);
    }
  }

  private send(kinds: readonly string[]): Promise<unknown> {
    const { channel, message } = this.notification(kinds);
    return this.connections.run((sql) => sql.queryPrepared('SELECT pg_notify($1, $2)', [channel, message]));
  }

  private async keepListening(
    onWake: (kinds: readonly string[] | null) => void,
    signal: AbortSignal,
  ): Promise<void> {
    for (let failures = 0; !signal.aborted;) {
      try {
        const works = await this.listenOnce(onWake, signal, () => (failures = 0));
        if (!works) return;
      } catch (error) {
        failures += 1;
        if (failures === 1)
          this.logger.warn(`Listens for new jobs no more; polls until it can again: ${describeError(error)}`);
      }
      await sleep(
        Math.min(FIRST_RETRY_MS * 2 ** failures, MAX_RETRY_MS) * (0.75 + Math.random() / 2),
        signal,
      );
    }
  }

  /** @returns false where notifications do not arrive; rejects when the connection breaks; otherwise lasts until `signal` */
  private async listenOnce(
    onWake: (kinds: readonly string[] | null) => void,
    signal: AbortSignal,
    onUp: () => void,
  ): Promise<boolean> {
    const { postgres, master } = this.connections.dataSource.driver as unknown as Driver;
    const client = new postgres.Client(master.options);
    const broken = new Promise<never>((_resolve, reject) => {
      client.on('error', (error) => reject(error ?? new Error('The connection broke.')));
      client.on('end', () => reject(new Error('The connection was closed.')));
    });
    broken.catch(() => undefined);
    try {
      const echo = new Echo(JSON.stringify({ from: randomUUID(), kinds: [] } satisfies Message));
      client.on('notification', ({ payload }) => this.received(payload, echo, onWake));
      await answered(Promise.race([client.connect(), broken]));
      await answered(Promise.race([client.query(`LISTEN ${this.channel}`), broken]));
      await this.connections.run((sql) => sql.query('SELECT pg_notify($1, $2)', [this.channel, echo.text]));
      if (!(await endsWithin(echo.heard, ECHO_LIMIT_MS))) {
        this.logger.warn(
          'Notifications do not arrive, as behind a pooler in transaction mode; new jobs are found by polling.',
        );
        await client.query(`UNLISTEN ${this.channel}`);
        return false;
      }
      onUp();
      onWake(null); // whatever was missed before
      await Promise.race([broken, this.probe(client, signal)]);
      return true;
    } finally {
      await endsWithin(
        client.end().catch(() => undefined),
        ANSWER_LIMIT_MS,
      );
    }
  }

  private received(
    payload: string | undefined,
    echo: Echo,
    onWake: (kinds: readonly string[] | null) => void,
  ): void {
    if (payload === undefined || payload === echo.text) {
      echo.hear();
      return;
    }
    try {
      const { from, kinds } = JSON.parse(payload) as Message;
      if (from !== this.self && kinds?.length !== 0) onWake(kinds);
    } catch {
      onWake(null); // sent by hand, perhaps
    }
  }

  private async probe(client: Client, signal: AbortSignal): Promise<void> {
    while (await sleep(PROBE_INTERVAL_MS, signal)) await answered(client.query('SELECT 1'));
  }
}

/** @throws where there is no answer in time: the connection may be half open */
async function answered(request: Promise<unknown>): Promise<void> {
  if (!(await endsWithin(request, ANSWER_LIMIT_MS))) throw new Error('The connection does not answer.');
}

/** A message that must come back, and says nothing to anybody else. */
class Echo {
  readonly heard: Promise<void>;
  hear!: () => void;

  constructor(readonly text: string) {
    this.heard = new Promise((resolve) => {
      this.hear = resolve;
    });
  }
}
