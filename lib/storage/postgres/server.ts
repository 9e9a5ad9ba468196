import { UnsupportedDatabaseError } from '../../job/storage-errors.js';
import { refuseLookAlikes, type LookAlike } from '../sql/look-alikes.js';
import { requireSettings, type SettingRule } from '../sql/settings.js';
import type { Sql } from '../sql/sql.js';

/** What statements have to know of the server. */
export interface PostgresServer {
  /** Whether the database can hold every character. Otherwise documents and messages are sent in ASCII. */
  readonly isUnicode: boolean;
}

/** As nearly all are. */
export const USUAL_SERVER: PostgresServer = { isUnicode: true };

const OLDEST_SERVER = 120_000;

/** SQL_ASCII takes bytes as they come. */
const UNICODE_ENCODINGS = ['UTF8', 'SQL_ASCII'];

/** By what `version()` says. */
const LOOK_ALIKES: readonly LookAlike[] = [
  {
    name: 'CockroachDB',
    pattern: /CockroachDB/i,
    lack: 'it has no ctid, no LISTEN, and no two updates of a table in one statement',
  },
  { name: 'YugabyteDB', pattern: /-YB-|Yugabyte/i, lack: 'it has no ctid, so no job would ever be claimed' },
  { name: 'Aurora DSQL', pattern: /DSQL/i, lack: 'it has no SKIP LOCKED and no partial indexes' },
  { name: 'Redshift', pattern: /Redshift/i, lack: 'it has no row locks' },
  { name: 'Materialize', pattern: /Materialize/i, lack: 'it has no row locks' },
];

/**
 * Of all settings of PostgreSQL 12 to 18, those that change what a statement of the queue means. Time zone, DateStyle,
 * IntervalStyle, bytea_output, isolation, timeouts and the planner's switches do not.
 */
const RULES: readonly SettingRule[] = [
  {
    name: 'array_nulls',
    allows: (value) => value === 'on',
    harm: 'missing values would be stored as the text NULL',
    remedy: 'Set it to on, the default, for this role or database.',
  },
  {
    name: 'extra_float_digits',
    allows: (value) => Number(value) >= -1,
    harm: 'instants would be rounded',
    remedy: 'Set it to 1, the default, for this role or database.',
  },
  {
    name: 'default_transaction_read_only',
    allows: (value) => value === 'off',
    harm: 'nothing could be written',
    remedy: 'Set it to off for the role of the application.',
  },
];

/** Looks at the version and the settings of a server. @throws UnsupportedDatabaseError */
export async function examineServer(sql: Sql): Promise<PostgresServer> {
  const description = String((await sql.query(VERSION))[0]!.version);
  refuseLookAlikes(LOOK_ALIKES, description);
  const names = [...RULES.map(({ name }) => name), 'server_version_num', 'server_encoding'];
  const rows = await sql.query(SETTINGS, [names]);
  const values = new Map(rows.map((row) => [row.name as string, row.setting as string]));
  if (Number(values.get('server_version_num')) < OLDEST_SERVER)
    throw new UnsupportedDatabaseError(`Jobs need PostgreSQL 12 or later; this server is ${description}.`);
  requireSettings(RULES, values);
  return { isUnicode: UNICODE_ENCODINGS.includes(values.get('server_encoding')!) };
}

const VERSION = `SELECT version() AS version`;

const SETTINGS = `SELECT name, setting FROM pg_settings WHERE name = ANY ($1::text[])`;
