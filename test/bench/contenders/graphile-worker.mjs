import { Logger, makeWorkerUtils, run } from 'graphile-worker';
import pg from 'pg';

const SILENT = new Logger(() => () => {});
/** The settings of its documentation's own benchmark. */
const TUNED = {
  concurrentJobs: 24,
  localQueue: { size: 500 },
  completeJobBatchDelay: 0,
  failJobBatchDelay: 0,
};

/** It deletes jobs that are done, and stores no results. */
export class GraphileWorker {
  constructor({ postgresUrl, tuned = false }) {
    this.url = postgresUrl;
    this.preset = { worker: tuned ? TUNED : { concurrentJobs: 10 } };
  }

  async open() {
    this.pool = new pg.Pool({ connectionString: this.url, max: 16 });
    const report = (error) => console.error('graphile-worker:', error.message);
    this.pool.on('error', report);
    this.pool.on('connect', (client) => client.on('error', report)); // graphile-worker requires both listeners
    this.utils = await makeWorkerUtils({ pgPool: this.pool, logger: SILENT });
    await this.utils.migrate();
  }

  async reset() {
    await this.utils.release();
    await this.pool.query('DROP SCHEMA IF EXISTS graphile_worker CASCADE');
    await this.pool.query(
      'CREATE TABLE IF NOT EXISTS graphile_orders (id serial PRIMARY KEY, email text NOT NULL)',
    );
    await this.pool.end();
    await this.open();
  }

  async enqueue(payload) {
    await this.utils.addJob('bench', payload);
  }

  async enqueueAt(payload, ms) {
    await this.utils.addJob('bench', payload, { runAt: new Date(ms) });
  }

  async enqueueMany(payloads) {
    await this.utils.addJobs(payloads.map((payload) => ({ identifier: 'bench', payload })));
  }

  async enqueueInTransaction(payload) {
    const client = await this.pool.connect();
    await client.query('BEGIN');
    await client.query('INSERT INTO graphile_orders (email) VALUES ($1)', ['a@example.com']);
    await client.query(`SELECT graphile_worker.add_job('bench', $1::json)`, [payload]);
    await client.query('COMMIT');
    client.release();
  }

  async prepareToWork(handler) {
    this.handler = handler;
    await this.open();
  }

  async work() {
    this.runner = await run({
      preset: this.preset,
      pgPool: this.pool,
      logger: SILENT,
      noHandleSignals: true,
      taskList: { bench: async (payload) => void (await this.handler(payload)) },
    });
  }

  async rest() {
    await this.runner?.stop();
    this.runner = undefined;
  }

  async left() {
    const { rows } = await this.pool.query('SELECT count(*)::int AS n FROM graphile_worker._private_jobs');
    return rows[0].n;
  }

  async done() {
    return null;
  }

  async close() {
    await this.rest();
    await this.utils.release();
    await this.pool.end();
  }
}
