import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { QueryRunner } from 'typeorm';
import * as mysqlBestJobs from '../../../lib/storage/mysql/best-jobs.js';
import * as mysqlReadyRows from '../../../lib/storage/mysql/ready-rows.js';
import * as mysqlDue from '../../../lib/storage/mysql/due.js';
import * as mysqlGet from '../../../lib/storage/mysql/get.js';
import * as mysqlLeases from '../../../lib/storage/mysql/leases.js';
import * as mysqlLockedLeases from '../../../lib/storage/mysql/locked-leases.js';
import * as mysqlReclaim from '../../../lib/storage/mysql/reclaim.js';
import * as mysqlSettle from '../../../lib/storage/mysql/settle.js';
import * as postgresClaim from '../../../lib/storage/postgres/claim.js';
import * as postgresGet from '../../../lib/storage/postgres/get.js';
import * as postgresLeases from '../../../lib/storage/postgres/leases.js';
import * as postgresReclaim from '../../../lib/storage/postgres/reclaim.js';
import * as postgresSettle from '../../../lib/storage/postgres/settle.js';
import { describeOn, oneOfEach, ofType } from '../../support/databases.js';
import { KIND, LONG, SqlStore } from '../../support/store.js';

/*
 * Cost does not grow: among a million rows a claim, a settlement and all else touch the few rows they are about. The
 * plans are those of the statements that the queue sends, asked of the database itself.
 */
const ROWS = 1_000_000;
const IDS = Array.from({ length: 10 }, (_, n) => `job ${n}`);
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
  const claim = [kinds, kinds.map(() => 10), 10, 'w', 30_000, false, 1_000_000];
  const settle = [IDS, TOKENS, IDS.map(() => 'DONE'), NONE, NONE, NONE, NONE, ['w']];

  it.each([
    ['a claim of several kinds', postgresClaim.claimOfKinds, claim, ['pkey', 'ready', 'scheduled']],
    [
      'a claim of one kind',
      postgresClaim.claimOfKind,
      ['kind 3', 10, 'w', 30_000, false, 1_000_000],
      ['pkey', 'ready', 'scheduled'],
    ],
    ['settle', postgresSettle.settleEach, settle, ['pkey', 'running']],
    [
      'settle of outcomes that are alike',
      postgresSettle.settleAlike,
      [IDS, TOKENS, 'DONE', null, null, null, null, ['w']],
      ['pkey', 'running'],
    ],
    ['renew', postgresLeases.renew, [IDS, TOKENS, IDS.map(() => false), 30_000, ['w']], ['pkey', 'running']],
    ['release', postgresLeases.release, [IDS, TOKENS, ['w']], ['pkey', 'running']],
    ['look', postgresLeases.look, [IDS], ['pkey']],
    ['get', postgresGet.selectJob, ['row 5'], ['pkey']],
    ['reclaim', postgresReclaim.reclaimExpired, [3, IDS], ['pkey', 'running']],
  ] as [string, Statement, unknown[], string[]][])(
    '%s reads the table through its indexes alone',
    async (name, statement, parameters, indexes) => {
      for (const planOf of [plan, genericPlan]) {
        const scans = await planOf(statement, parameters);
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

  it('a claim finds ready jobs in the order of the index, and scheduled ones by their time', async () => {
    const scans = await plan(postgresClaim.claimOfKinds, claim);
    const conditionsOn = (index: string) =>
      scans.filter((scan) => scan.index === `nest_jobs_${index}`).map(({ condition }) => condition);
    expect(conditionsOn('ready')).toHaveLength(2);
    for (const condition of conditionsOn('ready')) expect(condition).toMatch(/kind.* = /);
    expect(conditionsOn('scheduled')).toEqual([expect.stringMatching(/run_at <= now/)]);
  });

  it('writes by place, and through no index, where the statistics know of no running job', async () => {
    await runner.query('BEGIN');
    try {
      await runner.query('UPDATE nest_jobs SET locked_by = NULL, locked_at = NULL, locked_until = NULL');
      await runner.query('ANALYZE nest_jobs');
      for (const [statement, parameters] of [
        [postgresSettle.settleAlike, [IDS, TOKENS, 'DONE', null, null, null, null, ['w']]],
        [postgresClaim.claimOfKind, ['kind 3', 10, 'w', 30_000, false, 1_000_000]],
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
        [ids, many(1), many('DONE'), many(null), many(null), many(null), many(null), ['w']],
      ],
      [postgresSettle.settleAlike, [ids, many(1), 'DONE', null, null, null, null, ['w']]],
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
        ['DONE', null, null, null, null, 0, true, ids],
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
    const scans = await plan(mysqlBestJobs.bestOfKinds(TABLE, 3), [KIND, 10, 'kind 3', 10, 'nobody', 10, 11]);
    const ready = { table: 'nest_jobs', key: 'nest_jobs_ready' };
    expect(scans).toEqual([ready, ready, ready, { table: 'nest_jobs', key: 'nest_jobs_scheduled' }]);
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

  async function expectNoScans(round: () => Promise<void>): Promise<void> {
    for (let n = 0; n < ROUNDS; n++) {
      await round();
      await timed('scan', () => store.sql('SELECT count(*) AS n FROM nest_jobs WHERE attempts_done < 0'));
    }
    const limit = best.get('scan')! / LOOKUPS_IN_A_SCAN;
    expect([...best].filter(([step, ms]) => step !== 'scan' && ms >= limit)).toEqual([]);
  }

  it('claims, renews and settles in less than a tenth of the time that a scan of the table takes', async () => {
    const ids = Array.from({ length: 10 * ROUNDS }, (_, n) => `fast ${n}`);
    await store.client.enqueueMany(ids.map((id) => ({ kind: KIND, id, priority: -1 })));
    await expectNoScans(async () => {
      const jobs = await timed('claim', () => store.queue.claim([KIND, 'nobody'], 10, LONG));
      expect(jobs).toHaveLength(10);
      const leases = jobs.map((job) => ({ ...job, alone: false }));
      expect(await timed('renew', () => store.queue.renew(leases, 60_000))).not.toContain('lost');
      const outcome = { type: 'done', result: { json: null, bytes: null } } as const;
      const settlements = jobs.map((job) => ({ ...job, outcome }));
      const answers = await timed('settle', () => store.queue.settle(settlements));
      expect(new Set(answers)).toEqual(new Set(['written']));
    });
  });

  it('finds in less than a tenth of that time that there is nothing to claim and nothing to take back', async () => {
    await expectNoScans(async () => {
      expect(await timed('claim', () => store.queue.claim(['nobody'], 10, LONG))).toEqual([]);
      expect(await timed('reclaim', () => store.queue.reclaim(3))).toEqual([]);
    });
  });
}

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Index Cond'?: string;
  readonly Plans?: readonly PlanNode[];
}

interface Scan {
  readonly type: string;
  readonly index: string | undefined;
  readonly condition: string | undefined;
}

/** The scans of the table within a plan. A change of rows names the table too, and reads none of it. */
function scansOf(node: PlanNode): Scan[] {
  const type = node['Node Type'];
  const below = (node.Plans ?? []).flatMap(scansOf);
  const isScan = type.includes('Scan') && (node['Relation Name'] === 'nest_jobs' || 'Index Name' in node);
  // A bitmap heap scan fetches what the index scan below it has found.
  if (!isScan || type === 'Bitmap Heap Scan') return below;
  return [{ type, index: node['Index Name'], condition: node['Index Cond'] }, ...below];
}

function literal(value: unknown): string {
  if (Array.isArray(value)) {
    return `'{${value.map((entry) => (entry === null ? 'NULL' : `"${String(entry)}"`)).join(',')}}'`;
  }
  return typeof value === 'string' ? `'${value}'` : String(value);
}
