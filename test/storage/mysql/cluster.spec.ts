import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { mysqlDialect } from '../../../lib/storage/mysql/dialect.js';
import { examineServer, USUAL_SERVER } from '../../../lib/storage/mysql/server.js';
import { leaseResults } from '../../../lib/storage/typeorm/lease-results.js';
import type { Row, Sql } from '../../../lib/storage/sql/sql.js';
import { describeOn, ofType, oneOfEach } from '../../support/databases.js';
import { KIND, SqlStore } from '../../support/store.js';

describe('A server of MySQL or MariaDB', () => {
  const galera = (on: string, wait: string) => ({ wsrep_on: on, wsrep_sync_wait: wait });
  const group = (single: string, consistency: string) => ({
    group_replication_single_primary_mode: single,
    group_replication_consistency: consistency,
  });

  it.each([
    [{}, undefined],
    [galera('OFF', '0'), undefined],
    [galera('ON', '0'), true],
    [galera('ON', '6'), true], // before UPDATE, DELETE, INSERT and REPLACE alone
    [galera('ON', '1'), undefined],
    [galera('ON', '15'), undefined],
    [group('ON', 'EVENTUAL'), undefined],
    [group('OFF', 'EVENTUAL'), true],
    [group('OFF', 'BEFORE_ON_PRIMARY_FAILOVER'), true],
    [group('OFF', 'BEFORE'), undefined],
    [group('OFF', 'AFTER'), undefined],
    [group('OFF', 'BEFORE_AND_AFTER'), undefined],
  ])('with %j may lag behind others: %s', async (cluster, expected) => {
    const values = { max_allowed_packet: '16777216', ...cluster };
    const rows: Row[] = Object.entries(values).map(([name, value]) => ({
      Variable_name: name,
      Value: value,
    }));
    const server = [{ version: '10.11.6-MariaDB', select_limit: '18446744073709551615' }];
    const sql: Sql = { query: (text) => Promise.resolve(text.startsWith('SHOW') ? rows : server) };
    expect((await examineServer(sql)).mayLagBehind).toBe(expected);
  });
});

describeOn(ofType('mysql', oneOfEach), 'On $name', (server) => {
  const store = new SqlStore(server);
  beforeAll(() => store.start(), 60_000);
  beforeEach(() => store.reset());
  afterAll(() => store.stop());

  /** What a write under leases is told, where it wrote nothing. */
  const unwritten = async (mayLagBehind: boolean) => {
    await store.client.enqueue(KIND, null, { id: 'one' });
    const one = await store.claimOne();
    const { jobs } = mysqlDialect('nest_jobs', { ...USUAL_SERVER, mayLagBehind });
    const sql: Sql = { query: (text, values) => store.dataSource.query(text, [...(values ?? [])]) };
    const leases = [one, { ...one, id: 'absent' }];
    return leaseResults(
      leases,
      () => Promise.resolve([]),
      (missing) => jobs.look(sql, missing),
    );
  };

  it('a row that is not there is gone, and the lease is lost', async () => {
    expect(await unwritten(false)).toEqual(['busy', 'lost']);
  });

  it('a row that is not there may be on its way, where the server may lag behind others', async () => {
    expect(await unwritten(true)).toEqual(['busy', 'stale']);
  });
});
