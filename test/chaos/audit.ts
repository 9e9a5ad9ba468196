import { DataSource } from 'typeorm';
import type { Engine } from './server.js';
import type { AuditRecord, JobRow, RowState } from './records.js';

/*
 * The suite's own tables, and a trigger that records each change of each row of the jobs table. It writes in the
 * transaction of the change, with the database's clock at that moment.
 */
const AUDITED = [
  'status',
  'lease_token',
  'locked_by',
  'locked_until',
  'attempts_done',
  'crashes',
  'alone',
  'cancel_requested_at',
  'run_at',
] as const;
const OLD_AND_NEW = [...AUDITED.map((name) => `old_${name}`), ...AUDITED.map((name) => `new_${name}`)];

const POSTGRES = [
  `CREATE TABLE chaos_audit (
     seq bigserial PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp(), id varchar(255) NOT NULL,
     ${(['old', 'new'] as const)
       .map(
         (age) => `${age}_status varchar(9), ${age}_lease_token int, ${age}_locked_by varchar(255),
           ${age}_locked_until timestamptz, ${age}_attempts_done int, ${age}_crashes int, ${age}_alone boolean,
           ${age}_cancel_requested_at timestamptz, ${age}_run_at timestamptz`,
       )
       .join(', ')})`,
  `CREATE TABLE chaos_effects (id varchar(255), lease_token int, PRIMARY KEY (id, lease_token))`,
  `CREATE TABLE chaos_business (id varchar(255) PRIMARY KEY)`,
  `CREATE TABLE chaos_probe (n int NOT NULL)`,
  `INSERT INTO chaos_probe VALUES (0)`,
  `CREATE FUNCTION chaos_audit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
     IF TG_OP = 'INSERT' THEN
       INSERT INTO chaos_audit (id, ${AUDITED.map((name) => `new_${name}`).join(', ')})
       VALUES (NEW.id, ${AUDITED.map((name) => `NEW.${name}`).join(', ')});
     ELSE
       INSERT INTO chaos_audit (id, ${OLD_AND_NEW.join(', ')})
       VALUES (NEW.id, ${AUDITED.map((name) => `OLD.${name}`).join(', ')}, ${AUDITED.map((name) => `NEW.${name}`).join(', ')});
     END IF;
     RETURN NULL;
   END $$`,
  `CREATE TRIGGER chaos_audit AFTER INSERT OR UPDATE ON nest_jobs FOR EACH ROW EXECUTE FUNCTION chaos_audit()`,
  `GRANT ALL ON chaos_effects, chaos_business TO jobs`,
];

const MARIADB = [
  `CREATE TABLE chaos_audit (
     seq bigint AUTO_INCREMENT PRIMARY KEY, at datetime(6) NOT NULL, id varchar(255) NOT NULL,
     ${(['old', 'new'] as const)
       .map(
         (age) => `${age}_status varchar(9), ${age}_lease_token int, ${age}_locked_by varchar(255),
           ${age}_locked_until datetime(6), ${age}_attempts_done int, ${age}_crashes int, ${age}_alone tinyint,
           ${age}_cancel_requested_at datetime(6), ${age}_run_at datetime(6)`,
       )
       .join(', ')}) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`,
  `CREATE TABLE chaos_effects (id varchar(255), lease_token int, PRIMARY KEY (id, lease_token))
     CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`,
  `CREATE TABLE chaos_business (id varchar(255) PRIMARY KEY) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`,
  `CREATE TABLE chaos_probe (n int NOT NULL)`,
  `INSERT INTO chaos_probe VALUES (0)`,
  // The server runs in UTC. SYSDATE is the current moment; NOW would be the beginning of the statement.
  `CREATE TRIGGER chaos_inserted AFTER INSERT ON nest_jobs FOR EACH ROW
     INSERT INTO chaos_audit (at, id, ${AUDITED.map((name) => `new_${name}`).join(', ')})
     VALUES (SYSDATE(6), NEW.id, ${AUDITED.map((name) => `NEW.${name}`).join(', ')})`,
  `CREATE TRIGGER chaos_updated AFTER UPDATE ON nest_jobs FOR EACH ROW
     INSERT INTO chaos_audit (at, id, ${OLD_AND_NEW.join(', ')})
     VALUES (SYSDATE(6), NEW.id, ${AUDITED.map((name) => `OLD.${name}`).join(', ')}, ${AUDITED.map((name) => `NEW.${name}`).join(', ')})`,
];

const READ_AT_ONCE = 20_000;

/** The suite's own connection to the database. It never goes through a proxy, and the nemesis never hits it. */
export class Observer {
  private constructor(
    private readonly engine: Engine,
    readonly dataSource: DataSource,
  ) {}

  static async connect(engine: Engine, url: string): Promise<Observer> {
    const type = engine === 'postgres' ? 'postgres' : 'mysql';
    // Ids contain characters whose meaning the server would otherwise have to guess.
    const dataSource = new DataSource({ type, url, ...(type === 'mysql' ? { charset: 'utf8mb4' } : {}) });
    await dataSource.initialize();
    if (engine === 'postgres') {
      // A restart of the server ends idle connections. That must not end this process.
      const pool = (dataSource.driver as unknown as { master: NodeJS.EventEmitter }).master;
      pool.on('connect', (client: NodeJS.EventEmitter) => client.on('error', () => undefined));
      pool.on('error', () => undefined);
    }
    return new Observer(engine, dataSource);
  }

  /** The jobs table must already exist. */
  async install(): Promise<void> {
    const statements = this.engine === 'postgres' ? POSTGRES : MARIADB;
    for (const statement of statements) await this.dataSource.query(statement);
  }

  async close(): Promise<void> {
    await this.dataSource.destroy();
  }

  /** Makes a small commit, to measure how responsive the database is. */
  async probe(): Promise<void> {
    await this.dataSource.query('UPDATE chaos_probe SET n = n + 1');
  }

  /**
   * Terminates connections of the processes under test.
   * @param share the share of their connections, from 0 to 1
   */
  async terminate(share: number): Promise<number> {
    if (this.engine === 'postgres') {
      const rows = await this.dataSource.query<unknown[]>(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'jobs' AND random() < $1`,
        [share],
      );
      return rows.length;
    }
    const rows = await this.dataSource.query<{ id: string }[]>(
      `SELECT id FROM information_schema.processlist WHERE user = 'jobs' AND rand() < ?`,
      [share],
    );
    // KILL fails if the connection is already gone.
    for (const { id } of rows) await this.dataSource.query(`KILL ${id}`).catch(() => undefined);
    return rows.length;
  }

  /** Locks some rows of running jobs, and as many rows of jobs that come due next, until `during` resolves. */
  async lock(count: number, during: (ids: string[]) => Promise<unknown>): Promise<void> {
    // The conditions match an index, because a scan on MariaDB would lock more rows than it returns.
    const [running, next] =
      this.engine === 'postgres'
        ? [
            `status = 'PENDING' AND locked_by IS NOT NULL`,
            `status = 'PENDING' AND locked_by IS NULL AND NOT due ORDER BY run_at`,
          ]
        : ['running = 1', 'scheduled_at IS NOT NULL ORDER BY scheduled_at'];
    await this.dataSource.transaction('READ COMMITTED', async (manager) => {
      const ids: string[] = [];
      for (const rows of [running, next]) {
        const locked = await manager.query<{ id: string }[]>(
          `SELECT id FROM nest_jobs WHERE ${rows} LIMIT ${count} FOR UPDATE SKIP LOCKED`,
        );
        ids.push(...locked.map(({ id }) => id));
      }
      await during(ids);
    });
  }

  async countPending(): Promise<number> {
    const query = `SELECT count(*) AS n FROM nest_jobs WHERE status = 'PENDING'`;
    const [row] = await this.dataSource.query<{ n: string }[]>(query);
    return Number(row!.n);
  }

  async readAudit(): Promise<AuditRecord[]> {
    const times = ['at', 'old_locked_until', 'new_locked_until', 'old_run_at', 'new_run_at'];
    const others = OLD_AND_NEW.filter((name) => !times.includes(name));
    const columns = ['seq', 'id', ...others, ...times.map((name) => `${this.millis(name)} AS ${name}`)].join(
      ', ',
    );
    const records: AuditRecord[] = [];
    for (let last = 0; ;) {
      const rows = await this.dataSource.query<Record<string, unknown>[]>(
        `SELECT ${columns} FROM chaos_audit WHERE seq > ${last} ORDER BY seq LIMIT ${READ_AT_ONCE}`,
      );
      for (const row of rows) records.push(asAuditRecord(row));
      if (rows.length < READ_AT_ONCE) return records;
      last = records.at(-1)!.seq;
    }
  }

  async readJobs(): Promise<JobRow[]> {
    const text = (column: string) => (this.engine === 'postgres' ? `${column}::text` : column);
    const rows = await this.dataSource.query<Record<string, unknown>[]>(
      `SELECT id, status, attempts_done, crashes, locked_by, ${text('result')} AS result, last_error,
         ${text('settings')} AS settings FROM nest_jobs`,
    );
    const attempts = await this.dataSource.query<{ job_id: string; attempt: number }[]>(
      'SELECT job_id, attempt FROM nest_jobs_attempts ORDER BY job_id, attempt',
    );
    const histories = new Map<string, number[]>();
    for (const { job_id: id, attempt } of attempts)
      histories.set(id, [...(histories.get(id) ?? []), attempt]);
    return rows.map((row) => ({
      id: row.id as string,
      status: row.status as JobRow['status'],
      attempts: Number(row.attempts_done),
      crashes: Number(row.crashes),
      worker: row.locked_by as string | null,
      result: row.result === null ? undefined : (JSON.parse(row.result as string) as unknown),
      lastError: row.last_error as string | null,
      history: histories.get(row.id as string) ?? [],
      ...tickOf(row.settings as string | null),
    }));
  }

  async readEffects(): Promise<{ id: string; token: number }[]> {
    const rows = await this.dataSource.query<{ id: string; lease_token: number }[]>(
      'SELECT * FROM chaos_effects',
    );
    return rows.map((row) => ({ id: row.id, token: row.lease_token }));
  }

  async readBusiness(): Promise<string[]> {
    const rows = await this.dataSource.query<{ id: string }[]>('SELECT id FROM chaos_business');
    return rows.map(({ id }) => id);
  }

  private millis(column: string): string {
    return this.engine === 'postgres'
      ? `date_part('epoch', ${column}) * 1000`
      : `TIMESTAMPDIFF(MICROSECOND, '1970-01-01', ${column}) / 1000`;
  }
}

/** Jobs of schedules say so among what few jobs bring along. */
function tickOf(settings: string | null): Pick<JobRow, 'schedule' | 'tick'> {
  if (settings === null) return {};
  const { schedule, tick } = JSON.parse(settings) as Pick<JobRow, 'schedule' | 'tick'>;
  return { schedule, tick };
}

function asAuditRecord(row: Record<string, unknown>): AuditRecord {
  const seq = Number(row.seq);
  const before = row.old_status === null ? undefined : stateOf(row, 'old');
  return { seq, at: Number(row.at), id: row.id as string, before, after: stateOf(row, 'new') };
}

function stateOf(row: Record<string, unknown>, age: 'old' | 'new'): RowState {
  const until = row[`${age}_locked_until`];
  return {
    status: row[`${age}_status`] as RowState['status'],
    token: Number(row[`${age}_lease_token`]),
    worker: row[`${age}_locked_by`] as string | null,
    until: until === null ? null : Number(until),
    attempts: Number(row[`${age}_attempts_done`]),
    crashes: Number(row[`${age}_crashes`]),
    alone: Boolean(row[`${age}_alone`]),
    isStopping: row[`${age}_cancel_requested_at`] !== null,
    runAt: Number(row[`${age}_run_at`]),
  };
}
