import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../support/until.js';
import { Balancer } from '../balancer.js';
import type { Scenario } from '../scenario.js';
import { mariadbAt, type MariadbServer } from '../servers/mariadb.js';
import { now } from '../records.js';
import type { Stage } from '../stage.js';
import { isReady, type GaleraCluster } from './galera.js';

const LOAD_MS = 4_000;
const ISOLATED_MS = 10_000;
const QUIET_MS = 5_000;
/** Later than the quiet enqueuer goes on, and before the node comes back. */
const REFUSED_MS = 9_000;
const BACKLOG = 6_000;
const PAUSE_MS = 200;
const BALLAST = 30_000;

export const NODE_EACH: Scenario<GaleraCluster> = {
  name: 'Galera: a node for each process',
  async play(stage, cluster) {
    const [one, two, three] = await withDatabase(cluster, 'apart');
    stage.enqueuer('e1', mariadbAt(three.port, 'apart'), { backlog: BACKLOG / 2 });
    await stage.ready();
    stage.worker('w1', mariadbAt(one.port, 'apart'), { handlerMs: 0, concurrency: 20 });
    stage.worker('w2', mariadbAt(two.port, 'apart'), { handlerMs: 0, concurrency: 20 });
    await stage.ready();
    await sleep(LOAD_MS);
    await concludeOn(stage, one, 'apart');
  },
};

export const SPREAD: Scenario<GaleraCluster> = {
  name: 'Galera: each pool spread over all nodes, wsrep_sync_wait = 0',
  play: (stage, cluster) => playSpread(stage, cluster, 'spread', 0),
};

export const SPREAD_AND_WAITING: Scenario<GaleraCluster> = {
  name: 'Galera: each pool spread over all nodes, wsrep_sync_wait = 1',
  async play(stage, cluster) {
    await playSpread(stage, cluster, 'waiting', 1);
    const { stale, reads } = stage.report.counts!;
    stage.expect(reads > 0 && stale === 0, `${stale} of ${reads} reads after an enqueue were stale`);
  },
};

/** Outcomes go to a node that is at a large transaction of another, and has not even the jobs yet that came after it. */
export const SETTLED_ELSEWHERE: Scenario<GaleraCluster> = {
  name: 'Galera: outcomes go to a node that is behind, wsrep_sync_wait = 0',
  async play(stage, cluster) {
    const database = 'elsewhere';
    const [one, , three] = await withDatabase(cluster, database);
    stage.enqueuer('e1', mariadbAt(one.port, database));
    await stage.ready();
    const settlesOn = mariadbAt(three.port, database);
    stage.worker('w1', mariadbAt(one.port, database), { handlerMs: 0, settlesOn });
    await stage.ready();
    const end = now() + LOAD_MS;
    await one.query(database, 'CREATE TABLE ballast (id int PRIMARY KEY, changes int NOT NULL)');
    await one.query(database, `INSERT INTO ballast SELECT seq, 0 FROM seq_1_to_${BALLAST}`);
    while (now() < end) await one.query(database, 'UPDATE ballast SET changes = changes + 1');
    await concludeOn(stage, one, database);
  },
};

/** A settlement may reach a node that has not applied the claim yet. A node that pauses makes that likely. */
async function playSpread(
  stage: Stage,
  cluster: GaleraCluster,
  database: string,
  syncWait: 0 | 1,
): Promise<void> {
  const nodes = await withDatabase(cluster, database);
  for (const node of nodes) await node.query('mysql', `SET GLOBAL wsrep_sync_wait = ${syncWait}`);
  // A balancer for each process, so that the few connections that a pool opens are surely to different nodes.
  const balancers: Balancer[] = [];
  const through = async () => {
    const balancer = await Balancer.start(nodes.map(({ port }) => port));
    balancers.push(balancer);
    return mariadbAt(balancer.port, database);
  };
  stage.enqueuer('e1', await through(), { backlog: BACKLOG, readsBack: true });
  await stage.ready();
  for (const name of ['w1', 'w2', 'w3'])
    stage.worker(name, await through(), { handlerMs: 0, concurrency: 20 });
  const over = new AbortController();
  const pauses = pauseUntil(over.signal, nodes[2], database);
  await stage.ready();
  await sleep(LOAD_MS);
  over.abort();
  await pauses;
  await concludeOn(stage, nodes[0], database);
  await Promise.all(balancers.map((balancer) => balancer.stop()));
}

/** A node that applies nothing for a moment, again and again, as while a backup begins. Reads there are behind. */
async function pauseUntil(signal: AbortSignal, node: MariadbServer, database: string): Promise<void> {
  const connection = await node.connect(database);
  while (!signal.aborted) {
    await connection.query('FLUSH TABLES WITH READ LOCK');
    await sleep(PAUSE_MS);
    await connection.query('UNLOCK TABLES');
    await sleep(PAUSE_MS);
  }
  connection.destroy();
}

/**
 * A balancer that checks the nodes spreads a worker and an enqueuer over them. The other worker has the node that is cut
 * off to itself, and the other enqueuer has its only connection there.
 */
export const CUT_OFF: Scenario<GaleraCluster> = {
  name: 'Galera: a node is cut off for 10 s and comes back',
  async play(stage, cluster) {
    const database = 'cut_off';
    const [one, two, three] = await withDatabase(cluster, database);
    const nodes = [one, two, three];
    for (const node of nodes) await node.query('mysql', 'SET GLOBAL wsrep_sync_wait = 1');
    const ports = nodes.map(({ port }) => port);
    const start = () => Balancer.start(ports, (port) => isReady(nodes[ports.indexOf(port)]!));
    const [balancer, other] = [await start(), await start()];
    const through = mariadbAt(balancer.port, database);
    stage.worker('w1', through);
    stage.worker('w2', mariadbAt(two.port, database));
    stage.enqueuer('e1', through, { readsBack: true }); // on several connections, of which some are to each node
    // Its first connection is to the second node, and it needs no other one.
    const quiet = stage.enqueuer('e2', mariadbAt(other.port, database), { perSecond: 20 });
    await stage.ready();
    await sleep(LOAD_MS);

    // Nothing of it is on the way when the node is cut off, so that it is its next look that is refused.
    quiet.send('SIGSTOP');
    const cutOffAt = now();
    await two.query('mysql', `SET GLOBAL wsrep_provider_options = 'gmcast.isolate=1'`);
    stage.healed(); // for the others: the cluster has to notice
    await sleep(QUIET_MS);
    quiet.send('SIGCONT');
    await sleep(ISOLATED_MS - QUIET_MS);
    await two.query('mysql', `SET GLOBAL wsrep_provider_options = 'gmcast.isolate=0'`);
    await until(() => isReady(two), { timeoutMs: 20_000, what: 'the return of the node' });
    await sleep(LOAD_MS);

    const evidence = await concludeOn(stage, one, database);
    await Promise.all([balancer.stop(), other.stop()]);
    const ms = Math.round(evidence.refusedFor(cutOffAt));
    stage.expect(ms < REFUSED_MS, `calls were still refused ${ms} ms after the node was cut off`);
  },
};

export const KILLED_NODE: Scenario<GaleraCluster> = {
  name: 'Galera: kill -9 of a node',
  async play(stage, cluster) {
    const database = 'killed';
    const [one, two, three] = await withDatabase(cluster, database);
    const balancer = await Balancer.start([three.port, one.port]);
    const through = mariadbAt(balancer.port, database);
    stage.worker('w1', through);
    stage.worker('w2', mariadbAt(two.port, database));
    stage.enqueuer('e1', through, { readsBack: true }); // on several connections, of which some are to each node
    await stage.ready();
    await sleep(LOAD_MS);

    await three.kill();
    stage.healed();
    await sleep(LOAD_MS * 2);
    await concludeOn(stage, one, database);
    await balancer.stop();
  },
};

async function withDatabase(
  cluster: GaleraCluster,
  database: string,
): Promise<readonly [MariadbServer, MariadbServer, MariadbServer]> {
  await cluster.create(database);
  const [one, two, three] = cluster.nodes;
  return [one!, two!, three!];
}

function concludeOn(stage: Stage, node: MariadbServer, database: string) {
  return stage.conclude({ query: (text) => node.query(database, text) });
}
