import { createHash, randomUUID } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { Batcher } from '../../async/batcher.js';
import { sleep } from '../../async/timers.js';
import type { JobsEvents } from '../../events/jobs-events.js';
import type { Connections } from '../sql/connections.js';
import type { Notifier, OnWake } from '../sql/notifier.js';
import { PostgresListener } from './listener.js';

interface Message {
  readonly from: string;
  /** Null for any kind. */
  readonly kinds: readonly string[] | null;
  /** In how many milliseconds jobs of these kinds are due. Default: they are ready. */
  readonly inMs?: number;
}

/** Jobs of these kinds are due at an instant of `performance.now()`. */
interface Due {
  readonly kinds: readonly string[] | null;
  readonly at: number;
}

/** PostgreSQL takes at most 8000 bytes with a notification; a longer list of kinds becomes "any". */
const MAX_PAYLOAD_BYTES = 7_000;
/** Between two notifications. A worker that was woken by one looks again by itself while there are jobs. */
const NOTIFY_PAUSE_MS = 3;
/** Between two notifications of what is due later, of which the first is sent at once. None is late by more than this. */
const DUE_PAUSE_MS = 20;

/** Between two hints, of which the first is sent at once. */
const HINT_PAUSE_MS = 30;

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
    send: (lists) => this.send(NOTIFY_PAUSE_MS, { kinds: [...new Set(lists.flat())] }),
  });
  private readonly hintBatcher = new Batcher<string>({
    count: (waiting) => waiting.length,
    send: (names) => this.send(HINT_PAUSE_MS, { kinds: [...new Set(names)] }),
  });
  private readonly dueBatcher = new Batcher<Due>({
    count: (waiting) => waiting.length,
    send: (dues) => this.sendDue(dues),
  });
  private listener: PostgresListener | undefined;
  /** When all earlier listeners have stopped. */
  private stopped: Promise<unknown> = Promise.resolve();

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

  notifyDue(kinds: readonly string[] | null, inMs: number): void {
    this.dueBatcher.add({ kinds, at: performance.now() + inMs });
  }

  hint(name: string): void {
    this.hintBatcher.add(name);
  }

  listen(onWake: OnWake): void {
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

  get isListening(): boolean {
    return this.listener?.isHearing === true;
  }

  async unlisten(): Promise<void> {
    const stopped = this.listener?.stop();
    this.listener = undefined;
    this.stopped = Promise.all([this.stopped, stopped]);
    await this.stopped;
  }

  async close(): Promise<void> {
    await this.unlisten();
    await Promise.all([this.batcher.idle(), this.dueBatcher.idle(), this.hintBatcher.idle()]);
  }

  /** Tells the earliest time of all. Workers of the other kinds look then, and find out about their own. */
  private sendDue(dues: readonly Due[]): Promise<void> {
    const isAny = dues.some(({ kinds }) => kinds === null);
    const kinds = isAny ? null : [...new Set(dues.flatMap(({ kinds }) => kinds ?? []))];
    const firstAt = dues.reduce((first, { at }) => Math.min(first, at), Infinity);
    return this.send(DUE_PAUSE_MS, { kinds, inMs: Math.max(0, firstAt - performance.now()) });
  }

  private async send(pauseMs: number, told: Omit<Message, 'from'>): Promise<void> {
    const parameters = [this.channel, this.messageFor(told)];
    try {
      await this.connections.run((sql) => sql.query(NOTIFY, parameters, { isFrequent: true }));
    } catch (error) {
      this.events.emit('notifyFailed', { error });
    }
    await sleep(pauseMs);
  }

  private messageFor(told: Omit<Message, 'from'>): string {
    const message = JSON.stringify({ from: this.self, ...told } satisfies Message);
    if (Buffer.byteLength(message) <= MAX_PAYLOAD_BYTES) return message;
    return JSON.stringify({ from: this.self, ...told, kinds: null } satisfies Message);
  }

  /** @param payload undefined where something may have been missed */
  private received(payload: string | undefined, onWake: OnWake): void {
    if (payload === undefined) {
      onWake(null);
      return;
    }
    const message = read(payload);
    if (message !== undefined && message.from !== this.self) onWake(message.kinds, message.inMs);
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
  const { kinds, inMs = 0 } = message;
  if (typeof inMs !== 'number' || !(inMs >= 0)) return false;
  if (kinds === null) return true;
  return Array.isArray(kinds) && kinds.length > 0 && kinds.every((kind) => typeof kind === 'string');
}
