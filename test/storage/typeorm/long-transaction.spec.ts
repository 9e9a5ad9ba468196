import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import type { QueryRunner } from 'typeorm';
import { dialectFor } from '../../../lib/storage/typeorm/dialect-for.js';
import { sqlThrough } from '../../../lib/storage/sql/sql.js';
import { describeOn, oneOfEach } from '../../support/databases.js';
import { until } from '../../support/until.js';
import { KIND, SqlStore } from '../../support/store.js';

/* What a worker finds out when its claims have become slow; see SlowClaims. */
describeOn(oneOfEach, 'On $name', (server) => {
  const store = new SqlStore(server);
  let asking: QueryRunner;
  let open: QueryRunner;

  beforeAll(async () => {
    await store.start();
    await store.reset();
    asking = store.dataSource.createQueryRunner();
    open = store.dataSource.createQueryRunner();
  });
  afterAll(async () => {
    await asking.release();
    await open.release();
    await store.stop();
  });

  /** MariaDB looks again only if it has not been asked for a tenth of a second. */
  const longTransaction = async (ms: number) => {
    await sleep(200);
    const dialect = dialectFor(store.dataSource, { tablePrefix: 'nest_' });
    return dialect.diagnosis.longTransaction(sqlThrough(asking), ms);
  };

  /** Other tests have transactions of their own on a server that they share, but none that stays open. */
  const findsOurs = async (wanted: boolean) => {
    const id = String(await connectionId());
    await until(async () => ((await longTransaction(100))?.description.includes(id) ?? false) === wanted, {
      what: wanted ? 'ours is found' : 'ours is found no more',
    });
  };
  const connectionId = async () => {
    const [row] = (await open.query(
      store.isMysql ? 'SELECT CONNECTION_ID() AS id' : 'SELECT pg_backend_pid() AS id',
    )) as [{ id: unknown }];
    return row.id;
  };

  it('a transaction that stays open is found, for as long as it is', async () => {
    await findsOurs(false);
    await open.startTransaction();
    await store.client.enqueue(KIND, null, { manager: open.manager });
    await findsOurs(true);
    const found = (await longTransaction(100))!;
    expect(found.openMs).toBeGreaterThan(100);
    expect(found.openMs).toBeLessThan(60_000);
    expect(found.description).toMatch(/^(process|connection) \d+/);
    expect(await longTransaction(60_000)).toBeNull();
    await open.rollbackTransaction();
    await findsOurs(false);
  });
});
