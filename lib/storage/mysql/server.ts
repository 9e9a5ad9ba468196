import { UnsupportedDatabaseError } from '../../job/storage-errors.js';
import { refuseLookAlikes, type LookAlike } from '../sql/look-alikes.js';
import { requireSettings, type SettingRule } from '../sql/settings.js';
import type { Sql } from '../sql/sql.js';

/** What statements have to know of the server. */
export interface MysqlServer {
  /** The longest statement that it takes, in bytes: `max_allowed_packet`. */
  readonly maxPacketBytes: number;
  /** Whether an UPDATE may join. With `sql_safe_updates` it may not: a list in JSON has no key. */
  readonly updatesByJoin: boolean;
  /**
   * Whether a row may be missing here for a moment that was committed on another node: several nodes take writes, and
   * reads do not wait until theirs has applied what the others have committed. Default: false.
   */
  readonly mayLagBehind?: boolean;
  /** What it says of itself, if that is not known to be MySQL or MariaDB. */
  readonly unknownAs?: string;
}

/** With the default of MariaDB. */
export const USUAL_SERVER: MysqlServer = { maxPacketBytes: 16 * 1024 * 1024, updatesByJoin: true };

const OLDEST_MYSQL = [8, 0, 4]; // SKIP LOCKED came with 8.0.1, JSON_TABLE with 8.0.4; the first stable release was 8.0.11
const OLDEST_MARIADB = [10, 6, 0];

/** Who makes or packs MySQL and MariaDB: a server that names none of them may be anything. */
const KNOWN =
  /MariaDB|MySQL|Percona|Ubuntu|Debian|Homebrew|Red Hat|SUSE|Alpine|Source distribution|\(Google\)|Aurora|Azure/i;

/** By what `VERSION()` and `@@version_comment` say. */
const LOOK_ALIKES: readonly LookAlike[] = [
  { name: 'TiDB', pattern: /TiDB/i, lack: 'its SKIP LOCKED takes no locks, so jobs would run several times' },
  {
    name: 'Vitess or PlanetScale',
    pattern: /Vitess|PlanetScale/i,
    lack: 'transactions with SKIP LOCKED do not work there in all releases, and none has been tested',
  },
  { name: 'OceanBase', pattern: /OceanBase/i, lack: 'it has never been tested' },
];

const isOn = (value: string) => value === 'ON' || value === '1';
const isOff = (value: string) => value === 'OFF' || value === '0';

const charset = (name: string): SettingRule => ({
  name,
  allows: (value) => value === 'utf8mb4' || value === '',
  harm: 'texts would be changed on their way, and some could pass for SQL',
  remedy: "Set charset: 'utf8mb4' in the options of the DataSource, or leave the option out.",
});

/**
 * Of all variables of MariaDB 10.6 to 11.8 and MySQL 8.0 to 9, those with which the queue would lose, garble or never see
 * a job. Time zone, isolation, the other modes of sql_mode, lock waits and the optimizer's switches do
 * no harm.
 */
const RULES: readonly SettingRule[] = [
  {
    name: 'sql_mode',
    allows: (value) => !value.split(',').includes('NO_BACKSLASH_ESCAPES'),
    harm: 'the driver mysql2 would store texts wrongly, and a text could pass for SQL',
    remedy: 'Remove NO_BACKSLASH_ESCAPES from sql_mode.',
  },
  ...['character_set_client', 'character_set_connection', 'character_set_results'].map(charset),
  {
    name: 'autocommit',
    allows: isOn,
    harm: 'nothing would be committed',
    remedy: 'Set it to ON, the default, for new connections.',
  },
  {
    name: 'completion_type',
    allows: (value) => value === 'NO_CHAIN' || value === '0',
    harm: 'each COMMIT would begin another transaction, which nothing ends',
    remedy: 'Set it to NO_CHAIN, the default.',
  },
  ...['tx_read_only', 'transaction_read_only'].map((name) => ({
    name,
    allows: isOff,
    harm: 'nothing could be written',
    remedy: 'Set it to OFF, the default.',
  })),
  {
    name: 'sql_big_selects',
    allows: isOn,
    harm: 'the server may refuse to write outcomes',
    remedy: 'Set it to ON, or max_join_size to DEFAULT.',
  },
];

/** It cuts the list of variables as well, so it is looked at first. */
const SELECT_LIMIT_RULE: SettingRule = {
  name: 'sql_select_limit',
  allows: (value) => Number(value) >= 1e6,
  harm: 'answers would be cut, and leases taken for lost',
  remedy: 'Set it to DEFAULT.',
};

/** Under READ COMMITTED, which claims need, this server would refuse each write. */
const BINLOG_RULE: SettingRule = {
  name: 'binlog_format',
  allows: (value) => value !== 'STATEMENT',
  harm: 'no job could be claimed',
  remedy: 'Set it to ROW or MIXED.',
};

/** Of Galera, and of MySQL's Group Replication, which has them where its plugin is installed. */
const CLUSTER_VARIABLES = [
  ...['wsrep_on', 'wsrep_sync_wait'],
  ...['group_replication_single_primary_mode', 'group_replication_consistency'],
];

const OTHER_VARIABLES = [
  ...['binlog_format', 'log_bin', 'sql_log_bin', 'max_allowed_packet', 'sql_safe_updates'],
  ...CLUSTER_VARIABLES,
];

/** Looks at the version and the settings of a server and of the session. @throws UnsupportedDatabaseError */
export async function examineServer(sql: Sql): Promise<MysqlServer> {
  const [server] = await sql.query(SERVER);
  const description = `${String(server!.version)} ${String(server!.comment)}`;
  refuseLookAlikes(LOOK_ALIKES, description);
  requireVersion(String(server!.version));
  requireSettings([SELECT_LIMIT_RULE], new Map([[SELECT_LIMIT_RULE.name, String(server!.select_limit)]]));
  const rows = await sql.query(VARIABLES, [[...RULES.map(({ name }) => name), ...OTHER_VARIABLES]]);
  const values = new Map(rows.map((row) => [String(row.Variable_name).toLowerCase(), String(row.Value)]));
  requireSettings(RULES, values);
  const isLogged = isOn(values.get('log_bin') ?? '') && isOn(values.get('sql_log_bin') ?? 'ON');
  if (isLogged) requireSettings([BINLOG_RULE], values);
  return {
    maxPacketBytes: Number(values.get('max_allowed_packet')),
    updatesByJoin: !isOn(values.get('sql_safe_updates') ?? 'OFF'),
    ...(mayLagBehind(values) && { mayLagBehind: true }),
    ...(KNOWN.test(description) ? {} : { unknownAs: description }),
  };
}

/** Values of `group_replication_consistency` with which reads or commits wait for the other members. */
const CONSISTENT: ReadonlySet<string | undefined> = new Set(['BEFORE', 'AFTER', 'BEFORE_AND_AFTER']);

/** The bit of `wsrep_sync_wait` for SELECT, BEGIN and START TRANSACTION. */
const WAIT_BEFORE_READS = 1;

/** See `MysqlServer`. */
function mayLagBehind(values: ReadonlyMap<string, string>): boolean {
  if (isOn(values.get('wsrep_on') ?? 'OFF'))
    return (Number(values.get('wsrep_sync_wait')) & WAIT_BEFORE_READS) === 0;
  const takesWritesOnOne = isOn(values.get('group_replication_single_primary_mode') ?? 'ON');
  return !takesWritesOnOne && !CONSISTENT.has(values.get('group_replication_consistency'));
}

const SERVER = `SELECT VERSION() AS version, @@version_comment AS comment, @@sql_select_limit AS select_limit`;

const VARIABLES = `SHOW VARIABLES WHERE Variable_name IN (?)`;

function requireVersion(version: string): void {
  const oldest = /mariadb/i.test(version) ? OLDEST_MARIADB : OLDEST_MYSQL;
  if (isAtLeast(version, oldest)) return;
  throw new UnsupportedDatabaseError(
    `Jobs need MySQL 8.0.4 or MariaDB 10.6 or later; this server is ${version}.`,
  );
}

function isAtLeast(version: string, oldest: readonly number[]): boolean {
  const parts = version.split(/[.-]/).map(Number);
  for (const [index, wanted] of oldest.entries()) {
    const part = parts[index] || 0;
    if (part !== wanted) return part > wanted;
  }
  return true;
}
