import { setTimeout as sleep } from 'node:timers/promises';
import { Balancer } from '../balancer.js';
import { ANSWER_MS } from '../process.js';
import type { Scenario } from '../scenario.js';
import { postgresAt } from '../servers/postgres.js';
import type { PostgresCluster } from './postgres.js';

const LOAD_MS = 4_000;
/** How long it takes to notice that a primary is dead. */
const NOTICE_MS = 2_000;
/** What a busy machine may take in addition. */
const SPARE_MS = 4_000;

/** All processes reach the primary through a switch, as through haproxy before Patroni. */
export const SYNCHRONOUS_FAILOVER: Scenario<PostgresCluster> = {
  name: 'PostgreSQL: kill -9 of the primary, synchronous standby promoted',
  async play(stage, { primary, candidate }) {
    const database = 'failover';
    await primary.query('postgres', `CREATE DATABASE ${database}`);
    const balancer = await Balancer.start([primary.port]);
    const through = postgresAt(balancer.port, database);
    stage.worker('w1', through);
    stage.worker('w2', through);
    stage.enqueuer('e1', through);
    await stage.ready();
    await sleep(LOAD_MS);

    await primary.kill();
    await sleep(NOTICE_MS);
    await candidate.query('postgres', 'SELECT pg_promote()');
    balancer.switchTo(candidate.port);
    stage.healed();
    await sleep(LOAD_MS);

    await stage.conclude({ query: (text) => candidate.query(database, text) });
    await balancer.stop();
  },
};

/** What was sent to it is never answered, and its connections stay open. Only new ones reach the new primary. */
export const SILENT_PRIMARY: Scenario<PostgresCluster> = {
  name: 'PostgreSQL: the primary falls silent, synchronous standby promoted',
  async play(stage, { primary, candidate }) {
    const database = 'silent';
    await primary.query('postgres', `CREATE DATABASE ${database}`);
    const balancer = await Balancer.start([primary.port]);
    const through = postgresAt(balancer.port, database);
    stage.worker('w1', through);
    stage.worker('w2', through);
    stage.enqueuer('e1', through);
    await stage.ready();
    await sleep(LOAD_MS);

    primary.freeze();
    stage.healed(); // recovery includes that the processes notice
    await candidate.query('postgres', 'SELECT pg_promote()');
    balancer.divertTo(candidate.port);
    await sleep(ANSWER_MS + LOAD_MS);

    await stage.conclude({ query: (text) => candidate.query(database, text) });
    await balancer.stop();
    await primary.kill();
    const { acknowledgedMs = Infinity, claimedMs = Infinity } = stage.report;
    const isSoon = Math.max(acknowledgedMs, claimedMs) < ANSWER_MS + SPARE_MS;
    stage.expect(isSoon, `it took longer than databaseTimeoutMs and ${SPARE_MS} ms`);
  },
};
