import type { Dialect, JobsTable } from '../sql/dialect.js';
import { NO_NOTIFIER } from '../sql/notifier.js';
import { claim } from './claim.js';
import { SqliteConnection } from './connection.js';
import { diagnosis } from './diagnosis.js';
import { sqliteErrors } from './errors.js';
import { get } from './get.js';
import { insert } from './insert.js';
import { leases } from './leases.js';
import { reclaim } from './reclaim.js';
import { schema } from './schema/index.js';
import { examineLibrary } from './server.js';
import { settle } from './settle.js';

/**
 * SQLite by better-sqlite3, in a file.
 *
 * SQLite has one writer at a time, and no locks on rows. So each write is one statement, which is all or nothing by itself
 * and over before any other code can run, because the driver is synchronous. A transaction of several statements would let
 * other code of this process in between them, which would then wait for a lock that only this process can release.
 *
 * A list comes as one JSON parameter. Instants are compared as the text that they are.
 */
export function sqliteDialect(name: string): Dialect {
  const table: JobsTable = { name, schema: undefined, quoted: `"${name}"` };
  const { quoted } = table;
  const dialect: Dialect = {
    table,
    errors: sqliteErrors,
    examine: async (sql) => {
      await examineLibrary(sql);
      return dialect;
    },
    schema: schema(table),
    jobs: {
      insert: insert(quoted),
      get: get(quoted),
      claim: claim(quoted),
      settle: settle(quoted),
      ...leases(quoted),
      reclaim: reclaim(quoted),
    },
    diagnosis,
    maxStatementBytes: Infinity,
    noTransactionalHandlers:
      'on SQLite: TypeORM has one connection for the whole application, and whatever others send while the handler runs ' +
      'would become part of its transaction. Leave the option out.',
    connect: (dataSource, { answerMs }) => new SqliteConnection(dataSource, answerMs),
    notifier: () => NO_NOTIFIER,
  };
  return dialect;
}
