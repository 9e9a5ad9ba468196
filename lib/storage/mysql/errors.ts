import { driverErrorOf, isOwnError, type DatabaseErrors } from '../sql/database-errors.js';

/** The fields of mysql2's errors that are used. */
interface MysqlError {
  /** Of the server from 1000 on; of the operating system below 0. */
  readonly errno?: number;
  readonly sqlState?: string;
  readonly sqlMessage?: string;
  readonly fatal?: boolean;
}

/**
 * Numbers of errors with which a connection is of no use any more: a node that is cut off, a shutdown, an aborted or killed
 * connection, a broken network, the limit of idleness, and a commit of which nothing is known.
 *
 * @see https://mariadb.com/kb/en/mariadb-error-code-reference/
 * @see https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html
 */
const CONNECTION_ENDS = new Set([1047, 1053, 1152, 1158, 1159, 1160, 1161, 1180, 1184, 1927, 4031]);

/** A statement over `max_allowed_packet`. The server has not read it, and closes the connection. */
const PACKET_TOO_LARGE = 1153;

/** SQLSTATE classes that are about the content of a statement: data, integrity, a SIGNAL in a trigger. */
const CONTENT_CLASSES = ['22', '23', '44', '45'];

/** Those of the general class: a CHECK, a text that the character set has not, collations that do not match. */
const CONTENT_ERRORS = new Set([PACKET_TOO_LARGE, 1265, 1267, 1301, 1364, 1366, 3819]);

/** --read-only, read-only mode, a read-only transaction, and a node of Galera that is not part of the cluster. */
const WRONG_SERVER = new Set([1290, 1836, 1792, 1047]);

/**
 * The account, its password, its lock, its way to log in and its rights, a database that is not there, and what the server
 * does not understand. Tables and columns that are not there have the class 42S.
 */
const NEEDS_MENDING = new Set([
  ...[1044, 1045, 1049, 1064, 1130, 1142, 1143, 1227, 1251],
  ...[1524, 1698, 1862, 3118, 4151],
]);

/** Whether the account lacks a privilege of the whole server, such as PROCESS, as that of an application usually does. */
export function lacksPrivilege(error: unknown): boolean {
  return read(error).errno === 1227;
}

/** What MySQL and MariaDB say, by the numbers of their errors. */
export const mysqlErrors: DatabaseErrors = {
  wasRefused(error: unknown): boolean {
    const { errno, fatal } = read(error);
    if (errno === PACKET_TOO_LARGE) return true;
    return isOfServer(errno) && fatal !== true && !CONNECTION_ENDS.has(errno);
  },

  refusesContent(error: unknown): boolean {
    const { errno, sqlState } = read(error);
    if (!isOfServer(errno)) return isOwnError(error);
    return CONTENT_ERRORS.has(errno) || CONTENT_CLASSES.some((start) => sqlState?.startsWith(start) === true);
  },

  wantsRetry(error: unknown): boolean {
    const { errno } = read(error);
    return errno === 1213 || errno === 1205 || errno === 1020; // a deadlock, a lock wait timeout, a changed snapshot
  },

  isWrongServer(error: unknown): boolean {
    return WRONG_SERVER.has(read(error).errno ?? 0);
  },

  needsMending(error: unknown): boolean {
    const { errno = 0, sqlState } = read(error);
    return (
      NEEDS_MENDING.has(errno) || sqlState?.startsWith('42S') === true || mysqlErrors.refusesContent(error)
    );
  },
};

/** The id that an insert met twice, as the message tells it: a long one is cut. Null for another error. */
export function duplicateIdIn(error: unknown): string | null {
  const { errno, sqlMessage } = read(error);
  if (errno !== 1062) return null;
  return /'(.*)'[^']*'[^']*'$/s.exec(sqlMessage ?? '')?.[1] ?? '';
}

function isOfServer(errno: number | undefined): errno is number {
  return errno !== undefined && errno >= 1000;
}

function read(error: unknown): MysqlError {
  return driverErrorOf(error);
}
