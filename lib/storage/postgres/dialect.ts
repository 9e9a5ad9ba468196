import type { AttemptHistory } from '../../job/job-attempt.js';
import type { Dialect, JobsTable } from '../sql/dialect.js';
import type { JobsDialect } from '../sql/jobs-dialect.js';
import { sideTable } from '../sql/side-tables.js';
import { inAscii } from './ascii.js';
import { audit } from './audit.js';
import { bulk } from './bulk.js';
import { cancel } from './cancel.js';
import { chores } from './chores.js';
import { claim } from './claim.js';
import { PostgresConnections } from './connections.js';
import { counts } from './counts.js';
import { diagnosis } from './diagnosis.js';
import { edits } from './edits.js';
import { events } from './events.js';
import { postgresErrors } from './errors.js';
import { finds } from './finds.js';
import { get } from './get.js';
import { countHistory } from './count-history.js';
import { insert } from './insert.js';
import { inspection } from './inspection.js';
import { kinds } from './kinds.js';
import { leases } from './leases.js';
import { lockTest } from './lock-test.js';
import { notes } from './notes.js';
import { PostgresNotifier } from './notifier.js';
import { prune } from './prune.js';
import { reads } from './reads.js';
import { reclaim } from './reclaim.js';
import { homeOf } from './schema/home.js';
import { schedules } from './schedules.js';
import { schema } from './schema/index.js';
import { examineServer, USUAL_SERVER, type PostgresServer } from './server.js';
import { settle } from './settle.js';
import { uniqueJobs } from './unique-jobs.js';
import { workers } from './workers.js';

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
  history: AttemptHistory = 'failures',
): Dialect {
  const quoted = schemaName === undefined ? quote(name) : `${quote(schemaName)}.${quote(name)}`;
  const table: JobsTable = { name, schema: schemaName, quoted };
  const jobs: JobsDialect = {
    insert: insert(table, server),
    get: get(quoted),
    claim: claim(quoted),
    settle: settle(table, history),
    ...leases(quoted),
    reclaim: reclaim(table, history),
    cancel: cancel(quoted),
  };
  const ownJobs = server.isUnicode ? jobs : inAscii(jobs);
  return {
    table,
    errors: postgresErrors,
    examine: async (sql) =>
      postgresDialect(name, schemaName ?? (await homeOf(sql, name)), await examineServer(sql), history),
    schema: schema(table),
    jobs: ownJobs,
    schedules: schedules(table, ownJobs, server),
    reads: reads(table),
    kinds: { ...kinds(table), ...counts(table), ...countHistory(table), ...workers(table, server) },
    events: events(table),
    finds: finds(table, server),
    edits: edits(table, server),
    bulk: bulk(table),
    notes: notes(table, server.isUnicode),
    unique: uniqueJobs(table, ownJobs, server),
    retention: { prune: prune(table, server) },
    chores: chores(sideTable(table, 'chores').quoted),
    audit: audit(table, server),
    ...{ diagnosis, inspection: inspection(table) },
    lockTest: server.unknownAs === undefined ? null : lockTest(quoted, server.unknownAs),
    maxStatementBytes: MAX_MESSAGE_BYTES,
    noTransactionalHandlers: null,
    connect: (dataSource, settings) => new PostgresConnections(dataSource, settings),
    notifier: (source, connections, events) => new PostgresNotifier(source, connections, quoted, events),
  };
}

/** A text of the server, a message to it included, has at most a gigabyte. */
const MAX_MESSAGE_BYTES = 2 ** 30;

function quote(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`;
}
