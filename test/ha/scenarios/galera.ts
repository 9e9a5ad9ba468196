import { group } from '../scenario.js';
import { installMariadb, MariadbServer } from '../servers/mariadb.js';
import { freePort } from '../../support/free-port.js';
import { until } from '../../support/until.js';
import {
  CUT_OFF,
  KILLED_NODE,
  NODE_EACH,
  SETTLED_ELSEWHERE,
  SPREAD,
  SPREAD_AND_WAITING,
} from './galera-scenarios.js';

const PROVIDER = '/usr/lib/galera/libgalera_smm.so';
const SIZE = 3;
/**
 * A silent node is left out after three seconds instead of five, which keeps the scenarios short. The limit for a new
 * view, half of `inactive_timeout`, stays long enough for a busy machine: nodes that miss it split the cluster further.
 */
const SUSPECT = 'evs.keepalive_period=PT0.5S;evs.suspect_timeout=PT3S;evs.inactive_timeout=PT10S';

/** A Galera cluster of three nodes. */
export class GaleraCluster {
  private constructor(readonly nodes: readonly MariadbServer[]) {}

  static async start(folder: string): Promise<GaleraCluster> {
    const template = await installMariadb(folder);
    const ports: number[] = [];
    for (let count = 0; count < SIZE; count += 1) ports.push(await freePort());
    const address = `gcomm://${ports.map((port) => `127.0.0.1:${port}`).join(',')}`;
    const nodes: MariadbServer[] = [];
    for (const [index, port] of ports.entries()) {
      const provider = `gmcast.listen_addr=tcp://127.0.0.1:${port};ist.recv_addr=127.0.0.1:${await freePort()};${SUSPECT}`;
      const node = await MariadbServer.prepare(folder, `node-${index + 1}`, template, [
        ...['--wsrep-on=ON', `--wsrep-provider=${PROVIDER}`, `--wsrep-cluster-address=${address}`],
        ...['--wsrep-cluster-name=ha', `--wsrep-node-address=127.0.0.1:${port}`],
        ...[`--wsrep-provider-options=${provider}`, '--binlog-format=ROW', '--innodb-autoinc-lock-mode=2'],
        ...['--wsrep-sst-method=rsync', `--wsrep-sst-receive-address=127.0.0.1:${await freePort()}`],
      ]);
      await node.start(...(index === 0 ? ['--wsrep-new-cluster'] : []));
      nodes.push(node);
      await until(() => isReady(node), { timeoutMs: 30_000, what: `the readiness of ${node.name}` });
    }
    return new GaleraCluster(nodes);
  }

  /** Makes a database of the scenario's own. */
  async create(database: string): Promise<void> {
    await this.nodes[0]!.query('mysql', `CREATE DATABASE ${database} CHARACTER SET utf8mb4`);
    for (const node of this.nodes)
      await until(() =>
        node.query(database, 'SELECT 1').then(
          () => true,
          () => false,
        ),
      );
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
  }
}

/** What the script `clustercheck` tells a balancer: the node is part of the primary component, and takes statements. */
export async function isReady(node: MariadbServer): Promise<boolean> {
  const rows = await node.query('mysql', `SHOW STATUS LIKE 'wsrep_ready'`).catch(() => []);
  return rows[0]?.Value === 'ON';
}

/** The last one leaves the cluster without a node. */
export const GALERA = group({
  name: 'Galera, three nodes',
  start: (folder) => GaleraCluster.start(folder),
  scenarios: [NODE_EACH, SETTLED_ELSEWHERE, SPREAD, SPREAD_AND_WAITING, CUT_OFF, KILLED_NODE],
});
