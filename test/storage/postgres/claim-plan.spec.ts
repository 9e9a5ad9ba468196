import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { QueryRunner } from 'typeorm';
import * as mysqlBestJobs from '../../../lib/storage/mysql/best-jobs.js';
import * as mysqlReadyRows from '../../../lib/storage/mysql/ready-rows.js';
import * as mysqlDue from '../../../lib/storage/mysql/due.js';
import * as mysqlFinds from '../../../lib/storage/mysql/finds.js';
import * as mysqlGet from '../../../lib/storage/mysql/get.js';
import * as mysqlLeases from '../../../lib/storage/mysql/leases.js';
import * as mysqlLockedLeases from '../../../lib/storage/mysql/locked-leases.js';
import * as mysqlDelete from '../../../lib/storage/mysql/delete-jobs.js';
import * as mysqlPrune from '../../../lib/storage/mysql/prune.js';
import * as mysqlReclaim from '../../../lib/storage/mysql/reclaim.js';
import * as mysqlSettle from '../../../lib/storage/mysql/settle.js';
import * as postgresClaim from '../../../lib/storage/postgres/claim.js';
import * as postgresFinds from '../../../lib/storage/postgres/finds.js';
import * as postgresGet from '../../../lib/storage/postgres/get.js';
import * as postgresLeases from '../../../lib/storage/postgres/leases.js';
import * as postgresNotes from '../../../lib/storage/postgres/notes.js';
import * as postgresPrune from '../../../lib/storage/postgres/prune.js';
import * as postgresReclaim from '../../../lib/storage/postgres/reclaim.js';
import * as postgresSettle from '../../../lib/storage/postgres/settle.js';
import { describeOn, oneOfEach, ofType } from '../../support/databases.js';
import { CONDITIONS, IDS, PARTS } from '../../support/searches.js';
import { KIND, LONG, SqlStore } from '../../support/store.js';

/*
 * Cost does not grow: among a million rows a claim, a settlement and all else touch the few rows they are about. The
 * plans are those of the statements that the queue sends, asked of the database itself.
 */
const ROWS = 1_000_000;
const TOKENS = IDS.map(() => 1);
const NONE = IDS.map(() => null);

/** A statement on the table that is given. */
type Statement = (table: string) => string;

/** 500 ready jobs of ours; 50,000 of other kinds; 25,000 for tomorrow; 2,500 that run; all others have ended. */
const COLUMNS = 'id, kind, run_at, created_at, updated_at, status, due, locked_by, locked_at, locked_until';

describeOn(ofType('postgres', oneOfEach), 'On $name', (server) => {
  const store = new SqlStore(server);
  let runner: QueryRunner;

  beforeAll(async () => {
    await store.start();
    await store.reset();
    await store.sql(`
      INSERT INTO nest_jobs (${COLUMNS})
      SELECT 'row ' || n, CASE WHEN n % 2000 = 0 THEN '${KIND}' ELSE 'kind ' || n % 7 END,
             now() + CASE WHEN n % 40 = 1 THEN interval '1 day' ELSE interval '-1 hour' END, now(), now(),
             CASE WHEN n % 40 < 4 THEN 'PENDING' ELSE 'DONE' END, n % 40 <> 1,
             CASE WHEN n % 400 = 2 THEN 'w' END, CASE WHEN n % 400 = 2 THEN now() END,
             CASE WHEN n % 400 = 2 THEN now() + interval '1 day' END
      FROM generate_series(1, ${ROWS}) AS n`);
    await store.sql('ANALYZE nest_jobs');
    runner = store.dataSource.createQueryRunner();
    await runner.connect();
  }, 240_000);
  afterAll(async () => {
    await runner.release();
    await store.stop();
  });

  /** How a statement goes about the table: the kind of each scan, and the index. */
  const plan = async (make: Statement, parameters: unknown[]) => {
    const statement = make('"nest_jobs"');
    const [row] = (await runner.query(`EXPLAIN (FORMAT JSON) ${statement}`, parameters)) as [
      { 'QUERY PLAN': [{ Plan: PlanNode }] },
    ];
    return scansOf(row['QUERY PLAN'][0].Plan);
  };
  /** The plan for parameters that are not known, as a prepared statement may get it. */
  const genericPlan = async (make: Statement, parameters: unknown[]) => {
    const statement = make('"nest_jobs"');
    const literals = parameters.map((value) => literal(value)).join(', ');
    await runner.query('SET plan_cache_mode = force_generic_plan');
    await runner.query(`PREPARE planned AS ${statement}`);
    const [row] = (await runner.query(`EXPLAIN (FORMAT JSON) EXECUTE planned (${literals})`)) as [
      { 'QUERY PLAN': [{ Plan: PlanNode }] },
    ];
    await runner.query('DEALLOCATE planned');
    await runner.query('RESET plan_cache_mode');
    return scansOf(row['QUERY PLAN'][0].Plan);
  };
  const kinds = [KIND, 'kind 3', 'nobody'];
  const claim = [kinds, kinds.map(() => 10), 10, 'w', 30_000, false, 1_000_000, false];
  const PLACE = { name: 'nest_jobs', schema: undefined, quoted: '"nest_jobs"' };
  const BESIDE = ['attempts', 'logs', 'labels'].map((suffix) => `nest_jobs_${suffix}`);
  const settle = [IDS, TOKENS, IDS.map(() => 'DONE'), NONE, NONE, NONE, NONE, NONE, ['w']];

  it.each([
    ['a claim of several kinds', postgresClaim.claimOfKinds, claim, ['pkey', 'ready', 'scheduled']],
    [
      'a claim of one kind',
      postgresClaim.claimOfKind,
      ['kind 3', 10, 'w', 30_000, false, 1_000_000, false],
      ['pkey', 'ready', 'scheduled'],
    ],
    ['settle', postgresSettle.settleEach, settle, ['pkey', 'running']],
    [
      'settle of jobs that are done with one result',
      postgresSettle.settleDone,
      [IDS, TOKENS, null, null, ['w']],
      ['pkey', 'running'],
    ],
    ['renew', postgresLeases.renew, [IDS, TOKENS, IDS.map(() => false), 30_000, ['w']], ['pkey', 'running']],
    ['release', postgresLeases.release, [IDS, TOKENS, ['w']], ['pkey', 'running']],
    ['look', postgresLeases.look, [IDS], ['pkey']],
    ['get', postgresGet.selectJob, ['row 5'], ['pkey']],
    [
      'settle with attempts that are recorded',
      () => postgresSettle.settleRecorded(PLACE, ''),
      settle,
      ['pkey', 'running'],
    ],
    ['reclaim', () => postgresReclaim.reclaimExpired(PLACE), [3, IDS, 'w', [], true], ['pkey', 'running']],
  ] as [string, Statement, unknown[], string[]][])(
    '%s reads the table through its indexes alone',
    async (name, statement, parameters, indexes) => {
      for (const planOf of [plan, genericPlan]) {
        const all = await planOf(statement, parameters);
        const scans = all.filter(
          ({ table, index }) => !BESIDE.some((name) => table === name || index === `${name}_pkey`),
        );
        expect(scans.length).toBeGreaterThan(0);
        for (const { type, index, condition } of scans) {
          expect(type).toMatch(/Index|Tid Scan/);
          if (type === 'Tid Scan') continue; // rows that the statement itself has just found
          expect(indexes.map((allowed) => `nest_jobs_${allowed}`)).toContain(index);
          // Rows that are named are looked up one by one, in the index of all rows or in that of running ones.
          if (index === 'nest_jobs_pkey' || ['settle', 'renew', 'release'].includes(name)) {
            expect(condition).toMatch(/\(id\)::text = /);
          }
        }
      }
    },
  );

  const AGES = JSON.stringify({ '': { DONE: 60_000 }, mail: { FAILED: 0 } });

  it.each([
    [
      'a settlement that deletes',
      postgresSettle.deleteSettled,
      [IDS, TOKENS, ['w']],
      /^(Index|Bitmap Index|Tid) /,
    ],
    ['a prune by places', postgresPrune.pruneByPlaces, [AGES, '"nest_jobs"', 128, 4_000], /^Tid /],
    ['a prune by ranges', postgresPrune.pruneByRange, [AGES, '"nest_jobs"', 128, 4_000], /^Tid /],
  ] as const)('%s reads no table as a whole', async (name, statement, parameters, expected) => {
    const [version] = (await runner.query('SHOW server_version_num')) as [{ server_version_num: string }];
    if (name === 'a prune by ranges' && Number(version.server_version_num) < 140_000) return;
    for (const planOf of [plan, genericPlan]) {
      const scans = await planOf(() => statement(PLACE), [...parameters]);
      const ofJobs = scans.filter(({ table }) => table === 'nest_jobs');
      expect(ofJobs.length).toBeGreaterThan(1);
      for (const { type } of ofJobs) expect(type).toMatch(expected);
    }
  });

  it('what is stored beside jobs is deleted by index, though a hundred thousand others have it', async () => {
    const rows = `'row ' || n FROM generate_series(1, 100000) AS n`;
    await runner.query('BEGIN');
    try {
      await runner.query(`INSERT INTO nest_jobs_labels (label, job_id) SELECT 'red', ${rows}`);
      await runner.query(
        `INSERT INTO nest_jobs_attempts (job_id, attempt, ended_at, outcome) SELECT 'row ' || n, 1, now(), 'FAILED'
         FROM generate_series(1, 100000) AS n`,
      );
      await runner.query(
        `INSERT INTO nest_jobs_logs (job_id, attempt, line, logged_at, level, entry) SELECT 'row ' || n, 1, 1, now(), 'log', ''
         FROM generate_series(1, 100000) AS n`,
      );
      for (const table of BESIDE) await runner.query(`ANALYZE ${table}`);
      for (const [statement, parameters] of [
        [postgresPrune.pruneByPlaces, [AGES, '"nest_jobs"', 128, 4_000]],
        [postgresSettle.deleteSettled, [IDS, TOKENS, ['w']]],
      ] as const)
        for (const planOf of [plan, genericPlan]) {
          const scans = await planOf(() => statement(PLACE), [...parameters]);
          const found = scans.filter(
            ({ table, index }) =>
              BESIDE.includes(table ?? '') || /_(attempts|logs|labels)_/.test(index ?? ''),
          );
          expect(found.map(({ index }) => index).toSorted()).toEqual([
            'nest_jobs_attempts_pkey',
            'nest_jobs_labels_job',
            'nest_jobs_logs_pkey',
          ]);
        }
      const note = IDS.map(() => 1);
      const lines = [[1], [1], [0], ['info'], ['1']];
      const given = [IDS, TOKENS, IDS.map(() => '0.5'), note, note, note, ['w'], ...lines];
      for (const planOf of [plan, genericPlan]) {
        const scans = await planOf(() => postgresNotes.writeNotes(PLACE), given);
        const found = scans.filter(({ table, index }) =>
          /^nest_jobs(_logs)?($|_pkey)/.test(index ?? table ?? ''),
        );
        expect(found.length).toBeGreaterThan(3);
        for (const { type } of found) expect(type).toMatch(/Index|Tid Scan/);
      }
      for (const [statement, parameters] of [
        [postgresSettle.settleRecorded(PLACE, ''), settle],
        [postgresReclaim.reclaimExpired(PLACE), [3, IDS, 'w', [], true]],
      ] as const)
        for (const planOf of [plan, genericPlan]) {
          const scans = await planOf(() => statement, [...parameters]);
          const found = scans.filter(
            ({ table, index }) => table === 'nest_jobs_attempts' || index === 'nest_jobs_attempts_pkey',
          );
          expect(found.map(({ type, index }) => index ?? type).toSorted()).toEqual([
            'Tid Scan',
            'nest_jobs_attempts_pkey',
          ]);
        }
    } finally {
      await runner.query('ROLLBACK');
    }
  });

  it('a search reads indexes alone, however many rows it looks at, and whatever it asks for', async () => {
    const rows = `'row ' || n FROM generate_series(1, 100000) AS n`;
    const server = { isUnicode: true, hasTidRanges: true };
    await runner.query('BEGIN');
    try {
      await runner.query(`INSERT INTO nest_jobs_labels (label, job_id) SELECT 'red', ${rows}`);
      await runner.query('ANALYZE nest_jobs_labels');
      for (const conditions of [{}, CONDITIONS, { labels: ['red'] }])
        for (const part of PARTS)
          for (const { text, parameters } of [
            postgresFinds.search(PLACE, server, part, conditions, 100),
            postgresFinds.count(PLACE, server, part, conditions),
          ]) {
            const scans = await plan(() => text, [...parameters]);
            expect(scans.length).toBeGreaterThan(0);
            for (const { type, index } of scans) {
              expect(type).toMatch(/^(Index|Bitmap Index)/);
              expect(index).toMatch(/^nest_jobs_(pkey|labels_pkey|labels_job|keys_pkey)$/);
            }
          }
    } finally {
      await runner.query('ROLLBACK');
    }
  });

  it('jobs that have not ended are named by the indexes that hold only these', async () => {
    for (const kinds of [null, [KIND, 'kind 3']]) {
      const { text, parameters } = postgresFinds.open(
        '"nest_jobs"',
        { waiting: true, running: true, kinds },
        10_001,
      );
      const scans = await plan(() => text, [...parameters]);
      const indexes = scans.map(({ index }) => index).toSorted();
      expect(indexes).toEqual(['nest_jobs_ready', 'nest_jobs_running', 'nest_jobs_scheduled']);
    }
  });

  it('a claim finds ready jobs in the order of the index, and scheduled ones by their time', async () => {
    const scans = await plan(postgresClaim.claimOfKinds, claim);
    const conditionsOn = (index: string) =>
      scans.filter((scan) => scan.index === `nest_jobs_${index}`).map(({ condition }) => condition);
    expect(conditionsOn('ready')).toHaveLength(2);
    for (const condition of conditionsOn('ready')) expect(condition).toMatch(/kind.* = /);
    for (const condition of conditionsOn('scheduled')) expect(condition).toMatch(/run_at (<= now|> \(now)/);
    expect(conditionsOn('scheduled')).toHaveLength(2);
  });

  it.each<[string, (kind: string) => [Statement, unknown[]]]>([
    [
      'of several kinds',
      (kind) => [postgresClaim.claimOfKinds, [[kind], [10], 10, 'w', 30_000, false, 1_000_000, false]],
    ],
    ['of one kind', (kind) => [postgresClaim.claimOfKind, [kind, 10, 'w', 30_000, false, 1_000_000, false]]],
  ])(
    'a claim %s looks at a hundred scheduled rows if it finds nothing, and at none if it takes all',
    async (_name, claimOf) => {
      const scheduledRowsOf = async (kind: string) => {
        const [make, parameters] = claimOf(kind);
        const explain = `EXPLAIN (ANALYZE, FORMAT JSON) ${make('"nest_jobs"')}`;
        const [row] = (await runner.query(explain, parameters)) as [{ 'QUERY PLAN': [{ Plan: PlanNode }] }];
        const scans = scansOf(row['QUERY PLAN'][0].Plan);
        return scans.filter(({ index }) => index === 'nest_jobs_scheduled').map(({ rows }) => rows);
      };
      await runner.query('BEGIN');
      try {
        expect((await scheduledRowsOf('nobody')).toSorted()).toEqual([0, 100]);
        expect(await scheduledRowsOf(KIND)).toEqual([0, 0]);
      } finally {
        await runner.query('ROLLBACK');
      }
    },
  );

  it('writes by place, and through no index, where the statistics know of no running job', async () => {
    await runner.query('BEGIN');
    try {
      await runner.query('UPDATE nest_jobs SET locked_by = NULL, locked_at = NULL, locked_until = NULL');
      await runner.query('ANALYZE nest_jobs');
      for (const [statement, parameters] of [
        [postgresSettle.settleDone, [IDS, TOKENS, null, null, ['w']]],
        [postgresClaim.claimOfKind, ['kind 3', 10, 'w', 30_000, false, 1_000_000, false]],
        [postgresClaim.claimOfKinds, claim],
      ] as [Statement, unknown[]][])
        expect((await plan(statement, parameters)).map(({ type }) => type)).toContain('Tid Scan');
    } finally {
      await runner.query('ROLLBACK');
      await runner.query('ANALYZE nest_jobs');
    }
  });

  it('settle, renew and release look up each row also where there are a thousand', async () => {
    const size = 1_000;
    const many = <T>(value: T) => Array.from({ length: size }, () => value);
    const ids = Array.from({ length: size }, (_, n) => `row ${n}`);
    const calls: [Statement, unknown[]][] = [
      [
        postgresSettle.settleEach,
        [ids, many(1), many('DONE'), many(null), many(null), many(null), many(null), many(null), ['w']],
      ],
      [postgresSettle.settleDone, [ids, many(1), null, null, ['w']]],
      [postgresLeases.renew, [ids, many(1), many(false), 30_000, ['w']]],
      [postgresLeases.release, [ids, many(1), ['w']]],
    ];
    for (const [statement, parameters] of calls) {
      const scans = await plan(statement, parameters);
      for (const { type, condition } of scans) {
        if (type === 'Tid Scan') continue;
        expect(type).toMatch(/Index/);
        expect(condition).toMatch(/\(id\)::text = /);
      }
    }
  });

  itIsFast(store);
});

describeOn(ofType('mysql', oneOfEach), 'On $name', (server) => {
  const store = new SqlStore(server);

  beforeAll(async () => {
    await store.start();
    await store.reset();
    await store.sql(`
      INSERT INTO nest_jobs (${COLUMNS})
      SELECT CONCAT('row ', LPAD(seq, 7, '0')), IF(seq % 2000 = 0, '${KIND}', CONCAT('kind ', seq % 7)),
             UTC_TIMESTAMP(6) + INTERVAL IF(seq % 40 = 1, 24, -1) HOUR, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6),
             IF(seq % 40 < 4, 'PENDING', 'DONE'), seq % 40 <> 1,
             IF(seq % 400 = 2, 'w', NULL), IF(seq % 400 = 2, UTC_TIMESTAMP(6), NULL),
             IF(seq % 400 = 2, UTC_TIMESTAMP(6) + INTERVAL 1 DAY, NULL)
      FROM seq_1_to_${ROWS}`);
    await store.sql('ANALYZE TABLE nest_jobs');
  }, 240_000);
  afterAll(() => store.stop());

  const TABLE = '`nest_jobs`';
  const ids = IDS.map((_, n) => `row 000001${n}`);
  const outcomes = JSON.stringify(ids.map((id) => ({ id, status: 'DONE' })));
  const readAs = (index: string) => [{ table: 'nest_jobs', key: index }];

  it.each(
    [
      [mysqlReadyRows.lockReadyOfKind, [KIND, 10], [{ table: 'job', key: 'nest_jobs_ready' }]],
      [mysqlDue.lockScheduled, [], readAs('nest_jobs_scheduled')],
      [mysqlDue.markDue, [ids], readAs('PRIMARY')],
      [mysqlReadyRows.lease, ['w', '2031-01-01', '2031-01-02', 0, '2031-01-01', ids], readAs('PRIMARY')],
      [mysqlLockedLeases.lockLeases, [ids], readAs('PRIMARY')],
      [mysqlLeases.renew, [1000, [''], ids], readAs('PRIMARY')],
      [mysqlSettle.settleEach, [outcomes], [{ table: 'job', key: 'PRIMARY' }]],
      [
        mysqlSettle.settleAlike,
        ['DONE', 'DONE', null, null, null, null, null, 0, true, ids],
        [{ table: 'job', key: 'PRIMARY' }],
      ],
      [mysqlLeases.release, [ids], readAs('PRIMARY')],
      [mysqlLeases.look, [ids], readAs('PRIMARY')],
      [mysqlGet.selectJob, ids.slice(0, 1), readAs('PRIMARY')],
      [mysqlReclaim.anyExpired, [], readAs('nest_jobs_running')],
      [mysqlReclaim.lockExpired, [3, ids], readAs('nest_jobs_running')],
      [mysqlReclaim.reclaimLocked, [3, 3, 3, ids], readAs('PRIMARY')],
    ].map((row) => [(row[0] as Statement).name, ...row]) as [string, Statement, unknown[], object[]][],
  )('%s reads the table through its index alone', async (_name, statement, parameters, expected) => {
    expect(await plan(statement(TABLE), parameters)).toEqual(expected);
  });

  it('a prune reads a part of the table by its primary key, and names the rows that it locks and deletes', async () => {
    const ages = [JSON.stringify({ general: { DONE: 1_000 } }), [null]];
    for (const until of [null, 'row 0900000'])
      for (const [statement, parameters] of [
        [mysqlPrune.lookForExpired(TABLE), [...ages, 'row 0000100', until, until]],
        [mysqlPrune.findExpired(TABLE), [...ages, 'row 0000100', until, until, 1e15]],
      ] as const) {
        const steps = await store.sql(`EXPLAIN ${statement}`, [...parameters]);
        const [read] = steps.filter(({ table }) => table === 'nest_jobs');
        expect(read).toMatchObject({ type: 'range', key: 'PRIMARY' });
        expect(read).not.toMatchObject({ Extra: expect.stringContaining('filesort') });
      }
    expect(await plan(mysqlPrune.lockExpired(TABLE), [ids])).toEqual(readAs('PRIMARY'));
    const byJoin = mysqlDelete.deleteByJoin(TABLE, 'id', 'PRIMARY');
    expect(await plan(byJoin, [JSON.stringify(ids)])).toEqual([{ table: 'job', key: 'PRIMARY' }]);
    const ofLabels = mysqlDelete.deleteByJoin('`nest_jobs_labels`', 'job_id', '`nest_jobs_labels_job`');
    expect(await plan(ofLabels, [JSON.stringify(ids)])).toEqual([
      { table: 'job', key: 'nest_jobs_labels_job' },
    ]);
  });

  it('a search reads indexes alone, as far as it may, whatever it asks for', async () => {
    const place = { name: 'nest_jobs', schema: undefined, quoted: TABLE };
    for (const conditions of [{}, CONDITIONS])
      for (const part of PARTS)
        for (const { text, parameters } of [
          mysqlFinds.search(place, part, conditions, 100),
          mysqlFinds.count(place, part, conditions),
        ]) {
          const steps = await store.sql(`EXPLAIN ${text}`, parameters);
          const read = steps.filter(({ table }) => table !== null && !/^[<u]/.test(table as string));
          expect(read.length).toBeGreaterThan(0);
          for (const step of read) {
            const isLookedUp = /const|eq_ref|ref|range/.test(String(step.type));
            const isFirst =
              'rows' in part && part.after === null && step.key === 'PRIMARY' && step.type === 'index';
            expect([step, isLookedUp || isFirst || /Impossible/.test(String(step.Extra))]).toEqual([
              step,
              true,
            ]);
          }
        }
    for (const kinds of [null, [KIND, 'kind 3']]) {
      const { text, parameters } = mysqlFinds.open(place, { waiting: true, running: true, kinds }, 10_001);
      const steps = await store.sql(`EXPLAIN ${text}`, parameters);
      const keys = steps.flatMap(({ key }) => (key as string | null) ?? []);
      expect(keys).toEqual(['nest_jobs_ready', 'nest_jobs_scheduled', 'nest_jobs_running']);
    }
  });

  it('a claim locks no more rows than it takes: they come in its order, and none has to be read for sorting', async () => {
    for (const [statement, parameters] of [
      [mysqlReadyRows.lockReadyOfKind(TABLE), ['kind 3', 10]],
      [mysqlDue.lockScheduled(TABLE), []],
    ] as const) {
      const [step] = await store.sql(`EXPLAIN ${statement}`, [...parameters]);
      expect(step).not.toMatchObject({ Extra: expect.stringContaining('filesort') });
    }
  });

  it('the look for kinds that have ready jobs reads the index of those alone, and no row', async () => {
    const [step] = await store.sql(`EXPLAIN ${mysqlBestJobs.readyKinds(TABLE)}`);
    const Extra = expect.stringMatching(/Using index(?! condition)/);
    expect(step).toMatchObject({ type: 'range', key: 'nest_jobs_ready', Extra });
  });

  it('the look for the best jobs of several kinds reads the table through its indexes alone', async () => {
    const scans = await plan(mysqlBestJobs.bestOfKinds(TABLE, 3), [
      ...[KIND, 10, 'kind 3', 10, 'nobody', 10],
      ...[100, 110],
    ]);
    const [ready, scheduled] = ['ready', 'scheduled'].map((index) => ({
      table: 'nest_jobs',
      key: `nest_jobs_${index}`,
    }));
    expect(scans).toEqual([ready, ready, ready, scheduled]);
  });

  it('and at no more than a hundred scheduled rows', async () => {
    const runner = store.dataSource.createQueryRunner();
    try {
      await runner.query('FLUSH STATUS');
      await runner.query(mysqlBestJobs.bestOfKinds(TABLE, 1), ['nobody', 10, 100, 110]);
      const rows = (await runner.query(`SHOW SESSION STATUS LIKE 'Handler_read_next'`)) as {
        Value: string;
      }[];
      expect(Number(rows[0]!.Value)).toBeLessThanOrEqual(110);
      expect(Number(rows[0]!.Value)).toBeGreaterThanOrEqual(90);
    } finally {
      await runner.release();
    }
  });

  const plan = async (statement: string, parameters: unknown[]) => {
    const rows = await store.sql(`EXPLAIN ${statement}`, parameters);
    return rows
      .filter(({ table }) => table === 'nest_jobs' || table === 'job')
      .map(({ table, type, key }) => (type === 'ALL' || type === 'index' ? { table, type } : { table, key }));
  };

  itIsFast(store);
});

const ROUNDS = 8;
/** It takes some thirty to a hundred times as long as a step. */
const PATIENCE_MS = 60_000;
const LOOKUPS_IN_A_SCAN = 10;

/**
 * Each step is timed beside a scan of the whole table, the best of several rounds each: what else the machine has to do
 * slows both down.
 */
function itIsFast(store: SqlStore): void {
  let best: Map<string, number>;
  beforeEach(() => {
    best = new Map();
  });

  async function timed<T>(step: string, work: () => Promise<T>): Promise<T> {
    const begun = performance.now();
    const result = await work();
    best.set(step, Math.min(best.get(step) ?? Infinity, performance.now() - begun));
    return result;
  }

  /**
   * A transaction of another test on the same server keeps it from clearing away what has left an index, and a lookup steps
   * over that. So the steps that are slow are measured again, until it has ended.
   */
  async function expectNoScans(round: () => Promise<void>): Promise<void> {
    let slow: unknown[];
    const end = performance.now() + PATIENCE_MS;
    do {
      best.clear();
      for (let n = 0; n < ROUNDS; n++) {
        await round();
        await timed('scan', () => store.sql('SELECT count(*) AS n FROM nest_jobs WHERE attempts_done < 0'));
      }
      const limit = best.get('scan')! / LOOKUPS_IN_A_SCAN;
      slow = [...best].filter(([step, ms]) => step !== 'scan' && ms >= limit);
    } while (slow.length > 0 && performance.now() < end);
    expect(slow).toEqual([]);
  }

  it('claims, renews and settles in less than a tenth of the time that a scan of the table takes', async () => {
    await expectNoScans(async () => {
      await store.client.enqueueMany(Array.from({ length: 10 }, () => ({ kind: KIND, priority: -1 })));
      const jobs = await timed('claim', () => store.queue.claim([KIND, 'nobody'], 10, LONG));
      expect(jobs).toHaveLength(10);
      const leases = jobs.map((job) => ({ ...job, alone: false }));
      expect(await timed('renew', () => store.queue.renew(leases, 60_000))).not.toContain('lost');
      const outcome = { type: 'done', result: { json: null, bytes: null } } as const;
      const settlements = jobs.map((job) => ({ ...job, outcome }));
      const answers = await timed('settle', () => store.queue.settle(settlements));
      expect(new Set(answers)).toEqual(new Set(['written']));
    });
  }, 120_000);

  it('finds in less than a tenth of that time that there is nothing to claim and nothing to take back', async () => {
    await expectNoScans(async () => {
      expect(await timed('claim', () => store.queue.claim(['nobody'], 10, LONG))).toEqual([]);
      expect(await timed('reclaim', () => store.queue.reclaim(3))).toEqual([]);
    });
  }, 120_000);
}

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Index Cond'?: string;
  /** Only where the statement has been run. */
  readonly 'Actual Rows'?: number;
  readonly Plans?: readonly PlanNode[];
}

interface Scan {
  readonly type: string;
  readonly table: string | undefined;
  readonly index: string | undefined;
  readonly condition: string | undefined;
  readonly rows: number | undefined;
}

/** The scans of the table within a plan. A change of rows names the table too, and reads none of it. */
function scansOf(node: PlanNode): Scan[] {
  const type = node['Node Type'];
  const below = (node.Plans ?? []).flatMap(scansOf);
  const table = node['Relation Name'];
  const isScan = type.includes('Scan') && (table?.startsWith('nest_jobs') === true || 'Index Name' in node);
  // A bitmap heap scan fetches what the index scan below it has found.
  if (!isScan || type === 'Bitmap Heap Scan') return below;
  return [
    { type, table, index: node['Index Name'], condition: node['Index Cond'], rows: node['Actual Rows'] },
    ...below,
  ];
}

function literal(value: unknown): string {
  if (Array.isArray(value)) {
    return `'{${value.map((entry) => (entry === null ? 'NULL' : `"${String(entry)}"`)).join(',')}}'`;
  }
  return typeof value === 'string' ? `'${value}'` : String(value);
}
