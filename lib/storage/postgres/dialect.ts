import type { Dialect, JobsTable } from '../sql/dialect.js';
import type { JobsDialect } from '../sql/jobs-dialect.js';
import { inAscii } from './ascii.js';
import { claim } from './claim.js';
import { PostgresConnections } from './connections.js';
import { diagnosis } from './diagnosis.js';
import { postgresErrors } from './errors.js';
import { get } from './get.js';
import { insert } from './insert.js';
import { leases } from './leases.js';
import { PostgresNotifier } from './notifier.js';
import { reclaim } from './reclaim.js';
import { homeOf } from './schema/home.js';
import { schema } from './schema/index.js';
import { examineServer, USUAL_SERVER, type PostgresServer } from './server.js';
import { settle } from './settle.js';

/**
 * PostgreSQL 12 and later.
 *
 * Lists are unnested from a CTE and not from the parameters themselves: the planner would count the elements of those,
 * and for a few hundred of them read the whole table rather than its primary key.
 *
 * Rows are locked in ascending order of id, and with SKIP LOCKED throughout: no statement waits for a row, so none can be
 * part of a deadlock.
 */
export function postgresDialect(
  name: string,
  schemaName: string | undefined,
  server: PostgresServer = USUAL_SERVER,
): Dialect {
  const quoted = schemaName === undefined ? quote(name) : `${quote(schemaName)}.${quote(name)}`;
  const table: JobsTable = { name, schema: schemaName, quoted };
  const jobs: JobsDialect = {
    insert: insert(table),
    get: get(quoted),
    claim: claim(quoted),
    settle: settle(quoted),
    ...leases(quoted),
    reclaim: reclaim(quoted),
  };
  return {
    table,
    errors: postgresErrors,
    examine: async (sql) =>
      postgresDialect(name, schemaName ?? (await homeOf(sql, name)), await examineServer(sql)),
    schema: schema(table),
    jobs: server.isUnicode ? jobs : inAscii(jobs),
    diagnosis,
    maxStatementBytes: MAX_MESSAGE_BYTES,
    noTransactionalHandlers: null,
    connect: (dataSource, settings) => new PostgresConnections(dataSource, settings),
    notifier: (dataSource, connections, events) =>
      new PostgresNotifier(dataSource, connections, quoted, events),
  };
}

/** A text of the server, a message to it included, has at most a gigabyte. */
const MAX_MESSAGE_BYTES = 2 ** 30;

function quote(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`;
}
