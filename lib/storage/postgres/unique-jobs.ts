import { sleep } from '../../async/timers.js';
import { finish, step, type Work } from '../../async/work.js';
import type { EncodedJob } from '../../job/encode-job.js';
import { compareIds } from '../../job/id-order.js';
import type { Job } from '../../job/job.js';
import { labelsOfJobs } from '../../job/labels.js';
import { JOB_COLUMNS } from '../sql/columns.js';
import type { JobsTable } from '../sql/dialect.js';
import type { JobsDialect } from '../sql/jobs-dialect.js';
import { sideTable } from '../sql/side-tables.js';
import { inTransaction, type Sql } from '../sql/sql.js';
import type { UniqueDialect } from '../sql/unique-dialect.js';
import type { Holder, LockedKey, Replacement } from '../sql/unique-plan.js';
import {
  ask,
  decodeHolder,
  enqueueUnique,
  insertOrSee,
  isToLock,
  LOOKS_BEFORE_WAITING,
  retakeKey,
  type UniqueSteps,
} from '../sql/unique-work.js';
import { textArray } from './arrays.js';
import { asciiJob } from './ascii.js';
import { select } from './columns.js';
import {
  bindJobs,
  decodeAll,
  givenOrUsual,
  insertMissing,
  settingParameters,
  WRITTEN_COLUMNS,
  WRITTEN_NAMES,
} from './insert.js';
import { bindLabels, labelInserted, relabel } from './labels.js';
import { selectJobs } from './reads.js';
import { keySteps, sweepKeys } from './keys.js';
import type { PostgresServer } from './server.js';

/** Under REPEATABLE READ, a key that another has taken since the first statement would end the transaction. */
const BEGIN = ['BEGIN ISOLATION LEVEL READ COMMITTED'];

export function uniqueJobs(
  table: JobsTable,
  jobs: Pick<JobsDialect, 'insert'>,
  server: PostgresServer,
): UniqueDialect {
  const keys = sideTable(table, 'keys').quoted;
  const [keyStepsOver, jobStepsOver] = [keySteps(keys), jobSteps(table, jobs, server)];
  return {
    enqueue: (sql, given, isJoined) => {
      const steps = { ...keyStepsOver(sql), ...jobStepsOver(sql) };
      const enqueue = () => finish(enqueueUnique(given, steps));
      return isJoined ? enqueue() : inTransaction(sql, BEGIN, enqueue);
    },
    retake: (sql, wanted, isJoined, work) => {
      const retake = async () => {
        await finish(retakeKey(wanted, { ...keyStepsOver(sql), ...jobStepsOver(sql) }));
        return work(sql);
      };
      return isJoined ? retake() : inTransaction(sql, BEGIN, retake);
    },
    sweep: sweepKeys(keys, table.quoted),
  };
}

type JobSteps = Omit<UniqueSteps, 'lockKeys' | 'hold'>;

function jobSteps(
  table: JobsTable,
  jobs: Pick<JobsDialect, 'insert'>,
  server: PostgresServer,
): (sql: Sql) => JobSteps {
  const { quoted } = table;
  const { isUnicode } = server;
  const statements = { see: selectJobs(quoted), replace: replaceJobs(quoted), relabel: relabel(table) };
  const lock = holderLock(quoted);
  const insertMissing = missingInsert(table, server);
  return (sql) => {
    const see = (ids: readonly string[]) =>
      ask(sql.query(statements.see, [textArray(ids)]), (row) => decodeHolder(row, false));
    return {
      lockHolders: (held) => lock(sql, held, see),
      insert: (given) => step(jobs.insert(sql, given, true)),
      insertMissing: (given) => insertOrSee(given, insertMissing(sql), see),
      replace: (replacements) =>
        ask(
          sql.query(statements.replace, bindReplacements(replacements, isUnicode), { isFrequent: true }),
          (row) => decodeHolder(row, true),
        ),
      relabel: (given) => {
        const ids = textArray(given.map(({ id }) => id));
        return step(sql.query(statements.relabel, [ids, ...bindLabels(labelsOfJobs(given), server)]));
      },
    };
  };
}

/** A statement that waits for a lock keeps it, also where the row is not what it was looking for any more. */
function holderLock(
  table: string,
): (
  sql: Sql,
  held: readonly LockedKey[],
  see: (ids: readonly string[]) => Work<readonly Holder[]>,
) => Work<readonly Holder[]> {
  const statements = { lockFree: lockHolders(table, 'SKIP LOCKED'), lock: lockHolders(table, '') };
  return function* (sql, held, see) {
    const found = new Map<string, Holder>();
    const termsOf = new Map(held.map(({ jobId, while: terms }) => [jobId, terms]));
    let left = [...termsOf.keys()].toSorted(compareIds);
    for (let looks = 1; left.length > 0 && looks <= LOOKS_BEFORE_WAITING; looks++) {
      if (looks > 1) yield* step(sleep(1));
      const statement = looks < LOOKS_BEFORE_WAITING ? statements.lockFree : statements.lock;
      const parameters = [textArray(left), left.map((id) => termsOf.get(id) === 'unsettled')];
      const rows = sql.query(statement, parameters, { isFrequent: true });
      const locked = yield* ask(rows, (row) => decodeHolder(row, true));
      for (const holder of locked) found.set(holder.job.id, holder);
      left = left.filter((id) => !locked.some(({ job }) => job.id === id));
      const seen = left.length === 0 ? [] : yield* see(left);
      for (const holder of seen) found.set(holder.job.id, holder);
      left = left.filter((id) => seen.some(({ job }) => job.id === id && isToLock(job, termsOf.get(id)!)));
    }
    return [...found.values()];
  };
}

function missingInsert(
  table: JobsTable,
  server: PostgresServer,
): (sql: Sql) => (jobs: readonly EncodedJob[]) => Work<readonly Job[]> {
  const plain = insertMissing(table.quoted);
  const labelled = insertMissing(table.quoted, (first) => labelInserted(table, first));
  return (sql) =>
    function* (jobs) {
      const written = server.isUnicode ? jobs : jobs.map(asciiJob);
      const labels = labelsOfJobs(jobs);
      const [statement, rest] = labels.length === 0 ? [plain, []] : [labelled, bindLabels(labels, server)];
      const parameters = [...bindJobs(written), ...rest];
      const [row] = yield* step(sql.query(statement, parameters, { isFrequent: true }));
      const made = new Set(JSON.parse((row!.ids as string | null) ?? '[]') as string[]);
      return decodeAll(
        jobs.filter(({ id }) => made.has(id)),
        row!,
      );
    };
}

const NOW = `date_part('epoch', statement_timestamp()) * 1000 AS now`;

/* A job that runs is not locked: its heartbeat and its settlement would have to wait for our commit. */
export const lockHolders = (table: string, others: '' | 'SKIP LOCKED') => `
  WITH sent AS MATERIALIZED (
    SELECT $1::varchar[] AS ids, $2::boolean[] AS may_have_begun
  )
  SELECT ${select(JOB_COLUMNS, 'job')}, ${NOW}
  FROM sent, unnest(sent.ids, sent.may_have_begun) AS given(id, may_have_begun)
  CROSS JOIN LATERAL (
    SELECT * FROM ${table}
    WHERE id = given.id AND status = 'PENDING' AND locked_by IS NULL AND (attempts_done = 0 OR given.may_have_begun)
    FOR UPDATE ${others}
  ) AS job`;

/** What `bindReplacements` sends: a list of each column. */
const LISTS = [
  ...['$1::varchar[]', '$2::varchar[]', '$3::json[]', '$4::bytea[]', '$5::timestamptz[]', '$6::float8[]'],
  ...settingParameters(7, '[]').split(', '),
  `$${7 + WRITTEN_COLUMNS.length}::timestamptz[]`,
];

/* The jobs are locked and wait. All that an insert writes is written, but the id and when they were created. */
export const replaceJobs = (table: string) => `
  WITH sent AS MATERIALIZED (
    SELECT ${LISTS.map((list, place) => `${list} AS list_${place}`).join(', ')}
  ), given AS MATERIALIZED (
    SELECT given.* FROM sent, unnest(${LISTS.map((_, place) => `sent.list_${place}`).join(', ')})
      AS given(id, kind, payload, payload_bytes, run_at, delay_ms, ${WRITTEN_NAMES}, latest)
  )
  UPDATE ${table} AS job
  SET payload = given.payload, payload_bytes = given.payload_bytes, run_at = start.run_at,
      due = start.run_at <= statement_timestamp(),
      ${WRITTEN_COLUMNS.map((column) => `${column.name} = ${givenOrUsual(column)}`).join(', ')},
      updated_at = statement_timestamp()
  FROM given
  CROSS JOIN LATERAL (
    SELECT least(
      coalesce(given.run_at, statement_timestamp() + coalesce(given.delay_ms, 0) * interval '1 millisecond'), given.latest
    ) AS run_at
  ) AS start
  WHERE job.id = given.id
  RETURNING ${select(JOB_COLUMNS, 'job')}, ${NOW}`;

function bindReplacements(replacements: readonly Replacement[], isUnicode: boolean): unknown[] {
  const latest = replacements.map(({ latestMs }) =>
    latestMs === null ? null : new Date(latestMs).toISOString(),
  );
  const jobs = replacements.map(({ job }) => (isUnicode ? job : asciiJob(job)));
  return [...bindJobs(jobs), textArray(latest)];
}
