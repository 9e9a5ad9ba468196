import { createHash, randomUUID } from 'node:crypto';
import { Batcher } from '../../async/batcher.js';
import { sleep } from '../../async/timers.js';
import type { JobsEvents } from '../../events/jobs-events.js';
import type { Connections } from '../sql/connections.js';
import type { Notification, Notifier } from '../sql/notifier.js';
import { PostgresListener } from './postgres-listener.js';

interface Message {
  readonly from: string;
  /** Null for any. */
  readonly kinds: readonly string[] | null;
}

/** PostgreSQL takes at most 8000 bytes with a notification; a longer list of kinds becomes "any". */
const MAX_PAYLOAD = 7_000;
/** Between two notifications: a worker that was woken by one looks again by itself while there are jobs. */
const NOTIFY_PAUSE_MS = 3;

/**
 * LISTEN and NOTIFY. A notification is sent after the commit and over the pool, and only now and then within the
 * transaction: there it takes a lock that lets commits through one at a time. It is lost where the process dies in between,
 * and then polling finds the job.
 */
export class PostgresNotifier implements Notifier {
  private readonly channel: string;
  private readonly self = randomUUID();
  private readonly batcher = new Batcher<readonly string[]>({
    count: (waiting) => waiting.length,
    send: (lists) => this.send([...new Set(lists.flat())]),
  });
  private listener: PostgresListener | undefined;

  constructor(
    private readonly connections: Connections,
    table: string,
    private readonly events: JobsEvents,
  ) {
    this.channel = `jobs_${createHash('sha1').update(table).digest('hex').slice(0, 20)}`;
  }

  notify(kinds: readonly string[]): void {
    if (kinds.length > 0) this.batcher.add(kinds);
  }

  notification(kinds: readonly string[]): Notification {
    const payload = JSON.stringify({ from: this.self, kinds } satisfies Message);
    const fits = Buffer.byteLength(payload) <= MAX_PAYLOAD;
    const message = fits ? payload : JSON.stringify({ from: this.self, kinds: null } satisfies Message);
    return { channel: this.channel, message };
  }

  listen(onWake: (kinds: readonly string[] | null) => void): void {
    if (this.listener !== undefined) return;
    const onMessage = (payload: string | undefined) => this.received(payload, onWake);
    this.listener = new PostgresListener(this.connections, this.channel, this.events, onMessage);
    this.listener.start();
  }

  async unlisten(): Promise<void> {
    const { listener } = this;
    this.listener = undefined;
    await listener?.stop();
  }

  async close(): Promise<void> {
    await this.unlisten();
    await this.batcher.idle();
  }

  private async send(kinds: readonly string[]): Promise<void> {
    const { channel, message } = this.notification(kinds);
    try {
      await this.connections.run((sql) => sql.queryPrepared('SELECT pg_notify($1, $2)', [channel, message]));
    } catch (error) {
      this.events.emit('notifyFailed', { error });
    }
    await sleep(NOTIFY_PAUSE_MS);
  }

  private received(payload: string | undefined, onWake: (kinds: readonly string[] | null) => void): void {
    const message = payload === undefined ? undefined : read(payload);
    if (message === undefined) onWake(null);
    else if (message.from !== this.self && message.kinds?.length !== 0) onWake(message.kinds);
  }
}

/** @returns undefined where it is none of ours: sent by hand, perhaps */
function read(payload: string): Message | undefined {
  try {
    return JSON.parse(payload) as Message;
  } catch {
    return undefined;
  }
}
