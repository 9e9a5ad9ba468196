import { UnsupportedDatabaseError } from '../../job/storage-errors.js';
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
  const rows = await sql.query(SETTINGS, [[...RULES.map(({ name }) => name), 'server_encoding']]);
  const values = new Map(rows.map((row) => [row.name as string, row.setting as string]));
  const { version, description } = rows[0]!;
  if (Number(version) < OLDEST_SERVER) {
    throw new UnsupportedDatabaseError(
      `Jobs need PostgreSQL 12 or later; this server is ${String(description)}.`,
    );
  }
  requireSettings(RULES, values);
  return { isUnicode: UNICODE_ENCODINGS.includes(values.get('server_encoding')!) };
}

const SETTINGS = `
  SELECT name, setting, current_setting('server_version_num') AS version, version() AS description
  FROM pg_settings WHERE name = ANY ($1::text[])`;
