import { EventEmitter, getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { JobsEvents } from '../../../../lib/events/jobs-events.js';
import { PostgresListener } from '../../../../lib/storage/postgres/listener.js';
import type { Connections } from '../../../../lib/storage/sql/connections.js';
import { FAKE_TIMERS, heard } from '../../fakes.js';

/** Connections that answer everything, until a test breaks them. */
class Client extends EventEmitter {
  static opened: Client[] = [];
  readonly queries: string[] = [];

  constructor() {
    super();
    Client.opened.push(this);
  }

  connect(): Promise<void> {
    return Promise.resolve();
  }

  query(text: string): Promise<void> {
    this.queries.push(text);
    return Promise.resolve();
  }

  end(): Promise<void> {
    return Promise.resolve();
  }
}

describe('PostgresListener', () => {
  let events: JobsEvents;
  let listener: PostgresListener;
  let messages: (string | undefined)[];

  beforeEach(() => {
    jest.useFakeTimers(FAKE_TIMERS);
    Client.opened = [];
    messages = [];
    events = new JobsEvents();
    const driver = { postgres: { Client }, master: { options: {} } };
    const connections = {
      run: (work: (sql: unknown) => unknown) =>
        work({
          query: (_text: string, [, payload]: string[]) => {
            Client.opened.at(-1)!.emit('notification', { payload });
            return Promise.resolve([]);
          },
        }),
    } as unknown as Connections;
    listener = new PostgresListener(
      { driver } as unknown as DataSource,
      connections,
      'jobs',
      events,
      (payload) => messages.push(payload),
    );
    listener.start();
  });

  afterEach(async () => {
    await listener.stop();
    expect(jest.getTimerCount()).toBe(0);
    jest.useRealTimers();
  });

  async function breakAfter(ms: number): Promise<void> {
    const { length } = Client.opened;
    await jest.advanceTimersByTimeAsync(ms);
    Client.opened.at(-1)!.emit('error', new Error('terminating connection'));
    while (Client.opened.length === length) await jest.advanceTimersByTimeAsync(10);
  }

  it('says once that it listens no more, however often its connections break within an outage', async () => {
    const failed = heard(events, 'listenFailed');
    for (let round = 0; round < 15; round++) await breakAfter(500);
    expect(failed.map(({ failures }) => failures)).toEqual(Array.from({ length: 15 }, (_, n) => n + 1));
    await breakAfter(60_000); // the one before has held
    expect(failed.at(-1)!.failures).toBe(1);
  });

  it('leaves no probe asleep for a connection that is gone, and no listener on its signal', async () => {
    const listening = jest.spyOn(AbortSignal.prototype, 'addEventListener');
    for (let round = 0; round < 15; round++) await breakAfter(500);
    await jest.advanceTimersByTimeAsync(500);
    expect(jest.getTimerCount()).toBe(1); // the probe of the connection that there is
    const counts = listening.mock.contexts.map(
      (signal) => getEventListeners(signal as EventTarget, 'abort').length,
    );
    expect(Math.max(...counts)).toBeLessThanOrEqual(1);
    listening.mockRestore();
  });

  it('turns off for its own session that the server ends idle ones, once it knows that the session is its own', async () => {
    await jest.advanceTimersByTimeAsync(0);
    const [client] = Client.opened;
    expect(client!.queries).toEqual(['LISTEN jobs', expect.stringContaining('idle_session_timeout')]);
    expect(messages).toEqual([undefined]);
  });
});
