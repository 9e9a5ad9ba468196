import type { TestServer } from '../support/databases.js';

/*
 * Rows that no enqueue writes, and that somebody else may have written by plain SQL. Each stands beside good jobs in
 * bad-rows.contract.ts. A row has what GOOD_ROW has, but for the columns that it names.
 */
type Database = TestServer['type'];
/** A parameter, or an expression of the database. */
export type Value = string | number | null | Buffer | Expression;
export interface Expression {
  readonly sql: string | Readonly<Record<Database, string>>;
}
export type Columns = Readonly<Record<string, Value>>;
export type BadRow = readonly [name: string, columns: Columns, ...on: Database[]];

const sql = (text: Expression['sql']): Expression => ({ sql: text });
const inHours = (hours: number) =>
  sql({
    postgres: `now() + interval '${hours} hours'`,
    mysql: `UTC_TIMESTAMP(6) + INTERVAL ${hours} HOUR`,
    'better-sqlite3': `strftime('%Y-%m-%d %H:%M:%f', 'now', '${hours} hours')`,
  });
const repeated = (text: string, times: number) =>
  sql({
    postgres: `repeat('${text}', ${times})`,
    mysql: `REPEAT('${text}', ${times})`,
    'better-sqlite3': `replace(hex(zeroblob(${times})), '00', '${text}')`,
  });
const listsIn = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
const blob = (...bytes: number[]) => Buffer.from(bytes);
const blobOf = (text: string) => Buffer.from(text);

const [PG, MY, LITE] = ['postgres', 'mysql', 'better-sqlite3'] as const;
const MAX = 2 ** 31 - 1;
const MIN = -(2 ** 31);
const BEYOND_DOUBLE = sql('1152921504606846977'); // 2⁶⁰ + 1
const MAX_64 = sql('9223372036854775807');
/** The lease of a worker that died. */
const OVER: Columns = {
  locked_by: 'dead worker',
  locked_at: inHours(-2),
  locked_until: inHours(-1),
  lease_token: 1,
};

/** First in line, so that whatever stops there stops before all others. */
export const GOOD_ROW: Columns = {
  id: 'bad',
  kind: 'good',
  payload: '{"n": 1}',
  priority: -1,
  run_at: inHours(-1),
  created_at: inHours(-1),
  updated_at: inHours(-1),
};

export const BAD_ROWS: readonly BadRow[] = [
  ['an empty kind', { kind: '' }],
  ['a kind of one blank', { kind: ' ' }],
  ['a kind that ends in a blank', { kind: 'good ' }],
  ['a kind that ends in many blanks', { kind: `good${' '.repeat(250)}` }],
  ['a kind that begins with a blank', { kind: ' good' }],
  ['a kind that ends in a tab', { kind: 'good\t' }],
  ['a kind that ends in a line break', { kind: 'good\n' }],
  ['a kind that ends in a no-break space', { kind: 'good\u00a0' }],
  ['a kind that ends in a NUL', { kind: 'good\0' }],
  ['a kind in upper case', { kind: 'GOOD' }],
  ['a kind with an accent', { kind: 'gööd' }],
  ['a kind with a combining mark', { kind: 'good\u0301' }],
  ['a kind of full-width letters', { kind: '\uff47\uff4f\uff4f\uff44' }],
  ['a kind of 255 emoji', { kind: '\u{1F600}'.repeat(255) }],
  ['a kind of 300 characters', { kind: 'k'.repeat(300) }],
  ['a kind that is a blob', { kind: blobOf('good') }, LITE],
  ['a kind that is a number', { kind: 7 }],
  ['no kind', { kind: null }],

  ['an empty id', { id: '' }],
  ['an empty id, before all others', { id: '', priority: MIN }],
  ['an empty id that is scheduled', { id: '', due: 0, run_at: inHours(-1) }],
  ['an id of one blank', { id: ' ' }],
  ['an id that ends in a blank', { id: 'bad ' }],
  ['an id that is that of a good job and a blank', { id: 'job 1 ' }],
  ['an id that begins with a blank', { id: ' job 1' }],
  ['an id in upper case', { id: 'JOB 1' }],
  ['an id that is that of a good job and a control character', { id: 'job 1\u0001' }],
  ['an id with a NUL', { id: 'job 1\0' }],
  ['an id with line breaks', { id: 'a\r\n[Nest] 1 ERROR forged' }],
  ['an id with an escape sequence', { id: '\u001b[2K' }],
  ['an id with quotes and backslashes', { id: `'"\\` }],
  ['an id __proto__', { id: '__proto__' }],
  ['an id of the last code point', { id: '\u{10ffff}' }],
  ['an id of 300 characters', { id: 'x'.repeat(300) }],
  ['an id of a megabyte', { id: repeated('x', 1_000_000) }],
  ['an id that is a blob', { id: blob(0xff, 0) }, LITE],
  ['an id that is a blob of a text', { id: blobOf('bad') }, LITE],
  ['an id that is a number', { id: 7 }],
  ['no id', { id: null }],

  ['the last lease token', { lease_token: MAX }],
  ['the last lease token, under a lease that is over', { ...OVER, lease_token: MAX }],
  ['the last lease token, scheduled', { lease_token: MAX, due: 0 }],
  ['a lease token below zero', { lease_token: -1 }],
  ['the least lease token', { lease_token: MIN }],
  ['a lease token that no double holds', { lease_token: BEYOND_DOUBLE }, LITE],
  ['the last lease token of 64 bits', { lease_token: MAX_64 }, LITE],
  ['a lease token that is a fraction', { lease_token: 1.5 }, LITE],
  ['a lease token that is a text', { lease_token: 'x' }, LITE],
  ['all attempts', { attempts_done: MAX }],
  ['all attempts, under a lease that is over', { ...OVER, attempts_done: MAX }],
  ['attempts below zero', { attempts_done: -1 }],
  ['the least attempts, under a lease that is over', { ...OVER, attempts_done: MIN }],
  ['attempts of 64 bits', { attempts_done: MAX_64 }, LITE],
  ['attempts of 64 bits, under a lease that is over', { ...OVER, attempts_done: MAX_64 }, LITE],
  ['attempts that are a text', { attempts_done: 'x' }, LITE],
  ['all crashes', { crashes: MAX }],
  ['all crashes, under a lease that is over', { ...OVER, crashes: MAX }],
  ['all crashes, under a lease that is over and alone', { ...OVER, crashes: MAX, alone: 1 }],
  ['crashes below zero, under a lease that is over', { ...OVER, crashes: -5 }],
  ['more crashes than attempts', { crashes: 1000 }],
  ['crashes of 64 bits, under a lease that is over', { ...OVER, crashes: MAX_64 }, LITE],
  ['crashes that are a text, under a lease that is over', { ...OVER, crashes: 'x' }, LITE],
  ['the least priority', { priority: MIN }],
  ['the last priority', { priority: MAX }],
  ['a priority of 64 bits', { priority: sql('-9223372036854775807') }, LITE],
  ['a priority that is a text', { priority: 'x' }, LITE],
  ['an infinite priority', { priority: sql('-9e999') }, LITE],
  ['no attempts allowed', { max_attempts: 0 }],
  ['less than no attempts allowed', { max_attempts: MIN }],
  ['as many attempts allowed as there are', { max_attempts: MAX }],
  ['allowed attempts that are a text', { max_attempts: 'x' }, LITE],
  ['the payload version 0', { payload_version: 0 }],
  ['the last payload version', { payload_version: MAX }],

  ['a payload that is cut', { payload: '{"cut' }],
  ['an empty payload', { payload: '' }],
  ['a payload that is no JSON', { payload: 'NaN' }],
  ['a payload of half a surrogate pair', { payload: '"\\ud800"' }],
  ['a payload with a NUL', { payload: '"\\u0000"' }],
  ['a payload with a key twice', { payload: '{"a": 1, "a": 2}' }],
  ['a payload with a key __proto__', { payload: '{"__proto__": {"admin": true}}' }],
  ['a payload of 3,000 levels', { payload: listsIn(3_000) }],
  ['a payload of 200,000 levels', { payload: listsIn(200_000) }, MY, LITE],
  ['a payload and bytes', { payload: '1', payload_bytes: blob(1, 2) }],
  ['no payload', { payload: null }],
  [
    'a payload of 3 MB, more than is allowed',
    {
      payload: sql({
        postgres: `to_json(repeat('x', 3000000))`,
        mysql: `CONCAT('"', REPEAT('x', 3000000), '"')`,
        'better-sqlite3': `json_quote(replace(hex(zeroblob(3000000)), '00', 'x'))`,
      }),
    },
  ],
  ['a payload that is a blob', { payload: blobOf('{}') }, LITE],
  ['a payload that is a number', { payload: 1 }],
  ['bytes that are a text', { payload: null, payload_bytes: 'text' }, LITE],
  ['bytes that are a number', { payload: null, payload_bytes: 1 }, LITE],
  ['something carried that is cut', { carried: '{"cut' }],
  ['something carried that is a blob', { carried: blob(1) }, LITE],
  ['a result before its time', { result: '{"cut' }],
  ['a result that is cut, once done', { status: 'DONE', result: '{"cut' }],
  ['a last error of 2 MB', { last_error: repeated('x', 2_000_000) }],
  ['a last error of 2 MB, under a lease that is over', { ...OVER, last_error: repeated('x', 2_000_000) }],
  ['a last error that is a blob', { last_error: blob(0xff) }, LITE],

  ['an unknown status', { status: 'GONE' }],
  ['a status in lower case', { status: 'pending' }],
  ['a status that ends in a blank', { status: 'DONE ' }],
  ['an empty status', { status: '' }],
  ['no status', { status: null }],
  ['a status that is done, under a lease that is over', { ...OVER, status: 'DONE' }],

  ['a worker without a lease', { locked_by: 'dead worker' }],
  ['a worker that has no end', { ...OVER, locked_until: null }],
  ['a lease without a worker', { locked_until: inHours(-1) }],
  ['a lease without a worker that still lasts', { locked_until: inHours(1) }],
  ['an empty worker', { ...OVER, locked_by: '' }],
  ['a worker with line breaks', { ...OVER, locked_by: 'a\r\n[Nest] 1 ERROR forged' }],
  ['a worker with a quote', { ...OVER, locked_by: `'\\"` }],
  ['a worker of 300 characters', { ...OVER, locked_by: 'w'.repeat(300) }],
  ['a worker that is a blob', { ...OVER, locked_by: blob(0xff) }, LITE],
  ['a lease that never began', { ...OVER, locked_at: null }],
  ['a lease for a thousand years', { ...OVER, locked_until: sql(`'3026-01-01 00:00:00'`) }],
  ['a lease that ended in the year 1', { ...OVER, locked_until: sql(`'0001-01-01 00:00:00'`) }],
  ['a lease without an end', { ...OVER, locked_until: 'infinity' }, PG],
  ['a lease that ended before time began', { ...OVER, locked_until: '-infinity' }, PG],
  ['a lease that began at infinity', { ...OVER, locked_at: 'infinity' }, PG],
  ['a lease whose heartbeat is infinite', { ...OVER, heartbeat_at: 'infinity' }, PG],
  ['a lease that ends at no time', { ...OVER, locked_until: 'soon' }, LITE],
  ['a lease that ends in an empty text', { ...OVER, locked_until: '' }, LITE],
  ['a lease that ends in a number', { ...OVER, locked_until: 1 }, LITE],
  ['a lease that began at no time', { ...OVER, locked_at: 'soon' }, LITE],
  ['a lease of the date zero', { ...OVER, locked_until: sql(`'0000-00-00 00:00:00'`) }, MY],

  ['a start at infinity', { run_at: 'infinity' }, PG],
  ['a start at infinity, scheduled', { run_at: 'infinity', due: 0 }, PG],
  ['a start before time began', { run_at: '-infinity' }, PG],
  ['a start before time began, scheduled', { run_at: '-infinity', due: 0 }, PG],
  ['a start that no Date holds', { run_at: '294276-12-31', due: 0 }, PG],
  ['a start before Christ', { run_at: '4713-01-01 BC' }, PG],
  ['a start in the year 1', { run_at: sql(`'0001-01-01 00:00:00'`) }],
  ['a start at the end of the year 9999', { run_at: sql(`'9999-12-31 23:59:59.999'`), due: 0 }],
  ['a start at the date zero', { run_at: sql(`'0000-00-00 00:00:00'`) }, MY],
  ['a start that is no time', { run_at: 'soon' }, LITE],
  ['a start that is an empty text', { run_at: '' }, LITE],
  ['a start that is a number', { run_at: 0 }, LITE],
  ['a start that is a number, scheduled', { run_at: 0, due: 0 }, LITE],
  ['a start that is a blob', { run_at: blob(0) }, LITE],
  ['a start in another format', { run_at: '2020-01-01T00:00:00.000Z' }, LITE],
  ['a start without a time of day', { run_at: '2020-01-01' }, LITE],
  ['no start', { run_at: null }],
  ['a creation at infinity', { created_at: 'infinity' }, PG],
  ['a creation that is no time', { created_at: 'soon' }, LITE],
  ['a change at infinity', { updated_at: '-infinity' }, PG],
  ['a last attempt at infinity', { last_attempt_at: 'infinity' }, PG],
  ['a last attempt at no time', { last_attempt_at: 'soon' }, LITE],
  ['a start in an hour that says it is due', { run_at: inHours(1), due: 1 }],
  ['a start an hour ago that says it is not due', { run_at: inHours(-1), due: 0 }],
  ['due that is 5', { due: 5 }, MY, LITE],
  ['due that is -1', { due: -1 }, MY, LITE],
  ['due that is a text', { due: 'x' }, LITE],
  ['no due', { due: null }],
  ['alone that is 5, under a lease that is over', { ...OVER, alone: 5, crashes: 2 }, MY, LITE],
  ['alone that is a text, under a lease that is over', { ...OVER, alone: 'x', crashes: 2 }, LITE],
];
