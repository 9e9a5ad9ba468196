import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { QueryRunner } from 'typeorm';
import { PreparedStatements } from '../../../../lib/storage/postgres/prepared-statements.js';
import type { QueryHints } from '../../../../lib/storage/sql/sql.js';
import { FAKE_TIMERS } from '../../fakes.js';

const CLAIM = 'SELECT job';
const hasFound = (rows: readonly object[]) => rows.length > 0;

describe('PreparedStatements, whose plans age', () => {
  let statements: PreparedStatements;
  /** After which claim, counted from 1, plans were discarded. */
  let discards: number[];
  let claims: number;

  beforeEach(() => {
    jest.useFakeTimers(FAKE_TIMERS);
    statements = new PreparedStatements();
    [discards, claims] = [[], 0];
  });

  afterEach(() => {
    jest.useRealTimers();
  });

  /** A connection on which a claim takes `ms` and finds `rows`. */
  function connection() {
    const next = { ms: 1, rows: [{}] as object[] };
    const client = {
      processID: 7,
      query: ({ text }: { text: string }) => {
        if (text.startsWith('DEALLOCATE jobs_')) discards.push(claims);
        if (text !== CLAIM) return Promise.resolve({ rows: [{ pid: 7 }] });
        claims += 1;
        jest.advanceTimersByTime(next.ms);
        return Promise.resolve({ rows: next.rows });
      },
    };
    const runner = { connect: () => Promise.resolve(client) } as unknown as QueryRunner;
    const sql = statements.over(runner);
    const query = (hints: QueryHints) => sql.query(CLAIM, [], hints);
    const claim = async (times: number) => {
      for (let n = 0; n < times; n++) await query({ isFrequent: true, hasFound });
    };
    return { next, query, claim };
  }

  it('are discarded after 8, 16, 32, … answers that found something', async () => {
    await connection().claim(100);
    expect(discards).toEqual([8, 16, 32, 64]);
  });

  it('count for each connection', async () => {
    await connection().claim(7);
    await connection().claim(7);
    expect(discards).toEqual([]);
  });

  it('do not count answers that found nothing', async () => {
    const { next, claim } = connection();
    next.rows = [];
    await claim(100);
    next.rows = [{}];
    await claim(8);
    expect(discards).toEqual([108]);
  });

  it('are discarded after 1, 2, 4, 8, … answers that took more than 10 ms: where the database is far away, all do', async () => {
    const { next, claim } = connection();
    next.ms = 11;
    next.rows = [];
    await claim(40);
    expect(discards).toEqual([1, 2, 4, 8, 16, 32]);
  });

  it('are discarded after an answer that took more than 10 ms, whatever it found', async () => {
    const { next, claim } = connection();
    next.ms = 10;
    await claim(1);
    next.ms = 11;
    await claim(1);
    next.rows = [];
    await claim(1);
    expect(discards).toEqual([2, 3]);
  });

  it('stay where nobody says that they age', async () => {
    const { next, query } = connection();
    next.ms = 50;
    for (let n = 0; n < 20; n++) await query({ isFrequent: true });
    expect(discards).toEqual([]);
  });
});

describe('PreparedStatements, where a name is not known', () => {
  /** A connection whose server fails on a prepared statement with this code. */
  function failing(code: string, isTransactionActive = false) {
    const texts: string[] = [];
    const client = {
      processID: 7,
      query: ({ name, text }: { name?: string; text: string }) => {
        texts.push(name === undefined ? text : `prepared ${text}`);
        if (name === undefined) return Promise.resolve({ rows: [{ pid: 7 }] });
        return Promise.reject(Object.assign(new Error('in any language'), { code, severity: 'FATAL' }));
      },
    };
    const runner = { isTransactionActive, connect: () => Promise.resolve(client) };
    return { texts, runner: runner as unknown as QueryRunner };
  }

  it.each(['26000', '42P05'])('send the statement as it is, then and from then on: %s', async (code) => {
    const { texts, runner } = failing(code);
    const sql = new PreparedStatements().over(runner);
    await sql.query('SELECT 1', [], { isFrequent: true });
    await sql.query('SELECT 2', [], { isFrequent: true });
    expect(texts.slice(1)).toEqual(['prepared SELECT 1', 'SELECT 1', 'SELECT 2']);
  });

  it('pass on an error that ends the connection, and prepare nothing from then on', async () => {
    const { texts, runner } = failing('XX000');
    const sql = new PreparedStatements().over(runner);
    await expect(sql.query('SELECT 1', [], { isFrequent: true })).rejects.toThrow('in any language');
    await sql.query('SELECT 2', [], { isFrequent: true });
    expect(texts.slice(1)).toEqual(['prepared SELECT 1', 'SELECT 2']);
  });

  it('prepare nothing where that is not wanted', async () => {
    const { texts, runner } = failing('26000');
    await new PreparedStatements(false).over(runner).query('SELECT 1', [], { isFrequent: true });
    expect(texts).toEqual(['SELECT 1']);
  });
});
