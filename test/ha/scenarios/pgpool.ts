import { setTimeout as sleep } from 'node:timers/promises';
import type { Scenario } from '../scenario.js';
import { Pgpool } from '../servers/pgpool.js';
import { postgresAt } from '../servers/postgres.js';
import type { PostgresCluster } from './postgres.js';

const WORKERS = 2;
const LOAD_MS = 6_000;
/** How often the rows of running jobs are locked, and for how long. */
const LOCKS = 4;
const LOCK_MS = 1_000;

/**
 * pgpool forgets prepared statements when a session is cleared, and says so by ending the connection. Each worker may meet
 * that once.
 */
export const ONE_BACKEND: Scenario<PostgresCluster> = {
  name: 'pgpool-II before one server',
  async play(stage, cluster) {
    const { primary, folder } = cluster;
    const database = 'pooled';
    await cluster.create(database);
    const pool = await Pgpool.start(folder, 'one-backend', [primary.port], database);
    const through = postgresAt(pool.port, database);
    for (let number = 1; number <= WORKERS; number += 1) stage.worker(`w${number}`, through);
    stage.enqueuer('e1', through);
    await stage.ready();
    await sleep(LOAD_MS);
    const { counts } = await stage.conclude({ query: (text) => primary.query(database, text) });
    await pool.stop();
    stage.expect(counts.refusedEnqueues === 0, `${counts.refusedEnqueues} enqueues were refused`);
    const { errors } = stage.report;
    stage.expect(errors <= WORKERS, `${errors} lines of level error`);
  },
};

/** Reads go to a standby that is two seconds behind, unless the queue keeps its own on the primary. */
export const LOAD_BALANCING: Scenario<PostgresCluster> = {
  name: 'pgpool-II with load balancing, standby 2 s behind, locked rows',
  async play(stage, cluster) {
    const { primary, laggard, folder } = cluster;
    const database = 'balanced';
    await cluster.create(database);
    const pool = await Pgpool.start(folder, 'balancing', [primary.port, laggard.port], database);
    const through = postgresAt(pool.port, database);
    stage.worker('w1', through, { handlerMs: 200 });
    stage.worker('w2', through, { handlerMs: 200 });
    stage.enqueuer('e1', through, { readsBack: true, perSecond: 60 });
    await stage.ready();
    for (let count = 0; count < LOCKS; count += 1) {
      await sleep(500);
      await lockRunning(cluster, database);
    }
    const { counts } = await stage.conclude({ query: (text) => primary.query(database, text) });
    await pool.stop();
    const { stale, reads, crashes } = counts;
    stage.expect(reads > 0 && stale === 0, `${stale} of ${reads} reads after an enqueue were stale`);
    stage.expect(crashes === 0, `${crashes} crashes were counted though no worker has died`);
  },
};

/** Holds the rows of running jobs, as a report or a person at a console may, so that their outcomes are judged later. */
async function lockRunning({ primary }: PostgresCluster, database: string): Promise<void> {
  const client = await primary.connect(database);
  await client.query('BEGIN');
  await client.query('SELECT id FROM nest_jobs WHERE locked_by IS NOT NULL FOR UPDATE SKIP LOCKED');
  await sleep(LOCK_MS);
  await client.query('COMMIT');
  await client.end();
}
