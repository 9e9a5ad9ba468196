import type { Dialect, JobsTable } from '../sql/dialect.js';
import { NO_NOTIFIER } from '../sql/notifier.js';
import { claim } from './claim.js';
import { mysqlConnections } from './connections.js';
import { diagnosis } from './diagnosis.js';
import { mysqlErrors } from './errors.js';
import { get } from './get.js';
import { insert } from './insert.js';
import { leases } from './leases.js';
import { reclaim } from './reclaim.js';
import { schema } from './schema/index.js';
import { examineServer, USUAL_SERVER, type MysqlServer } from './server.js';
import { settle } from './settle.js';

/**
 * MySQL 8.0.4 and later, MariaDB 10.6 and later.
 *
 * An UPDATE cannot return rows here. So a claim, a renewal, a settlement and a release are each a short READ COMMITTED
 * transaction: it locks rows with SKIP LOCKED, in ascending order of id, and then updates those by primary key.
 *
 * Instants are sent as UTC text. A list stands in a statement as one `?`, which the driver spreads.
 */
export function mysqlDialect(name: string, server: MysqlServer = USUAL_SERVER): Dialect {
  const quoted = `\`${name.replaceAll('`', '``')}\``;
  const table: JobsTable = { name, schema: undefined, quoted };
  return {
    table,
    errors: mysqlErrors,
    examine: async (sql) => mysqlDialect(name, await examineServer(sql)),
    schema: schema(table),
    jobs: {
      insert: insert(quoted, server),
      get: get(quoted),
      claim: claim(quoted),
      settle: settle(quoted, server),
      ...leases(quoted),
      reclaim: reclaim(quoted),
    },
    diagnosis,
    maxStatementBytes: server.maxPacketBytes,
    noTransactionalHandlers: null,
    connect: mysqlConnections,
    notifier: () => NO_NOTIFIER,
  };
}
