import pg from 'pg';

/*
 * What the database itself can do: hand-written SQL over `pg`, without a library, under the rules that this package
 * keeps. Rows stay, results are stored, and every lease token is checked.
 */
const TABLE = [
  `DROP TABLE IF EXISTS floor_jobs, floor_orders`,
  `CREATE TABLE floor_orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text NOT NULL)`,
  `CREATE TABLE floor_jobs (
     id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
     kind text NOT NULL,
     payload json,
     priority integer NOT NULL DEFAULT 0,
     run_at timestamptz NOT NULL DEFAULT now(),
     status text NOT NULL DEFAULT 'PENDING',
     attempts integer NOT NULL DEFAULT 0,
     lease_token integer NOT NULL DEFAULT 0,
     locked_until timestamptz,
     result json,
     created_at timestamptz NOT NULL DEFAULT now(),
     updated_at timestamptz NOT NULL DEFAULT now()
   ) WITH (fillfactor = 85)`,
  `CREATE INDEX ON floor_jobs (kind, priority, run_at, id) WHERE status = 'PENDING' AND locked_until IS NULL`,
];

const INSERT = { name: 'insert', text: `INSERT INTO floor_jobs (kind, payload) VALUES ('bench', $1)` };
const INSERT_MANY = {
  name: 'insert_many',
  text: `INSERT INTO floor_jobs (kind, payload) SELECT 'bench', unnest($1::json[])`,
};
/** The caller's own statement, as an ORM sends it. */
const INSERT_ORDER = { text: `INSERT INTO floor_orders (email) VALUES ($1)` };

/** Settles one batch and claims the next. */
const SETTLE_AND_CLAIM = {
  name: 'settle_and_claim',
  text: `
    WITH sent AS MATERIALIZED (
      SELECT $1::uuid[] AS ids, $2::integer[] AS lease_tokens, $3::json[] AS results
    ), given AS MATERIALIZED (
      SELECT outcome.* FROM sent, unnest(ids, lease_tokens, results) AS outcome(id, lease_token, result)
    ), settled AS (
      UPDATE floor_jobs AS job
      SET status = 'DONE', result = given.result, attempts = job.attempts + 1, locked_until = NULL, updated_at = now()
      FROM given
      WHERE job.id = given.id AND job.lease_token = given.lease_token AND job.status = 'PENDING'
    ), picked AS MATERIALIZED (
      SELECT id FROM floor_jobs
      WHERE kind = 'bench' AND status = 'PENDING' AND locked_until IS NULL AND run_at <= now()
      ORDER BY priority, run_at, id LIMIT $4 FOR UPDATE SKIP LOCKED
    )
    UPDATE floor_jobs
    SET lease_token = lease_token + 1, locked_until = now() + interval '30 seconds', updated_at = now()
    WHERE id = ANY (ARRAY(SELECT id FROM picked))
    RETURNING id, lease_token, payload`,
};

export class Floor {
  /** @param best works in batches of 1000 over 4 connections; otherwise row by row over 10 */
  constructor({ postgresUrl, best = true }) {
    this.url = postgresUrl;
    this.batch = best ? 1000 : 1;
    this.lanes = best ? 4 : 10;
  }

  async open() {
    this.pool = new pg.Pool({ connectionString: this.url, max: 16 });
    await this.pool.query('SELECT 1');
  }

  async reset() {
    for (const statement of TABLE) await this.pool.query(statement);
  }

  async enqueue(payload) {
    await this.pool.query({ ...INSERT, values: [payload] });
  }

  async enqueueMany(payloads) {
    await this.pool.query({ ...INSERT_MANY, values: [payloads.map((payload) => JSON.stringify(payload))] });
  }

  async enqueueInTransaction(payload) {
    const client = await this.pool.connect();
    await client.query('BEGIN');
    await client.query({ ...INSERT_ORDER, values: ['a@example.com'] });
    await client.query({ ...INSERT, values: [payload] });
    await client.query('COMMIT');
    client.release();
  }

  async prepareToWork(handler) {
    this.handler = handler;
    await this.open();
  }

  work() {
    this.resting = false;
    this.working = Promise.all(Array.from({ length: this.lanes }, () => this.lane()));
  }

  async rest() {
    this.resting = true;
    await this.working;
  }

  async left() {
    const { rows } = await this.pool.query(
      `SELECT count(*)::int AS n FROM floor_jobs WHERE status = 'PENDING'`,
    );
    return rows[0].n;
  }

  async done() {
    const { rows } = await this.pool.query(
      `SELECT count(*)::int AS n FROM floor_jobs WHERE status = 'DONE' AND result IS NOT NULL`,
    );
    return rows[0].n;
  }

  async close() {
    await this.pool.end();
  }

  async lane() {
    const client = await this.pool.connect();
    let finished = [];
    while (!this.resting || finished.length > 0) {
      const values = [
        finished.map(({ id }) => id),
        finished.map(({ lease_token: token }) => token),
        finished.map(({ result }) => result),
        this.resting ? 0 : this.batch,
      ];
      const rows = await this.settleAndClaim(client, values);
      for (const row of rows) row.result = JSON.stringify(await this.handler(row.payload));
      if (rows.length === 0 && finished.length === 0) break;
      finished = rows;
    }
    client.release();
  }

  /** Settled rows are locked in no particular order, so two of these statements can deadlock. Then it tries again. */
  async settleAndClaim(client, values) {
    for (;;) {
      try {
        return (await client.query({ ...SETTLE_AND_CLAIM, values })).rows;
      } catch (error) {
        if (error.code !== '40P01') throw error; // deadlock_detected
      }
    }
  }
}
