import { createPool } from 'mysql2/promise';

/*
 * What MariaDB itself can do, under the same rules as the floor on PostgreSQL: rows stay, results are stored, and every
 * lease token is checked. An update returns no rows on MariaDB, so one transaction settles the previous batch, locks
 * the next one and updates it.
 */
const TABLE = [
  `DROP TABLE IF EXISTS floor_jobs`,
  `CREATE TABLE floor_jobs (
     id varchar(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
     kind varchar(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
     payload longtext,
     priority int NOT NULL DEFAULT 0,
     run_at datetime(6) NOT NULL,
     status varchar(7) NOT NULL DEFAULT 'PENDING',
     attempts int NOT NULL DEFAULT 0,
     lease_token int NOT NULL DEFAULT 0,
     locked_until datetime(6),
     result longtext,
     created_at datetime(6) NOT NULL,
     updated_at datetime(6) NOT NULL,
     ready_kind varchar(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin GENERATED ALWAYS AS
       (IF(status = 'PENDING' AND locked_until IS NULL, kind, NULL)) STORED,
     KEY ready (ready_kind, priority, run_at, id)
   ) ENGINE = InnoDB`,
];

const INSERT = `INSERT INTO floor_jobs (id, kind, payload, run_at, created_at, updated_at) VALUES ?`;
const LOCK = `
  SELECT id, payload, lease_token FROM floor_jobs
  WHERE ready_kind = 'bench' AND run_at <= UTC_TIMESTAMP(6)
  ORDER BY priority, run_at, id LIMIT ? FOR UPDATE SKIP LOCKED`;
const CLAIM = `
  UPDATE floor_jobs
  SET lease_token = lease_token + 1, locked_until = UTC_TIMESTAMP(6) + INTERVAL 30 SECOND, updated_at = UTC_TIMESTAMP(6)
  WHERE id IN (?)`;
const SETTLE = `
  UPDATE JSON_TABLE(?, '$[*]' COLUMNS (
    id varchar(36) CHARACTER SET ascii COLLATE ascii_bin PATH '$.id',
    lease_token int PATH '$.token',
    result longtext CHARACTER SET utf8mb4 PATH '$.result'
  )) AS outcome
  STRAIGHT_JOIN floor_jobs AS job FORCE INDEX (PRIMARY) ON job.id = outcome.id
  SET job.status = 'DONE', job.result = outcome.result, job.attempts = job.attempts + 1, job.locked_until = NULL,
      job.updated_at = UTC_TIMESTAMP(6)
  WHERE job.lease_token = outcome.lease_token AND job.status = 'PENDING'`;

export class MariadbFloor {
  constructor({ mariadbUrl }) {
    this.url = mariadbUrl;
    this.batch = 1000;
    this.lanes = 4;
    this.next = 0;
  }

  async open() {
    this.pool = createPool({ uri: this.url, connectionLimit: 16, multipleStatements: true });
  }

  async reset() {
    for (const statement of TABLE) await this.pool.query(statement);
  }

  async enqueue(payload) {
    await this.enqueueMany([payload]);
  }

  async enqueueMany(payloads) {
    const now = new Date().toISOString().replace('T', ' ').replace('Z', '');
    const rows = payloads.map((payload) => [this.newId(), 'bench', JSON.stringify(payload), now, now, now]);
    await this.pool.query(INSERT, [rows]);
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
    const [[row]] = await this.pool.query(`SELECT count(*) AS n FROM floor_jobs WHERE status = 'PENDING'`);
    return Number(row.n);
  }

  async done() {
    const [[row]] = await this.pool.query(
      `SELECT count(*) AS n FROM floor_jobs WHERE status = 'DONE' AND result IS NOT NULL`,
    );
    return Number(row.n);
  }

  async close() {
    await this.pool.end();
  }

  async lane() {
    const connection = await this.pool.getConnection();
    await connection.query('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED');
    let finished = [];
    while (!this.resting || finished.length > 0) {
      const claimed = await this.settleAndClaim(connection, finished);
      if (claimed.length === 0 && finished.length === 0) break;
      finished = [];
      for (const { id, payload, lease_token: token } of claimed) {
        const result = JSON.stringify(await this.handler(JSON.parse(payload)));
        finished.push({ id, token: token + 1, result });
      }
    }
    connection.release();
  }

  async settleAndClaim(connection, finished) {
    await connection.query('START TRANSACTION');
    if (finished.length > 0) await connection.query(SETTLE, [JSON.stringify(finished)]);
    const [claimed] = this.resting ? [[]] : await connection.query(LOCK, [this.batch]);
    if (claimed.length > 0) await connection.query(CLAIM, [claimed.map(({ id }) => id)]);
    await connection.query('COMMIT');
    return claimed;
  }

  /** Ids ascend, as UUIDs of version 7 do. */
  newId() {
    this.next += 1;
    const time = Date.now().toString(16).padStart(12, '0');
    return `${time}-${process.pid.toString(16)}-${this.next.toString(16).padStart(8, '0')}`;
  }
}
