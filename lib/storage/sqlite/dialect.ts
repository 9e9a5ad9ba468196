import type { AttemptHistory } from '../../job/job-attempt.js';
import type { Dialect, JobsTable } from '../sql/dialect.js';
import { NO_NOTIFIER } from '../sql/notifier.js';
import { audit } from './audit.js';
import { bulk } from './bulk.js';
import { cancel } from './cancel.js';
import { sideTable } from '../sql/side-tables.js';
import { chores } from './chores.js';
import { claim } from './claim.js';
import { SqliteConnection } from './connection.js';
import { counts } from './counts.js';
import { diagnosis } from './diagnosis.js';
import { edits } from './edits.js';
import { events } from './events.js';
import { sqliteErrors } from './errors.js';
import { finds } from './finds.js';
import { get } from './get.js';
import { countHistory } from './count-history.js';
import { insert } from './insert.js';
import { inspection } from './inspection.js';
import { kinds } from './kinds.js';
import { leases } from './leases.js';
import { notes } from './notes.js';
import { prune } from './prune.js';
import { reads } from './reads.js';
import { reclaim } from './reclaim.js';
import { schedules } from './schedules.js';
import { schema } from './schema/index.js';
import { examineLibrary } from './server.js';
import { settle } from './settle.js';
import { uniqueJobs } from './unique-jobs.js';
import { workers } from './workers.js';

/**
 * SQLite by better-sqlite3, in a file.
 *
 * SQLite has one writer at a time, and no locks on rows. So each write is one statement, which is all or nothing by itself
 * and over before any other code can run, because the driver is synchronous. A transaction of several statements would let
 * other code of this process in between them, which would then wait for a lock that only this process can release.
 *
 * A list comes as one JSON parameter. Instants are compared as the text that they are.
 */
export function sqliteDialect(name: string, history: AttemptHistory = 'failures'): Dialect {
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
      insert: insert(table),
      get: get(quoted),
      claim: claim(quoted),
      settle: settle(table, history),
      ...leases(quoted),
      reclaim: reclaim(table, history),
      cancel: cancel(quoted),
    },
    schedules: schedules(table),
    reads: reads(table),
    finds: finds(table),
    notes: notes(table),
    edits: edits(table),
    kinds: { ...kinds(table), ...counts(table), ...countHistory(table), ...workers(table) },
    events: events(table),
    bulk: bulk(table),
    unique: uniqueJobs(table),
    retention: { prune: prune(table) },
    chores: chores(sideTable(table, 'chores').quoted),
    audit: audit(table),
    diagnosis,
    inspection: inspection(table),
    lockTest: null,
    maxStatementBytes: Infinity,
    noTransactionalHandlers:
      'on SQLite: TypeORM has one connection for the whole application, and whatever others send while the handler runs ' +
      'would become part of its transaction. Leave the option out.',
    connect: (dataSource, { answerMs }) => new SqliteConnection(dataSource, answerMs),
    notifier: () => NO_NOTIFIER,
  };
  return dialect;
}
