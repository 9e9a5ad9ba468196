import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { JobClient } from '../../../lib/client/job-client.js';
import { InvalidOptionError } from '../../../lib/job/errors.js';
import { UnsupportedDatabaseError } from '../../../lib/job/storage-errors.js';
import type { Outcome } from '../../../lib/job/outcome.js';
import { examineServer } from '../../../lib/storage/mysql/server.js';
import { mysqlDialect } from '../../../lib/storage/mysql/dialect.js';
import type { Row } from '../../../lib/storage/sql/sql.js';
import { describeOn, ofType, oneOfEach } from '../../support/databases.js';
import { FreshDatabases } from '../../support/fresh-database.js';
import { KIND, LONG, SqlStore } from '../../support/store.js';

const done = (text: string): Outcome => ({
  type: 'done',
  result: { json: JSON.stringify(text), bytes: null },
});

/* Servers, sessions and tables that are not as usual. */
describeOn(ofType('mysql', oneOfEach), 'On $name', (server) => {
  const store = new SqlStore(server);
  const fresh = new FreshDatabases(store);
  beforeAll(() => store.start(), 60_000);
  beforeEach(() => store.reset());
  afterAll(() => store.stop());

  /** Calls `work` with a DataSource of one connection, whose session has the setting. */
  const withSetting = async (
    name: string,
    value: string,
    work: (dataSource: DataSource) => Promise<void>,
  ) => {
    const dataSource = await store.database.connect({ extra: {}, poolSize: 1 });
    try {
      await dataSource.query(`SET SESSION ${name} = ${value}`);
      await work(dataSource);
    } finally {
      await dataSource.destroy();
    }
  };

  describe('A setting', () => {
    it.each([
      ['sql_mode', "'STRICT_TRANS_TABLES,NO_BACKSLASH_ESCAPES'", 'Remove NO_BACKSLASH_ESCAPES'],
      ['character_set_client', 'latin1', "Set charset: 'utf8mb4'"],
      ['character_set_results', 'utf8mb3', "Set charset: 'utf8mb4'"],
      ['character_set_connection', 'gbk', "Set charset: 'utf8mb4'"],
      ['autocommit', '0', 'Set it to ON'],
      ['completion_type', "'CHAIN'", 'Set it to NO_CHAIN'],
      ['sql_select_limit', '10', 'Set it to DEFAULT'],
      ['sql_big_selects', '0', 'Set it to ON'],
      ['tx_read_only', '1', 'Set it to OFF'],
    ])(
      'with which jobs would be lost is refused by name, value and remedy: %s = %s',
      async (name, value, remedy) => {
        await withSetting(name, value, async (dataSource) => {
          const opening = fresh.queueOn(dataSource).open();
          await expect(opening).rejects.toBeInstanceOf(UnsupportedDatabaseError);
          await expect(opening).rejects.toThrow(
            new RegExp(`has (transaction|${name.slice(0, 4)})\\w* = .*, with which .*`),
          );
          await expect(opening).rejects.toThrow(remedy);
        });
      },
    );

    it.each(['latin1', 'utf8', 'gbk_chinese_ci'])(
      'of the DataSource is refused: charset %s',
      async (charset) => {
        const dataSource = await store.database.connect({ charset });
        const opening = fresh.queueOn(dataSource).open();
        await expect(opening).rejects.toThrow(
          /has character_set_client = \w+, with which texts would be changed/,
        );
        await dataSource.destroy();
      },
    );

    it.each([
      [
        'ON',
        'ON',
        'STATEMENT',
        /binlog_format = STATEMENT, with which no job could be claimed\. Set it to ROW or MIXED/,
      ],
      ['ON', 'OFF', 'STATEMENT', undefined],
      ['OFF', 'ON', 'STATEMENT', undefined],
      ['ON', 'ON', 'MIXED', undefined],
      ['ON', 'ON', 'ROW', undefined],
    ])(
      'binlog_format matters where a log is written: log_bin %s, sql_log_bin %s, %s',
      async (log, session, format, refusal) => {
        const values = {
          log_bin: log,
          sql_log_bin: session,
          binlog_format: format,
          max_allowed_packet: '16777216',
        };
        const rows: Row[] = Object.entries(values).map(([name, value]) => ({
          Variable_name: name,
          Value: value,
        }));
        const sql = {
          query: (text: string) =>
            Promise.resolve(
              text.startsWith('SHOW')
                ? rows
                : [{ version: '10.11.6-MariaDB', select_limit: '18446744073709551615' }],
            ),
        };
        const found = examineServer(sql);
        if (refusal === undefined)
          expect(await found).toEqual({ maxPacketBytes: 16 * 1024 * 1024, updatesByJoin: true });
        else await expect(found).rejects.toThrow(refusal);
      },
    );

    it.each([
      ['sql_mode', "'ANSI'"],
      ['sql_mode', "'ORACLE'"],
      ['sql_mode', "'TRADITIONAL'"],
      ['sql_mode', "'ONLY_FULL_GROUP_BY'"],
      ['sql_mode', "'PAD_CHAR_TO_FULL_LENGTH'"],
      ['sql_mode', "'EMPTY_STRING_IS_NULL,STRICT_TRANS_TABLES'"],
      ['sql_mode', "'SIMULTANEOUS_ASSIGNMENT'"],
      ['sql_mode', "''"],
      ['sql_safe_updates', '1'],
      ['time_zone', "'+05:45'"],
      ['collation_connection', "'utf8mb4_general_ci'"],
      ['transaction_isolation', "'SERIALIZABLE'"],
      ['div_precision_increment', '0'],
      ['sql_auto_is_null', '1'],
      ['unique_checks', '0'],
      ['check_constraint_checks', '0'],
      ['group_concat_max_len', '4'],
    ])('that changes nothing for the queue is worked with: %s = %s', async (name, value) => {
      const isTaken = store.sql(
        `SHOW VARIABLES LIKE '${name === 'transaction_isolation' ? 'tx_isolation' : name}'`,
      );
      if ((await isTaken).length === 0) return; // of MySQL, or of MariaDB alone
      const variable = name === 'transaction_isolation' ? 'tx_isolation' : name;
      await withSetting(variable, value, async (dataSource) => {
        const queue = await fresh.queueOn(dataSource).open();
        const client = new JobClient(queue);
        const text = `it's "quoted" \\ 🎉`;
        await client.enqueueMany([
          { kind: KIND, id: 'a', payload: text, delayMs: 1 },
          { kind: KIND, id: 'b', payload: text },
          { kind: KIND, id: 'c', payload: text },
          { kind: 'other', id: 'd' },
        ]);
        await new Promise((resolve) => setTimeout(resolve, 5));
        const jobs = await queue.claim([KIND, 'other'], 10, LONG);
        expect(jobs.map(({ id, payload }) => [id, payload])).toEqual(
          expect.arrayContaining(['a', 'b', 'c'].map((id) => [id, text])),
        );
        expect(
          await queue.renew(
            jobs.map((job) => ({ ...job, alone: false })),
            60_000,
          ),
        ).toEqual(jobs.map(() => 'written'));
        const settled = await queue.settle([
          { ...jobs[0]!, outcome: done(text) },
          { ...jobs[1]!, outcome: { type: 'retry', delayMs: 0, lastError: text } },
          { ...jobs[2]!, outcome: { type: 'failed', lastError: text } },
        ]);
        expect(settled).toEqual(['written', 'written', 'written']);
        await queue.release([jobs[3]!]);
        expect(await queue.reclaim(3)).toEqual([]);
        expect(await client.get(jobs[0]!.id)).toMatchObject({ status: 'DONE', result: text });
        expect(await client.get(jobs[1]!.id)).toMatchObject({
          status: 'PENDING',
          attemptsDone: 1,
          lastError: text,
        });
        expect(await client.get(jobs[2]!.id)).toMatchObject({ status: 'FAILED', lastError: text });
      });
    });
  });

  describe('A table of another engine', () => {
    it('is refused', async () => {
      await fresh.within(async (dataSource) => {
        await fresh.queueOn(dataSource).open();
        await dataSource.query('ALTER TABLE nest_jobs DROP KEY nest_jobs_ready, ENGINE = Aria');
        const opening = fresh.queueOn(dataSource).open();
        await expect(opening).rejects.toBeInstanceOf(UnsupportedDatabaseError);
        await expect(opening).rejects.toThrow(
          /"nest_jobs" is kept by the engine Aria.*Alter it to ENGINE = InnoDB/,
        );
      });
    });
  });

  describe('The packet limit of the server', () => {
    const MIB = 1024 * 1024;

    it('bounds maxPayloadBytes to a quarter of it', async () => {
      const [row] = await store.sql(`SHOW VARIABLES LIKE 'max_allowed_packet'`);
      const most = Number(row!.Value) / 4;
      await fresh.queueOn(store.dataSource, { maxPayloadBytes: most }).open();
      const opening = fresh.queueOn(store.dataSource, { maxPayloadBytes: most + 1 }).open();
      await expect(opening).rejects.toBeInstanceOf(InvalidOptionError);
      await expect(opening).rejects.toThrow(`at most ${most}, a quarter of what the server takes`);
    });

    it.each([
      ['quotes', '"'.repeat(MIB / 2 - 1), 4],
      ['backslashes', '\\'.repeat(MIB / 2 - 1), 4],
      ['signs of three bytes', '€'.repeat(350_000), 10],
      ['control characters', '\u001b'.repeat(MIB / 6 - 1), 4],
      ['short texts', '"'.repeat(3_000), 1_000],
    ])('bounds each statement of a batch as it is really sent: results of %s', async (_name, text, count) => {
      const limit = 4 * MIB;
      const { jobs: dialect } = mysqlDialect('nest_jobs', { maxPacketBytes: limit, updatesByJoin: true });
      await store.client.enqueueMany(
        Array.from({ length: count }, (_, n) => ({ kind: KIND, id: `job ${n}` })),
      );
      const jobs = await store.queue.claim([KIND], count, LONG);
      const connection = store.dataSource.createQueryRunner();
      const sizes: number[] = [];
      const driver = (await connection.connect()) as {
        format(text: string, values: readonly unknown[]): string;
        query(
          text: string,
          values: readonly unknown[],
          callback: (error: Error | null, result: unknown) => void,
        ): void;
      };
      const sql = {
        query: (statement: string, values: readonly unknown[] = []) => {
          sizes.push(Buffer.byteLength(driver.format(statement, values)));
          return new Promise<readonly Row[]>((resolve, reject) => {
            driver.query(statement, values, (error, result) =>
              error ? reject(error) : resolve(result as Row[]),
            );
          });
        },
      };
      const sorted = jobs.toSorted((a, b) => (a.id < b.id ? -1 : 1));
      const written = await dialect.settle(
        sql,
        sorted.map((job, n) => ({ ...job, outcome: done(`${n}${text}`) })),
      );
      await connection.release();
      expect(written).toHaveLength(count);
      expect(Math.max(...sizes)).toBeLessThan(limit);
      expect(await store.job(sorted[1]!.id)).toMatchObject({ status: 'DONE', result: `1${text}` });
    });
  });
});
