import { randomUUID } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { deferred } from '../../async/deferred.js';
import { Loop, type Startable } from '../../async/loop.js';
import { ExponentialPause } from '../../async/pauses.js';
import { isTestRun } from '../../async/test-run.js';
import { answeredWithin, endsWithin, sleep } from '../../async/timers.js';
import type { JobsEvents } from '../../events/jobs-events.js';
import type { Connections } from '../sql/connections.js';

/** The part of `pg.Client` that is used. */
interface Client {
  connect(): Promise<unknown>;
  query(text: string): Promise<unknown>;
  end(): Promise<void>;
  /** That of pg-native has none. */
  unref?(): void;
  on(event: 'notification', listener: (message: { payload?: string }) => void): void;
  on(event: 'error' | 'end', listener: (error?: Error) => void): void;
}

/** The part of TypeORM's PostgresDriver that is used. */
interface Driver {
  readonly postgres: { readonly Client: new (options: unknown) => Client };
  readonly master: { readonly options: unknown };
}

const FIRST_PAUSE_MS = 200;
const MAX_PAUSE_MS = 5_000;
const PROBE_INTERVAL_MS = 20_000;
const ANSWER_LIMIT_MS = 5_000;
/** The session of a listener is idle by nature. PostgreSQL 13 and earlier have no such setting. */
const NO_IDLE_TIMEOUT = `SELECT set_config(name, '0', false) FROM pg_settings WHERE name = 'idle_session_timeout'`;
/** Behind a pooler in transaction mode LISTEN succeeds and nothing ever arrives. */
const ECHO_LIMIT_MS = 1_000;

/** Listens on one channel over a connection of its own, and over a new one when that breaks. */
export class PostgresListener implements Startable {
  private readonly loop = new Loop((signal, succeeded) => this.listen(signal, succeeded), {
    pause: new ExponentialPause(FIRST_PAUSE_MS, MAX_PAUSE_MS),
    onFailure: (error, failures) => this.events.emit('listenFailed', { error, failures }),
  });

  /** Whether messages arrive, as far as is known. */
  isHearing = false;

  /** @param onMessage called with what arrives, and with undefined if something may have been missed before */
  constructor(
    private readonly dataSource: DataSource,
    private readonly connections: Connections,
    private readonly channel: string,
    private readonly events: JobsEvents,
    private readonly onMessage: (payload: string | undefined) => void,
  ) {}

  start(): void {
    this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  /** Listens until the signal aborts. Rejects when the connection breaks. */
  private async listen(signal: AbortSignal, succeeded: () => void): Promise<void> {
    const { postgres, master } = this.dataSource.driver as unknown as Driver;
    const client = new postgres.Client(master.options);
    const broken = breakOf(client);
    const end = endOf(signal);
    try {
      await answered(client.connect(), broken);
      if (isTestRun) client.unref?.();
      if (await this.hears(client, broken)) {
        // LISTEN stands in it so that pg_stat_activity shows what the session is for.
        await answered(client.query(`LISTEN ${this.channel}; ${NO_IDLE_TIMEOUT}`), broken);
        this.isHearing = true;
        this.onMessage(undefined);
        await Promise.race([broken, this.probe(client, end.signal, succeeded)]);
        return;
      }
      this.events.emit('notificationsMissing', {});
    } finally {
      this.isHearing = false;
      end.now();
      await endsWithin(
        client.end().catch(() => undefined),
        ANSWER_LIMIT_MS,
      );
    }
    await sleep(Infinity, signal);
  }

  /** Begins to listen. @returns whether a message to itself arrives */
  private async hears(client: Client, broken: Promise<never>): Promise<boolean> {
    const echo = `echo ${randomUUID()}`;
    const echoed = deferred();
    client.on('notification', ({ payload }) => {
      if (payload === echo) echoed.resolve();
      else if (payload?.startsWith('echo ') !== true) this.onMessage(payload);
    });
    await answered(client.query(`LISTEN ${this.channel}`), broken);
    await this.connections.run((sql) => sql.query('SELECT pg_notify($1, $2)', [this.channel, echo]));
    if (await endsWithin(echoed.promise, ECHO_LIMIT_MS)) return true;
    await client.query(`UNLISTEN ${this.channel}`);
    return false;
  }

  /**
   * Looks now and then whether the connection still answers. The first answer shows that it lasts: one that breaks before
   * belongs to the outage before it, and is not told of again.
   */
  private async probe(client: Client, signal: AbortSignal, succeeded: () => void): Promise<void> {
    while (await sleep(PROBE_INTERVAL_MS, signal)) {
      await answered(client.query('SELECT 1'));
      succeeded();
    }
  }
}

/** A signal that aborts with another one, or when `now` is called, which leaves nothing behind on the other one. */
function endOf(signal: AbortSignal): { readonly signal: AbortSignal; readonly now: () => void } {
  const controller = new AbortController();
  const now = () => {
    signal.removeEventListener('abort', now);
    controller.abort();
  };
  signal.addEventListener('abort', now, { once: true });
  return { signal: controller.signal, now };
}

/** Rejects when the connection breaks. */
function breakOf(client: Client): Promise<never> {
  const broken = deferred<never>();
  broken.promise.catch(() => undefined);
  client.on('error', (error) => broken.reject(error ?? new Error('The connection broke.')));
  client.on('end', () => broken.reject(new Error('The connection was closed.')));
  return broken.promise;
}

/** Waits for an answer. Rejects if none comes in time: the connection may be half open. */
function answered(request: Promise<unknown>, broken?: Promise<never>): Promise<unknown> {
  const answer = broken === undefined ? request : Promise.race([request, broken]);
  return answeredWithin(answer, ANSWER_LIMIT_MS, () => new Error('The connection does not answer.'));
}
