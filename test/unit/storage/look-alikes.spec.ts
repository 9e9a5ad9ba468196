import { describe, expect, it } from '@jest/globals';
import { UnsupportedDatabaseError } from '../../../lib/job/storage-errors.js';
import { ReadyRows } from '../../../lib/storage/mysql/ready-rows.js';
import { examineServer as examineMysql } from '../../../lib/storage/mysql/server.js';
import { examineServer as examinePostgres } from '../../../lib/storage/postgres/server.js';
import type { Row, Sql } from '../../../lib/storage/sql/sql.js';

/** A server that answers the first question with this row. */
function answering(row: Row): Sql {
  return { query: () => Promise.resolve([row]) };
}

describe('A server that only looks like PostgreSQL', () => {
  it.each([
    ['CockroachDB', 'CockroachDB CCL v26.3.0 (x86_64-pc-linux-gnu, built 2026/08/01)'],
    ['YugabyteDB', 'PostgreSQL 15.12-YB-2025.2.0.0-b0 on x86_64-pc-linux-gnu'],
    ['Aurora DSQL', 'PostgreSQL 16 (Aurora DSQL)'],
    ['Redshift', 'PostgreSQL 8.0.2 on i686-pc-linux-gnu, Redshift 1.0.12103'],
    ['Materialize', 'PostgreSQL 9.5 on x86_64-unknown-linux-gnu (Materialize 0.100.0)'],
  ])('is refused: %s', async (name, version) => {
    const examined = examinePostgres(answering({ version }));
    await expect(examined).rejects.toBeInstanceOf(UnsupportedDatabaseError);
    await expect(examined).rejects.toThrow(
      new RegExp(`cannot be kept in ${name} \\(.*Give JobsModule a DataSource of`),
    );
  });
});

describe('A server that only looks like MySQL', () => {
  const select_limit = '18446744073709551615';

  it.each([
    ['TiDB', '8.0.11-TiDB-v8.5.6', 'TiDB Server (Apache License 2.0)'],
    ['Vitess or PlanetScale', '8.0.30-Vitess', 'Version: 21.0.0'],
    ['OceanBase', '5.7.25-OceanBase-v4.3.5.0', 'OceanBase 4.3.5.0'],
  ])('is refused: %s', async (name, version, comment) => {
    const examined = examineMysql(answering({ version, comment, select_limit }));
    await expect(examined).rejects.toBeInstanceOf(UnsupportedDatabaseError);
    await expect(examined).rejects.toThrow(
      new RegExp(`cannot be kept in ${name} \\(.*Give JobsModule a DataSource of`),
    );
  });

  it('and whose SKIP LOCKED takes no locks claims nothing twice', async () => {
    const row = { id: 'a', kind: 'k', payload: '1', payload_size: 1, lease_token: 0, now: 0 };
    const sql: Sql = {
      query: (text) =>
        Promise.resolve(
          text.includes('UPDATE') && !text.includes('FOR UPDATE')
            ? [{ affected_rows: 1 }]
            : [row, { ...row, id: 'b' }],
        ),
    };
    const terms = { workerId: 'w', leaseMs: 1_000 };
    const taking = new ReadyRows('`nest_jobs`').take(sql, new Map([['k', 2]]), (rows) => rows, terms);
    await expect(taking).rejects.toThrow(
      /Of 2 rows that a claim had locked, others have claimed 1: the SKIP LOCKED/,
    );
  });
});

/** Answers all questions of an examination as a server with the usual settings does. */
function usual(first: Row, settings: Readonly<Record<string, string>>): Sql {
  const rows = Object.entries(settings).map(([name, value]) => ({
    ...{ name, setting: value },
    ...{ Variable_name: name, Value: value },
  }));
  return {
    query: (text) => Promise.resolve(/version/i.test(text) && !/FROM|SHOW/.test(text) ? [first] : rows),
  };
}

describe('A server has to show that its locks work unless it says that it is', () => {
  const examinedPostgres = (version: string) =>
    examinePostgres(
      usual(
        { version },
        {
          ...{ array_nulls: 'on', extra_float_digits: '1', default_transaction_read_only: 'off' },
          ...{ server_version_num: '160000', server_encoding: 'UTF8' },
        },
      ),
    );
  const examinedMysql = (version: string, comment: string) =>
    examineMysql(
      usual({ version, comment, select_limit: '18446744073709551615' }, { max_allowed_packet: '16777216' }),
    );

  it.each([
    'PostgreSQL 15.12 on x86_64-pc-linux-gnu, compiled by gcc (GCC) 12.2.0, 64-bit',
    'PostgreSQL 15.12 (Debian 15.12-0+deb12u1) on x86_64-pc-linux-gnu, compiled by gcc (Debian 12.2.0-14), 64-bit',
    'PostgreSQL 18beta1 on aarch64-unknown-linux-musl, compiled by clang, 64-bit',
    'PostgreSQL 17.2 (Homebrew) on x86_64-apple-darwin23, compiled by Apple clang version 16.0.0, 64-bit',
  ])('PostgreSQL: %s', async (version) => {
    expect((await examinedPostgres(version)).unknownAs).toBeUndefined();
  });

  it.each([
    'PostgreSQL 13.14.0-RisingWave-2.1.0 (1f4cb3d)',
    'PostgreSQL 12.12 (Greenplum Database 7.0.0) on x86_64-pc-linux-gnu, compiled by gcc, 64-bit',
    'FooDB 1.2',
  ])('PostgreSQL, and this is not known to be: %s', async (version) => {
    expect((await examinedPostgres(version)).unknownAs).toBe(version);
  });

  it.each([
    ['8.0.36', 'MySQL Community Server - GPL'],
    ['8.0.36-0ubuntu0.22.04.1', '(Ubuntu)'],
    ['10.11.6-MariaDB-0+deb12u1', 'Debian 12'],
    ['8.0.35-google', '(Google)'],
    ['8.0.36-28', 'Percona Server (GPL), Release 28'],
  ])('MySQL or MariaDB: %s %s', async (version, comment) => {
    expect((await examinedMysql(version, comment)).unknownAs).toBeUndefined();
  });

  it.each([
    ['8.0.33', 'Dolt'],
    ['8.0.30-MatrixOne-v1.2.0', 'MatrixOne'],
  ])('MySQL or MariaDB, and this is not known to be: %s %s', async (version, comment) => {
    expect((await examinedMysql(version, comment)).unknownAs).toBe(`${version} ${comment}`);
  });
});
