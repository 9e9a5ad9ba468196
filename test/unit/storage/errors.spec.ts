import { describe, expect, it } from '@jest/globals';
import { QueryFailedError } from 'typeorm';
import { duplicateIdIn as duplicateOnMysql, mysqlErrors } from '../../../lib/storage/mysql/errors.js';
import {
  duplicateIdIn as duplicateOnPostgres,
  postgresErrors,
} from '../../../lib/storage/postgres/errors.js';
import { sqliteErrors } from '../../../lib/storage/sqlite/errors.js';

/** An error as TypeORM passes on what the driver threw. */
function failed(fields: object): QueryFailedError {
  return new QueryFailedError('INSERT', [], Object.assign(new Error('words that are not read'), fields));
}

/** What the network and the drivers themselves throw, with no server involved. */
const NETWORK = [
  Object.assign(new Error('write EPIPE'), { code: 'EPIPE', errno: -32, syscall: 'write' }),
  Object.assign(new Error('connect ECONNREFUSED'), {
    code: 'ECONNREFUSED',
    errno: -111,
    syscall: 'connect',
  }),
  Object.assign(new Error('Connection lost'), { code: 'PROTOCOL_CONNECTION_LOST', fatal: true }),
  new Error('Connection terminated unexpectedly'),
  undefined,
  'a text',
];

describe.each([
  ['PostgreSQL', postgresErrors],
  ['MySQL', mysqlErrors],
  ['SQLite', sqliteErrors],
])('The errors of %s', (_database, errors) => {
  it.each(NETWORK)('take no answer of the network for a refusal: %p', (error) => {
    expect(errors.wasRefused(error)).toBe(false);
    expect(errors.refusesContent(error)).toBe(false);
    expect(errors.wantsRetry(error)).toBe(false);
    expect(errors.isWrongServer(error)).toBe(false);
    expect(errors.needsMending(error)).toBe(false);
  });

  it('count what this process cannot turn into a statement as content', () => {
    expect(errors.refusesContent(new RangeError('Invalid string length'))).toBe(true);
    expect(errors.refusesContent(new QueryFailedError('INSERT', [], new TypeError('detached')))).toBe(true);
  });
});

describe('The errors of PostgreSQL', () => {
  it.each(['ERROR', 'FEHLER', 'ERREUR', 'ОШИБКА', '错误'])(
    'are read by code under the severity %s',
    (severity) => {
      expect(postgresErrors.wasRefused(failed({ severity, code: '23505' }))).toBe(true);
      expect(postgresErrors.refusesContent(failed({ severity, code: '22P05' }))).toBe(true);
      expect(postgresErrors.wasRefused(failed({ severity, code: '57P01' }))).toBe(false);
      expect(postgresErrors.wasRefused(failed({ severity, code: '08006' }))).toBe(false);
    },
  );

  it.each(['53100', '42P01', '55P03', '57014', '25006', '40001'])(
    'tell that %s was refused, and not for its content',
    (code) => {
      expect(postgresErrors.wasRefused(failed({ severity: 'ERROR', code }))).toBe(true);
      expect(postgresErrors.refusesContent(failed({ severity: 'ERROR', code }))).toBe(false);
    },
  );

  it.each([
    ['Key (id)=(a) already exists.', 'a'],
    ['Schlüssel »(id)=(a)« existiert bereits.', 'a'],
    ['La clé « (id)=(a (b) c) » existe déjà.', 'a (b) c'],
    [undefined, ''],
  ])('name the id in %p', (detail, id) => {
    const duplicate = { severity: 'FEHLER', code: '23505', constraint: 'nest_jobs_pkey', detail };
    expect(duplicateOnPostgres(failed(duplicate), 'nest_jobs')).toBe(id);
    expect(duplicateOnPostgres(failed({ ...duplicate, constraint: 'orders_pkey' }), 'nest_jobs')).toBeNull();
  });
});

describe('The errors of MySQL', () => {
  it.each([
    ['a duplicate', { errno: 1062, sqlState: '23000' }, true, true],
    [
      'a packet over the limit, which closes the connection',
      { errno: 1153, sqlState: '08S01', fatal: true },
      true,
      true,
    ],
    ['a text that the character set has not', { errno: 1366, sqlState: 'HY000' }, true, true],
    ['a CHECK of MariaDB', { errno: 4025, sqlState: '23000' }, true, true],
    ['a CHECK of MySQL', { errno: 3819, sqlState: 'HY000' }, true, true],
    ['a full table', { errno: 1114, sqlState: 'HY000' }, true, false],
    ['a shutdown', { errno: 1053, sqlState: '08S01' }, false, false],
    ['a killed connection', { errno: 1927, sqlState: '70100' }, false, false],
    ['a node of Galera that is cut off', { errno: 1047, sqlState: '08S01' }, false, false],
    ['a commit of which nothing is known', { errno: 1180, sqlState: 'HY000' }, false, false],
  ])('are read by number: %s', (_name, fields, wasRefused, refusesContent) => {
    const error = failed({ sqlMessage: 'in whatever language', ...fields });
    expect(mysqlErrors.wasRefused(error)).toBe(wasRefused);
    expect(mysqlErrors.refusesContent(error)).toBe(refusesContent);
  });

  it.each([1290, 1836, 1792, 1047])('tell by number %s that another server has to be asked', (errno) => {
    expect(mysqlErrors.isWrongServer(failed({ errno, sqlMessage: 'in whatever language' }))).toBe(true);
  });

  it.each([
    ["Duplicate entry 'a' for key 'PRIMARY'", 'a'],
    ["Doppelter Eintrag 'it's' für Schlüssel 'nest_jobs.PRIMARY'", "it's"],
    ['', ''],
  ])('name the id in %p', (sqlMessage, id) => {
    expect(duplicateOnMysql(failed({ errno: 1062, sqlState: '23000', sqlMessage }))).toBe(id);
    expect(duplicateOnMysql(failed({ errno: 1064, sqlState: '42000', sqlMessage }))).toBeNull();
  });
});

describe('The errors of SQLite', () => {
  it.each([
    ['SQLITE_CONSTRAINT_CHECK', true],
    ['SQLITE_TOOBIG', true],
    ['SQLITE_FULL', false],
    ['SQLITE_IOERR_WRITE', false],
    ['SQLITE_BUSY', false],
  ])('are read by code: %s', (code, refusesContent) => {
    expect(sqliteErrors.wasRefused(failed({ code }))).toBe(true);
    expect(sqliteErrors.refusesContent(failed({ code }))).toBe(refusesContent);
  });
});

describe('A database that can be reached and not used', () => {
  const postgres = (code: string) => failed({ severity: 'FATAL', code });
  const mysql = (errno: number, sqlState = 'HY000') => failed({ errno, sqlState, fatal: true });

  it.each([
    ['a wrong password', postgresErrors, postgres('28P01')],
    ['a database that is not there', postgresErrors, postgres('3D000')],
    ['a right that is missing', postgresErrors, postgres('42501')],
    ['a wrong password', mysqlErrors, mysql(1045, '28000')],
    ['a database that is not there', mysqlErrors, mysql(1049, '42000')],
    ['a table that is not there', mysqlErrors, mysql(1146, '42S02')],
    ['another kind of file', sqliteErrors, failed({ code: 'SQLITE_NOTADB' })],
  ])('needs mending: %s', (_what, errors, error) => {
    expect(errors.needsMending(error)).toBe(true);
  });

  it.each([
    ['a server that starts', postgresErrors, postgres('57P03')],
    ['too many connections', postgresErrors, postgres('53300')],
    ['a full disk', postgresErrors, postgres('53100')],
    ['a standby', postgresErrors, postgres('25006')],
    ['a lock that is held', postgresErrors, postgres('55P03')],
    ['too many connections', mysqlErrors, mysql(1040, '08004')],
    ['too many connections of a user', mysqlErrors, mysql(1203, '42000')],
    ['a node that is cut off', mysqlErrors, mysql(1047, '08S01')],
    ['a file that is locked', sqliteErrors, failed({ code: 'SQLITE_BUSY' })],
    ['a file that cannot be opened', sqliteErrors, failed({ code: 'SQLITE_CANTOPEN' })],
  ])('needs waiting alone: %s', (_what, errors, error) => {
    expect(errors.needsMending(error)).toBe(false);
  });
});
