import type { AttemptHistory } from '../../job/job-attempt.js';
import type { Dialect, JobsTable } from '../sql/dialect.js';
import type { JobsDialect } from '../sql/jobs-dialect.js';
import { NO_NOTIFIER } from '../sql/notifier.js';
import { audit } from './audit.js';
import { bulk } from './bulk.js';
import { cancel } from './cancel.js';
import { sideTable } from '../sql/side-tables.js';
import { chores } from './chores.js';
import { claim } from './claim.js';
import { mysqlConnections } from './connections.js';
import { counts } from './counts.js';
import { diagnosis } from './diagnosis.js';
import { edits } from './edits.js';
import { events } from './events.js';
import { mysqlErrors } from './errors.js';
import { finds } from './finds.js';
import { get } from './get.js';
import { countHistory } from './count-history.js';
import { insert } from './insert.js';
import { inspection } from './inspection.js';
import { kinds } from './kinds.js';
import { leases } from './leases.js';
import { lockTest } from './lock-test.js';
import { notes } from './notes.js';
import { prune } from './prune.js';
import { reads } from './reads.js';
import { reclaim } from './reclaim.js';
import { schedules } from './schedules.js';
import { schema } from './schema/index.js';
import { examineServer, USUAL_SERVER, type MysqlServer } from './server.js';
import { settle } from './settle.js';
import { uniqueJobs } from './unique-jobs.js';
import { workers } from './workers.js';

/**
 * MySQL 8.0.4 and later, MariaDB 10.6 and later.
 *
 * An UPDATE cannot return rows here. So a claim, a renewal, a settlement and a release are each a short READ COMMITTED
 * transaction: it locks rows with SKIP LOCKED, in ascending order of id, and then updates those by primary key.
 *
 * Instants are sent as UTC text. A list stands in a statement as one `?`, which the driver spreads.
 */
export function mysqlDialect(
  name: string,
  server: MysqlServer = USUAL_SERVER,
  history: AttemptHistory = 'failures',
): Dialect {
  const quoted = `\`${name.replaceAll('`', '``')}\``;
  const table: JobsTable = { name, schema: undefined, quoted };
  const jobs: JobsDialect = {
    insert: insert(table, server),
    get: get(quoted),
    claim: claim(quoted),
    settle: settle(table, server, history),
    ...leases(quoted, server),
    reclaim: reclaim(table, history),
    cancel: cancel(quoted),
  };
  return {
    table,
    errors: mysqlErrors,
    examine: async (sql) => mysqlDialect(name, await examineServer(sql), history),
    schema: schema(table),
    jobs,
    schedules: schedules(table, jobs),
    reads: reads(table),
    finds: finds(table),
    notes: notes(table, server),
    edits: edits(table, server),
    kinds: { ...kinds(table), ...counts(table), ...countHistory(table), ...workers(table) },
    events: events(table),
    bulk: bulk(table, server),
    unique: uniqueJobs(table, jobs),
    retention: { prune: prune(table, server) },
    chores: chores(sideTable(table, 'chores').quoted),
    audit: audit(table),
    diagnosis,
    inspection: inspection(table),
    lockTest: server.unknownAs === undefined ? null : lockTest(quoted, server.unknownAs),
    maxStatementBytes: server.maxPacketBytes,
    noTransactionalHandlers: null,
    connect: mysqlConnections,
    notifier: () => NO_NOTIFIER,
  };
}
