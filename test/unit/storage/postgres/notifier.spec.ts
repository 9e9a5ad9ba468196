import { EventEmitter } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { deferred } from '../../../../lib/async/deferred.js';
import { JobsEvents } from '../../../../lib/events/jobs-events.js';
import { PostgresNotifier } from '../../../../lib/storage/postgres/notifier.js';
import type { Connections } from '../../../../lib/storage/sql/connections.js';
import { until } from '../../../support/until.js';

describe('PostgresNotifier', () => {
  it('is closed when its connection is, also where it had begun to stop listening before', async () => {
    const [ending, ended] = [deferred(), deferred()];
    const clients: EventEmitter[] = [];
    class Client extends EventEmitter {
      constructor() {
        super();
        clients.push(this);
      }

      readonly connect = () => Promise.resolve();
      readonly query = () => Promise.resolve();
      readonly end = () => {
        ending.resolve();
        return ended.promise;
      };
    }
    const query = (_text: string, [, payload]: string[]) => {
      clients.at(-1)!.emit('notification', { payload });
      return Promise.resolve([]);
    };
    const connections = {
      run: (work: (sql: unknown) => unknown) => work({ query }),
    } as unknown as Connections;
    const driver = { postgres: { Client }, master: { options: {} } };
    const dataSource = { driver } as unknown as DataSource;
    const notifier = new PostgresNotifier(dataSource, connections, 'nest_jobs', new JobsEvents());
    notifier.listen(() => undefined);
    await until(() => notifier.isListening);

    const order: string[] = [];
    void notifier.unlisten();
    await ending.promise;
    const closed = notifier.close().then(() => order.push('closed'));
    await new Promise((resolve) => setImmediate(resolve)); // time enough for a close that waits for nothing
    order.push('connection ended');
    ended.resolve();
    await closed;
    expect(order).toEqual(['connection ended', 'closed']);
  });
});
