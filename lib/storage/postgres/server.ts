import { UnsupportedDatabaseError } from '../../job/storage-errors.js';
import { refuseLookAlikes, type LookAlike } from '../sql/look-alikes.js';
import { requireSettings, type SettingRule } from '../sql/settings.js';
import type { Sql } from '../sql/sql.js';

/** What statements have to know of the server. */
export interface PostgresServer {
  /** Whether the database can hold every character. Otherwise documents and messages are sent in ASCII. */
  readonly isUnicode: boolean;
  /** What it says of itself, if that is not known to be PostgreSQL. */
  readonly unknownAs?: string;
  /** Whether a condition on a range of places reads these pages alone, as from PostgreSQL 14 on. */
  readonly hasTidRanges: boolean;
}

/** What works on nearly all. */
export const USUAL_SERVER: PostgresServer = { isUnicode: true, hasTidRanges: false };

const OLDEST_SERVER = 120_000;
const TID_RANGES_SINCE = 140_000;

/** SQL_ASCII takes bytes as they come. */
const UNICODE_ENCODINGS = ['UTF8', 'SQL_ASCII'];

/** `PostgreSQL 15.12 (Debian 15.12-1) on x86_64-pc-linux-gnu, compiled by …`, with the name of who has packed it, or none. */
const KNOWN =
  /^PostgreSQL \d+(\.\d+|beta\d+|rc\d+|devel)? (\((Debian|Ubuntu|Homebrew|Postgres\.app|Red Hat|Percona)[^)]*\) )?on [^,]+, compiled by /;

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
  const version = Number(values.get('server_version_num'));
  if (version < OLDEST_SERVER)
    throw new UnsupportedDatabaseError(`Jobs need PostgreSQL 12 or later; this server is ${description}.`);
  requireSettings(RULES, values);
  const seen = {
    isUnicode: UNICODE_ENCODINGS.includes(values.get('server_encoding')!),
    hasTidRanges: version >= TID_RANGES_SINCE,
  };
  return KNOWN.test(description) ? seen : { ...seen, unknownAs: description };
}

const VERSION = `SELECT version() AS version`;

const SETTINGS = `SELECT name, setting FROM pg_settings WHERE name = ANY ($1::text[])`;
