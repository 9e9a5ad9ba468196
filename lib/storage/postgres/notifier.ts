import { createHash, randomUUID } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { Batcher } from '../../async/batcher.js';
import { sleep } from '../../async/timers.js';
import type { JobsEvents } from '../../events/jobs-events.js';
import type { Connections } from '../sql/connections.js';
import type { Notifier } from '../sql/notifier.js';
import { PostgresListener } from './listener.js';

interface Message {
  readonly from: string;
  /** Null for any kind. */
  readonly kinds: readonly string[] | null;
}

/** PostgreSQL takes at most 8000 bytes with a notification; a longer list of kinds becomes "any". */
const MAX_PAYLOAD_BYTES = 7_000;
/** Between two notifications. A worker that was woken by one looks again by itself while there are jobs. */
const NOTIFY_PAUSE_MS = 3;

const NOTIFY = 'SELECT pg_notify($1, $2)';

/**
 * LISTEN and NOTIFY. A notification is sent after the commit and over the pool. Within the transaction it would take a
 * lock until the commit is on the disk, which lets such commits through one at a time. If the process dies in between,
 * the notification is lost, and polling finds the job.
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
    private readonly dataSource: DataSource,
    private readonly connections: Connections,
    table: string,
    private readonly events: JobsEvents,
  ) {
    this.channel = `jobs_${createHash('sha1').update(table).digest('hex').slice(0, 20)}`;
  }

  notify(kinds: readonly string[]): void {
    if (kinds.length > 0) this.batcher.add(kinds);
  }

  listen(onWake: (kinds: readonly string[] | null) => void): void {
    if (this.listener !== undefined) return;
    const onMessage = (payload: string | undefined) => this.received(payload, onWake);
    this.listener = new PostgresListener(
      this.dataSource,
      this.connections,
      this.channel,
      this.events,
      onMessage,
    );
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
    const parameters = [this.channel, this.messageFor(kinds)];
    try {
      await this.connections.run((sql) => sql.query(NOTIFY, parameters, { isFrequent: true }));
    } catch (error) {
      this.events.emit('notifyFailed', { error });
    }
    await sleep(NOTIFY_PAUSE_MS);
  }

  private messageFor(kinds: readonly string[]): string {
    const message = JSON.stringify({ from: this.self, kinds } satisfies Message);
    if (Buffer.byteLength(message) <= MAX_PAYLOAD_BYTES) return message;
    return JSON.stringify({ from: this.self, kinds: null } satisfies Message);
  }

  /** @param payload undefined where something may have been missed */
  private received(payload: string | undefined, onWake: (kinds: readonly string[] | null) => void): void {
    if (payload === undefined) {
      onWake(null);
      return;
    }
    const message = read(payload);
    if (message !== undefined && message.from !== this.self) onWake(message.kinds);
  }
}

/** @returns undefined for a message that is not ours: anyone who may connect to the database may send one */
function read(payload: string): Message | undefined {
  try {
    const message = JSON.parse(payload) as Partial<Message> | null;
    return isMessage(message) ? message : undefined;
  } catch {
    return undefined;
  }
}

function isMessage(message: Partial<Message> | null): message is Message {
  if (typeof message !== 'object' || message === null || typeof message.from !== 'string') return false;
  const { kinds } = message;
  if (kinds === null) return true;
  return Array.isArray(kinds) && kinds.length > 0 && kinds.every((kind) => typeof kind === 'string');
}
