import { setTimeout as sleep } from 'node:timers/promises';
import type { DataSourceOptions } from 'typeorm';
import { until } from '../../support/until.js';
import type { Scenario } from '../scenario.js';
import { mariadbAt } from '../servers/mariadb.js';
import type { MariadbCluster } from './mariadb.js';

const DATABASE = 'replication';
const LOAD_MS = 4_000;
/** Long enough for the five failed connections after which mysql2 drops a node for ever. */
const DOWN_MS = 6_000;
const OPTION = /restoreNodeTimeout/;

/** mysql2's PoolCluster drops a node after five failed connections. Only with `restoreNodeTimeout` does it come back. */
export const MARIADB_REPLICATION: Scenario<MariadbCluster> = {
  name: 'MariaDB, replication of TypeORM: lagging replica, master dead and back',
  async play(stage, { master, replica }) {
    await master.query('mysql', `CREATE DATABASE ${DATABASE} CHARACTER SET utf8mb4`);
    const find = `SELECT 1 FROM information_schema.schemata WHERE schema_name = '${DATABASE}'`;
    await until(async () => (await replica.query('mysql', find)).length > 0);
    const options = replicated(master.port, replica.port, { restoreNodeTimeout: 1_000 });
    stage.worker('w1', options);
    stage.worker('w2', options);
    stage.enqueuer('e1', options, { readsBack: true });
    // It serves a kind of its own, because it is lost with the master.
    const unset = replicated(master.port, replica.port, {});
    const lost = stage.worker('unset', unset, { kind: 'ha.never' });
    await stage.ready();
    await sleep(LOAD_MS);
    stage.expect(OPTION.test(lost.log), 'without restoreNodeTimeout, nothing is said of it at start');
    const before = lost.log.length;

    await master.kill();
    await sleep(DOWN_MS);
    await master.start();
    stage.healed();
    await sleep(LOAD_MS);

    const { stale, reads } = (await stage.conclude({ query: (text) => master.query(DATABASE, text) })).counts;
    stage.expect(reads > 0 && stale === 0, `${stale} of ${reads} reads after an enqueue were stale`);
    const [copied] = await replica.query(DATABASE, 'SELECT count(*) AS n FROM nest_jobs');
    stage.expect(Number(copied!.n) > 0, 'the replica has no jobs, so that it proves nothing');
    const errors = lost.log
      .slice(before)
      .split('\n')
      .filter((line) => line.includes(' ERROR '));
    const isNamed = errors.some((line) => OPTION.test(line));
    stage.expect(isNamed, 'without restoreNodeTimeout, no error line names it after the outage');
  },
};

function replicated(
  masterPort: number,
  slavePort: number,
  more: Readonly<Record<string, unknown>>,
): DataSourceOptions {
  const { type, poolSize, timezone, connectTimeout, host, username, database } = mariadbAt(
    masterPort,
    DATABASE,
  ) as unknown as Record<string, unknown>;
  const at = (port: number) => ({ host, port, username, database });
  const replication = { master: at(masterPort), slaves: [at(slavePort)], ...more };
  return { type, poolSize, timezone, connectTimeout, replication } as unknown as DataSourceOptions;
}
