import { describe, expect, it } from '@jest/globals';
import { JobsError } from '../../lib/job/errors.js';
import type { SqlStore } from '../support/store.js';
import { until } from '../support/until.js';
import { BAD_ROWS, GOOD_ROW, type Columns, type Expression, type Value } from './bad-rows.js';

const GOOD_IDS = Array.from({ length: 20 }, (_, n) => `job ${n + 1}`);
const LATER_IDS = ['later 1', 'later 2', 'later 3'];
/** Of the test and not of the queue: on an idle machine the good jobs take a tenth of a second. */
const DEADLINE = { timeoutMs: 10_000 };
/** An outcome that is refused for good is tried a few times, each with a warning. */
const MAX_REPEATS = 8;

/**
 * A row that somebody else wrote holds up nothing but itself, or the database refuses it. At a concurrency of 1 a worker
 * serves both kinds. Otherwise each kind has a worker, because a claim of one kind is another statement.
 */
export function badRowsContract(store: SqlStore): void {
  const { type } = store.server;
  const rows = BAD_ROWS.filter(([, , ...on]) => on.length === 0 || on.includes(type));

  describe.each(rows)('A row with %s', (_name, columns) => {
    it.each([1, 4])('is refused, or holds up no other job, at a concurrency of %d', async (concurrency) => {
      await store.reset();
      await enqueueGoodJobs();
      if (await isRefused({ ...GOOD_ROW, ...columns })) return;
      let strangers = 0;
      const handler = ({ id }: { id: string }) => {
        if (!GOOD_IDS.includes(id) && !LATER_IDS.includes(id) && id !== 'dead') strangers += 1;
      };
      for (const kinds of concurrency === 1 ? [['good', 'other']] : [['good'], ['other']]) {
        const handlers = Object.fromEntries(kinds.map((kind) => [kind, handler]));
        await store.work(handlers, { concurrency, leaseMs: 4_000 });
      }
      await until(async () => (await doneCount()) === GOOD_IDS.length + 1, {
        ...DEADLINE,
        what: 'all good jobs and the one of the dead worker are done',
      });
      expect(await store.job('dead')).toMatchObject({ status: 'DONE', crashes: 1 });
      await until(holdsNothing, { ...DEADLINE, what: 'no worker holds a job any more' });
      const runsUntilRest = strangers;
      for (const [index, id] of LATER_IDS.entries()) {
        await store.client.enqueue('good', null, { id });
        const count = GOOD_IDS.length + 2 + index;
        await until(async () => (await doneCount()) === count, { ...DEADLINE, what: 'a later job is done' });
      }
      expect(strangers).toBe(runsUntilRest);
      expect(repeatedLines()).toEqual([]);
    });

    const { id = 'bad' } = columns;
    if (typeof id !== 'string') return;
    it('is refused, or is read, or its read is refused by a typed error', async () => {
      await store.reset();
      if (await isRefused({ ...GOOD_ROW, ...columns })) return;
      const answer = await store.client.get(id).catch((error: unknown) => error);
      if (answer instanceof Error) expect(answer).toBeInstanceOf(JobsError);
    });
  });

  /** Good jobs of two kinds, and one of a worker that died. */
  const enqueueGoodJobs = async (): Promise<void> => {
    await store.client.enqueueMany(
      [...GOOD_IDS, 'dead'].map((id, n) => ({ kind: n % 2 === 0 ? 'good' : 'other', id, payload: { n } })),
    );
    const lease: Columns = {
      locked_by: 'a worker that died',
      locked_at: inSeconds(-20),
      locked_until: inSeconds(-10),
      lease_token: 1,
    };
    await store.sql(
      `UPDATE nest_jobs SET ${Object.entries(lease)
        .map(([name, value]) => `${name} = ${termOf(value)}`)
        .join(', ')}
       WHERE id = 'dead'`,
      parametersOf(lease),
    );
  };

  const doneCount = async (): Promise<number> => {
    const ids = [...GOOD_IDS, 'dead', ...LATER_IDS].map((id) => `'${id}'`).join(', ');
    const [row] = await store.sql(
      `SELECT count(*) AS count FROM nest_jobs WHERE status = 'DONE' AND id IN (${ids})`,
    );
    return Number(row!.count);
  };

  const holdsNothing = async (): Promise<boolean> => {
    const [row] = await store.sql(`SELECT count(*) AS count FROM nest_jobs WHERE locked_by LIKE 'worker-%'`);
    return Number(row!.count) === 0;
  };

  /** Warnings and errors that came more often than a few times, numbers apart. */
  const repeatedLines = (): string[] => {
    const counts = new Map<string, number>();
    for (const { level, message } of store.logs) {
      const line = `${level} ${message.slice(0, 300).replaceAll(/\d+/g, '#')}`;
      if (level === 'warn' || level === 'error') counts.set(line, (counts.get(line) ?? 0) + 1);
    }
    return [...counts].filter(([, count]) => count > MAX_REPEATS).map(([line]) => line);
  };

  const isRefused = async (columns: Columns): Promise<boolean> => {
    const names = Object.keys(columns);
    const values = Object.values(columns).map(termOf);
    try {
      await store.sql(
        `INSERT INTO nest_jobs (${names.join(', ')}) VALUES (${values.join(', ')})`,
        parametersOf(columns),
      );
      return false;
    } catch (error) {
      if (isRefusal(error)) return true;
      throw error;
    }
  };

  const termOf = (value: Value): string => {
    if (!isExpression(value)) return '?';
    return typeof value.sql === 'string' ? value.sql : value.sql[type];
  };

  const parametersOf = (columns: Columns): Value[] =>
    Object.entries(columns)
      .filter(([, value]) => !isExpression(value))
      .map(([name, value]) =>
        store.isPostgres && (name === 'due' || name === 'alone') ? asBoolean(value) : value,
      );

  const inSeconds = (seconds: number): Expression => ({
    sql: {
      postgres: `now() + interval '${seconds} seconds'`,
      mysql: `UTC_TIMESTAMP(6) + INTERVAL ${seconds} SECOND`,
      'better-sqlite3': `strftime('%Y-%m-%d %H:%M:%f', 'now', '${seconds} seconds')`,
    },
  });
}

function isExpression(value: Value): value is Expression {
  return typeof value === 'object' && value !== null && 'sql' in value;
}

function asBoolean(value: Value): Value {
  return typeof value === 'number' ? String(value !== 0) : value;
}

/** Whether the database refuses what is in the row, and not the statement. */
function isRefusal(error: unknown): boolean {
  const { code, errno, message } = error as { code?: string; errno?: number; message: string };
  if (code?.startsWith('SQLITE_CONSTRAINT') === true) return true;
  // Of PostgreSQL: data exceptions and violations of constraints.
  if (/^2[23]\w{3}$/.test(code ?? '')) return true;
  // Of MariaDB and MySQL: NULL, a duplicate, out of range, no such time, a text that is too long, a CHECK.
  if (errno !== undefined && [1048, 1062, 1264, 1292, 1366, 1406, 3819, 4025].includes(errno)) return true;
  return /^(CHECK|NOT NULL) constraint failed/.test(message);
}
