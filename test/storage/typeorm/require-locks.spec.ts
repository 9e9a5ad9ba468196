import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { UnsupportedDatabaseError } from '../../../lib/job/storage-errors.js';
import { mysqlDialect } from '../../../lib/storage/mysql/dialect.js';
import { postgresDialect } from '../../../lib/storage/postgres/dialect.js';
import type { Connections } from '../../../lib/storage/sql/connections.js';
import type { Sql } from '../../../lib/storage/sql/sql.js';
import { requireLocks } from '../../../lib/storage/typeorm/require-locks.js';
import { describeOn, oneOfEach } from '../../support/databases.js';
import { SqlStore } from '../../support/store.js';

describeOn(oneOfEach, 'A server that is not known, as $name pretends to be,', (server) => {
  const store = new SqlStore(server);
  let dataSource: DataSource;
  let connections: Connections;
  const unknownAs = 'FooDB 1.2';
  const dialect =
    server.type === 'postgres'
      ? postgresDialect('nest_jobs', undefined, { isUnicode: true, hasTidRanges: false, unknownAs })
      : mysqlDialect('nest_jobs', { maxPacketBytes: 1e6, updatesByJoin: true, unknownAs });
  const lockTest = dialect.lockTest!;

  beforeAll(async () => {
    await store.start();
    dataSource = await store.database.connect({ poolSize: 1 }); // the other connection is beside the pool
    const { errors } = dialect;
    const settings = { answerMs: 30_000, patienceMs: 50, errors, preparedStatements: true };
    connections = dialect.connect(dataSource, settings);
  }, 60_000);

  afterAll(async () => {
    await connections.close();
    await dataSource.destroy();
    await store.stop();
  });

  /** Sends statements without a part of them, as a server does that does not know what that means. */
  const without = (part: string): Connections => {
    const deaf = (sql: Sql): Sql => ({
      query: (text, ...rest) => sql.query(text.replace(part, ''), ...rest),
    });
    return {
      run: (work, options) => connections.run((sql) => work(deaf(sql)), options),
      over: (queryRunner) => connections.over(queryRunner),
      close: () => Promise.resolve(),
    };
  };

  const rows = async () => (await dataSource.query<unknown[]>('SELECT id FROM nest_jobs')).length;

  it('is one that says something else than this one', async () => {
    const usual =
      server.type === 'postgres' ? postgresDialect('nest_jobs', undefined) : mysqlDialect('nest_jobs');
    const found = await connections.run((sql) => usual.examine(sql));
    expect(found.lockTest).toBeNull();
  });

  it('is taken if its locks work', async () => {
    await requireLocks(connections, lockTest);
    expect(await rows()).toBe(0);
  });

  it('is refused if it takes no locks', async () => {
    const refused = requireLocks(without(' FOR UPDATE SKIP LOCKED'), lockTest);
    await expect(refused).rejects.toBeInstanceOf(UnsupportedDatabaseError);
    await expect(refused).rejects.toThrow(
      /in this server \(FooDB 1\.2\), whose SKIP LOCKED does not work: two connections have locked the same row/,
    );
    expect(await rows()).toBe(0);
  });

  it('is refused if it waits for locks', async () => {
    const refused = requireLocks(without(' SKIP LOCKED'), lockTest);
    await expect(refused).rejects.toBeInstanceOf(UnsupportedDatabaseError);
    await expect(refused).rejects.toThrow(/it waits for a row that another connection has locked/);
    expect(await rows()).toBe(0);
  });
});
