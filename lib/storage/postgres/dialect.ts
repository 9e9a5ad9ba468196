import type { Dialect, JobsTable } from '../sql/dialect.js';
import { claim } from './claim.js';
import { PostgresConnections } from './connections.js';
import { diagnosis } from './diagnosis.js';
import { postgresErrors } from './errors.js';
import { get } from './get.js';
import { insert } from './insert.js';
import { leases } from './leases.js';
import { PostgresNotifier } from './notifier.js';
import { reclaim } from './reclaim.js';
import { schema } from './schema/index.js';
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
export function postgresDialect(name: string, schemaName: string | undefined): Dialect {
  const quoted = schemaName === undefined ? quote(name) : `${quote(schemaName)}.${quote(name)}`;
  const table: JobsTable = { name, schema: schemaName, quoted };
  return {
    table,
    errors: postgresErrors,
    schema: schema(table),
    jobs: {
      insert: insert(table),
      get: get(quoted),
      claim: claim(quoted),
      settle: settle(quoted),
      ...leases(quoted),
      reclaim: reclaim(quoted),
    },
    diagnosis,
    noTransactionalHandlers: null,
    connect: (dataSource, settings) => new PostgresConnections(dataSource, settings),
    notifier: (dataSource, connections, events) =>
      new PostgresNotifier(dataSource, connections, quoted, events),
  };
}

function quote(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`;
}
