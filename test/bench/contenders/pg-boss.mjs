import pg from 'pg';
import { PgBoss } from 'pg-boss';

const QUEUE = 'bench';
/** With its default of one job every two seconds, a drain would measure nothing. */
const TUNED = {
  localConcurrency: 4,
  batchSize: 1000,
  pollingIntervalSeconds: 0.5,
  burstWhenBatchFull: true,
};

/** It polls as by default, every two seconds, but does not take a single job each time. */
const IDLE = { batchSize: 1000 };

export class PgBossContender {
  /** @param tuned polls four times as often as by default, from four places */
  constructor({ postgresUrl, tuned = true }) {
    this.url = postgresUrl;
    this.polling = tuned ? TUNED : IDLE;
  }

  async open() {
    this.pool = new pg.Pool({ connectionString: this.url, max: 16 });
    this.boss = new PgBoss({ connectionString: this.url, max: 16, supervise: false, schedule: false });
    this.boss.on('error', (error) => console.error('pg-boss:', error.message));
    await this.boss.start();
  }

  async reset() {
    await this.boss.stop({ graceful: false });
    await this.pool.query('DROP SCHEMA IF EXISTS pgboss CASCADE');
    await this.pool.query(
      'CREATE TABLE IF NOT EXISTS boss_orders (id serial PRIMARY KEY, email text NOT NULL)',
    );
    await this.pool.end();
    await this.open();
    await this.boss.createQueue(QUEUE);
  }

  async enqueue(payload) {
    await this.boss.send(QUEUE, payload);
  }

  async enqueueAt(payload, ms) {
    await this.boss.send(QUEUE, payload, { startAfter: new Date(ms) });
  }

  async enqueueMany(payloads) {
    await this.boss.insert(
      QUEUE,
      payloads.map((data) => ({ data })),
    );
  }

  async enqueueInTransaction(payload) {
    const client = await this.pool.connect();
    const db = { executeSql: (text, values) => client.query(text, values) };
    await client.query('BEGIN');
    await client.query('INSERT INTO boss_orders (email) VALUES ($1)', ['a@example.com']);
    await this.boss.send(QUEUE, payload, { db });
    await client.query('COMMIT');
    client.release();
  }

  async prepareToWork(handler) {
    this.handler = handler;
    await this.open();
  }

  async work() {
    await this.boss.work(QUEUE, this.polling, async (jobs) => {
      let result;
      for (const { data } of jobs) result = await this.handler(data);
      return result;
    });
  }

  async rest() {
    await this.boss.offWork(QUEUE, { wait: true });
  }

  async left() {
    return this.count(`state < 'completed'`);
  }

  async done() {
    return this.count(`state = 'completed'`);
  }

  async close() {
    await this.boss.stop({ graceful: false });
    await this.pool.end();
  }

  async count(condition) {
    const { rows } = await this.pool.query(
      `SELECT count(*)::int AS n FROM pgboss.job WHERE name = $1 AND ${condition}`,
      [QUEUE],
    );
    return rows[0].n;
  }
}
