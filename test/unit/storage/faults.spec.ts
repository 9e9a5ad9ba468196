import { describe, expect, it } from '@jest/globals';
import type { InspectionBounds } from '../../../lib/queue/inspector.js';
import type { JobsTable } from '../../../lib/storage/sql/dialect.js';
import { faults as mysqlFaults } from '../../../lib/storage/mysql/faults.js';
import { faults as postgresFaults } from '../../../lib/storage/postgres/faults.js';
import type { Row, Sql } from '../../../lib/storage/sql/sql.js';

/*
 * What a server says of itself as a whole. A test cannot change it on a server that other tests use: so the answers are
 * made up here, and test/contract/inspection.contract.ts plants what belongs to one database.
 */
const BOUNDS: InspectionBounds = { longTransactionMs: 60_000, deadRows: 100_000 };
const JOBS: JobsTable = { name: 'nest_jobs', schema: undefined, quoted: 'nest_jobs' };

/** A server that answers the statement about its settings, and has nothing else to tell. */
function answering(marker: string, rows: readonly Row[]): Sql {
  return { query: (text) => Promise.resolve(text.includes(marker) ? rows : []) };
}

describe('What is found of a PostgreSQL server', () => {
  const HEALTHY = {
    ...{ fsync: 'on', full_page_writes: 'on', synchronous_commit: 'on', autovacuum: 'on' },
    ...{ statement_timeout: '0', transaction_timeout: '0' },
  };
  const find = (settings: Readonly<Record<string, string>>, isStandby = false) => {
    const all = Object.entries({ ...HEALTHY, ...settings });
    const rows = all.map(([name, setting]) => ({ name, setting, is_standby: isStandby }));
    return postgresFaults(JOBS)(answering('pg_settings', rows), ['nest_jobs'], BOUNDS);
  };

  it('is nothing where all is as it should be', async () => {
    expect(await find({})).toEqual([]);
    expect(await find({ statement_timeout: '5000', synchronous_commit: 'remote_apply' })).toEqual([]);
  });

  it('is that it is a standby', async () => {
    expect(await find({}, true)).toMatchObject(
      [
        { code: 'server-read-only', severity: 'error', trouble: /standby/, remedy: /target_session_attrs/ },
      ].map(matching),
    );
  });

  it.each([
    ['fsync', 'off', 'not-durable', 'error'],
    ['full_page_writes', 'off', 'not-durable', 'error'],
    ['synchronous_commit', 'off', 'not-durable', 'warning'],
    ['autovacuum', 'off', 'autovacuum-off', 'error'],
    ['statement_timeout', '4999', 'timeout-short', 'warning'],
    ['transaction_timeout', '1000', 'timeout-short', 'warning'],
  ])('is a setting that does harm: %s = %s', async (name, value, code, severity) => {
    expect(await find({ [name]: value })).toMatchObject(
      [{ code, severity, trouble: new RegExp(`${name} is`), remedy: new RegExp(name) }].map(matching),
    );
  });
});

describe('What is found of a MySQL or MariaDB server', () => {
  const HEALTHY = { read_only: 'OFF', innodb_flush_log_at_trx_commit: '1' };
  const find = (variables: Readonly<Record<string, string>>) => {
    const all = Object.entries({ ...HEALTHY, ...variables });
    const rows = all.map(([name, value]) => ({ Variable_name: name, Value: value }));
    return mysqlFaults(JOBS)(answering('SHOW VARIABLES', rows), ['nest_jobs'], BOUNDS);
  };

  it('is nothing where all is as it should be', async () => {
    expect(await find({})).toEqual([]);
    expect(await find({ max_statement_time: '0.000000', max_execution_time: '5000' })).toEqual([]);
  });

  it.each([
    ['read_only', 'ON', 'server-read-only', 'error', /replica/],
    ['read_only', 'NO_LOCK_NO_ADMIN', 'server-read-only', 'error', /replica/],
    ['innodb_flush_log_at_trx_commit', '2', 'not-durable', 'warning', /crash/],
    ['innodb_flush_log_at_trx_commit', '0', 'not-durable', 'warning', /crash/],
    ['max_statement_time', '4.5', 'timeout-short', 'warning', /is 4500 ms/],
    ['max_execution_time', '1000', 'timeout-short', 'warning', /is 1000 ms/],
  ])('is a setting that does harm: %s = %s', async (name, value, code, severity, trouble) => {
    expect(await find({ [name]: value })).toMatchObject(
      [{ code, severity, trouble, remedy: new RegExp(name) }].map(matching),
    );
  });
});

/** With patterns in the place of texts. */
function matching({ trouble, remedy, ...rest }: { trouble: RegExp; remedy: RegExp }): object {
  return { ...rest, trouble: expect.stringMatching(trouble), remedy: expect.stringMatching(remedy) };
}
