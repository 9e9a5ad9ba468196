import type { DataSource } from 'typeorm';
import { endsWithin } from '../../async/timers.js';
import { deferred } from '../../async/deferred.js';
import { JobsEvents } from '../../events/jobs-events.js';
import { UnsupportedDatabaseError } from '../../job/storage-errors.js';
import {
  Inspector,
  type ExpiredLeases,
  type Inspection,
  type InspectionBounds,
  type OverdueSchedule,
  type StorageFinding,
} from '../../queue/inspector.js';
import type { Connections } from '../sql/connections.js';
import type { Dialect, OpenTransaction } from '../sql/dialect.js';
import { inspectSchema } from '../sql/inspect-schema.js';
import { NO_NOTIFIER } from '../sql/notifier.js';
import type { Sql } from '../sql/sql.js';

/** How long a notification to itself may take, the opening of a connection included. */
const ECHO_MS = 10_000;

/** Looks for what is wrong with a database. */
export class SqlInspector extends Inspector {
  /** @param dialect asked each time: a queue has another one when it has looked at the database */
  constructor(
    private readonly dataSource: DataSource,
    private readonly connections: Connections,
    private readonly dialect: () => Dialect,
  ) {
    super();
  }

  async inspect(bounds: InspectionBounds): Promise<Inspection> {
    const { inspection, dialect } = await this.connections.run((sql) => inspect(sql, this.dialect(), bounds));
    const hearing = inspection.isUsable ? await this.hearing(dialect) : [];
    return { ...inspection, findings: [...inspection.findings, ...hearing] };
  }

  overdueSchedules(lateMs: number, limit: number): Promise<OverdueSchedule[]> {
    return this.connections.run((sql) => this.dialect().inspection.overdueSchedules(sql, lateMs, limit));
  }

  expiredLeases(lateMs: number): Promise<ExpiredLeases> {
    return this.connections.run((sql) => this.dialect().inspection.expiredLeases(sql, lateMs));
  }

  /** Listens, as a worker does, and looks whether that hears what it tells itself. */
  private async hearing(dialect: Dialect): Promise<StorageFinding[]> {
    const events = new JobsEvents();
    const notifier = dialect.notifier(this.dataSource, this.connections, events);
    if (notifier === NO_NOTIFIER) return [];
    const answer = deferred<boolean>();
    events.on('notificationsMissing', () => answer.resolve(false));
    events.on('listenFailed', () => answer.resolve(false));
    notifier.listen(() => answer.resolve(true));
    try {
      const isHearing = (await endsWithin(answer.promise, ECHO_MS)) && (await answer.promise);
      return isHearing ? [] : [DEAF];
    } finally {
      await notifier.close();
    }
  }
}

const DEAF: StorageFinding = {
  code: 'notifications-missing',
  severity: 'warning',
  trouble:
    'Notifications do not arrive over this connection, as behind a pooler in transaction mode. Workers of other processes ' +
    'find new jobs when they poll, up to a second later.',
  remedy:
    'Let the DataSource of the jobs connect to the server itself, or to a pool in session mode; or accept the delay.',
};

async function inspect(sql: Sql, usual: Dialect, bounds: InspectionBounds) {
  const { dialect, findings: ofServer } = await examined(sql, usual);
  const { version, tables, findings: ofSchema } = await inspectSchema(sql, dialect);
  const faults = await dialect.inspection.faults(sql, tables, bounds);
  const open = await dialect.diagnosis.longTransaction(sql, bounds.longTransactionMs);
  const findings = [...ofServer, ...ofSchema, ...faults, ...(open === null ? [] : [longTransaction(open)])];
  const { table, schema } = dialect;
  const isCurrent = version !== null && version >= schema.steps.at(-1)!.version;
  const inspection: Inspection = {
    server: await dialect.inspection.server(sql),
    table: table.schema === undefined ? table.name : `${table.schema}.${table.name}`,
    schemaVersion: version,
    isUsable: isCurrent && !findings.some(({ code }) => BREAKING.has(code)),
    findings,
  };
  return { inspection, dialect };
}

/** With one of these, other statements of the queue may fail. */
const BREAKING: ReadonlySet<string> = new Set([
  'server-unsuitable',
  'table-unsuitable',
  'column-missing',
  'side-table-missing',
  'permission-missing',
]);

/** Knows the server afterwards, unless it is one on which jobs cannot be kept. */
async function examined(
  sql: Sql,
  usual: Dialect,
): Promise<{ readonly dialect: Dialect; readonly findings: readonly StorageFinding[] }> {
  try {
    return { dialect: await usual.examine(sql), findings: [] };
  } catch (error) {
    if (!(error instanceof UnsupportedDatabaseError)) throw error;
    const [trouble, remedy] = parted(error.message);
    return { dialect: usual, findings: [{ code: 'server-unsuitable', severity: 'error', trouble, remedy }] };
  }
}

const NO_REMEDY = 'docs/databases.md has the servers and settings with which jobs work.';

/** The last sentence of such a message says what to do, where there are two. */
function parted(message: string): [trouble: string, remedy: string] {
  const place = message.search(/\. [A-Z][^.]*(\.\S[^.]*)*\.?$/);
  return place === -1 ? [message, NO_REMEDY] : [message.slice(0, place + 1), message.slice(place + 2)];
}

function longTransaction({ openMs, description }: OpenTransaction): StorageFinding {
  return {
    code: 'long-transaction',
    severity: 'warning',
    trouble: `A transaction has been open for ${Math.round(openMs / 1000)} s (${description}). It keeps the server from removing dead rows, so claims become slower and slower.`,
    remedy:
      'Find out what it waits for, and end it: pg_terminate_backend(pid) on PostgreSQL, KILL id on MySQL and MariaDB.',
  };
}
