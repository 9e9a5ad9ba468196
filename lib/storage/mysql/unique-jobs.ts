import { sleep } from '../../async/timers.js';
import { finish, step, type Work } from '../../async/work.js';
import type { EncodedJob } from '../../job/encode-job.js';
import { labelsOfJobs } from '../../job/labels.js';
import { JOB_COLUMNS, SETTING_COLUMNS } from '../sql/columns.js';
import type { JobsTable } from '../sql/dialect.js';
import { DuplicateIdError } from '../sql/duplicate-id.js';
import { utcText } from '../sql/instants.js';
import type { JobsDialect } from '../sql/jobs-dialect.js';
import { asBuffer } from '../sql/row.js';
import { sideTable } from '../sql/side-tables.js';
import type { Sql } from '../sql/sql.js';
import type { UniqueDialect } from '../sql/unique-dialect.js';
import type { Holder, LockedKey, Replacement } from '../sql/unique-plan.js';
import {
  ask,
  decodeHolder,
  enqueueUnique,
  isToLock,
  LOOKS_BEFORE_WAITING,
  retakeKey,
  type InsertedOrSeen,
  type UniqueSteps,
} from '../sql/unique-work.js';
import { millisOf, select } from './columns.js';
import { NOW, startOf } from './insert.js';
import { holdersInSnapshot, keySteps, sweepKeys } from './keys.js';
import { relabeller } from './labels.js';
import { selectJobs } from './reads.js';
import { inOwnTransaction } from './transaction.js';

export function uniqueJobs(table: JobsTable, jobs: Pick<JobsDialect, 'insert'>): UniqueDialect {
  const keys = sideTable(table, 'keys').quoted;
  const keyStepsOver = keySteps(keys);
  const lockHolders = holderLock(table.quoted, keys);
  const insertMissing = missingInsert(table.quoted, jobs);
  const replace = replacer(table.quoted);
  const relabel = relabeller(table);
  const stepsOver = (sql: Sql): UniqueSteps => ({
    ...keyStepsOver(sql),
    lockHolders: (held) => step(lockHolders(sql, held)),
    insert: (given) => step(jobs.insert(sql, given, true)),
    insertMissing: (given) => insertMissing(sql, given),
    replace: (replacements) => replace(sql, replacements),
    relabel: (given) =>
      step(
        relabel(
          sql,
          given.map(({ id }) => id),
          labelsOfJobs(given),
        ),
      ),
  });
  return {
    enqueue: (sql, given, isJoined) => {
      const enqueue = () => finish(enqueueUnique(given, stepsOver(sql)));
      return isJoined ? enqueue() : inOwnTransaction(sql, enqueue);
    },
    retake: (sql, wanted, isJoined, work) => {
      const retake = async () => {
        await finish(retakeKey(wanted, stepsOver(sql)));
        return work(sql);
      };
      return isJoined ? retake() : inOwnTransaction(sql, retake);
    },
    sweep: sweepKeys(keys, table.quoted),
  };
}

/**
 * A locking read locks what it looks at, whether it is what was asked for or not; and under REPEATABLE READ, the usual
 * isolation here, also the gap where there is nothing, so that others could insert nothing there. So a plain read comes
 * first, and only jobs are locked that it shows to wait, and those that are newer than the snapshot of the transaction.
 */
function holderLock(
  table: string,
  keys: string,
): (sql: Sql, held: readonly LockedKey[]) => Promise<readonly Holder[]> {
  const statements = {
    see: selectJobs(table),
    lockFree: lockJobs(table, 'SKIP LOCKED'),
    lock: lockJobs(table, ''),
  };
  return async (sql, held) => {
    const found = new Map<string, Holder>();
    let left = held;
    for (let looks = 1; left.length > 0 && looks <= LOOKS_BEFORE_WAITING; looks++) {
      if (looks > 1) await sleep(1);
      const seen = await sql.query(statements.see, [left.map(({ jobId }) => jobId)]);
      for (const row of seen) found.set(row.id as string, decodeHolder(row, false));
      const unseen = left.filter(({ jobId }) => !found.has(jobId));
      const gone = unseen.length === 0 ? new Set<string>() : await holdersInSnapshot(sql, keys, unseen);
      const toLock = left.filter(({ jobId, while: terms }) => {
        const holder = found.get(jobId);
        return holder === undefined ? !gone.has(jobId) : isToLock(holder.job, terms);
      });
      if (toLock.length === 0) break;
      const statement = looks < LOOKS_BEFORE_WAITING ? statements.lockFree : statements.lock;
      const locked = await sql.query(statement, [toLock.map(({ jobId }) => jobId)]);
      for (const row of locked) found.set(row.id as string, decodeHolder(row, true));
      left = toLock.filter(({ jobId }) => !locked.some(({ id }) => id === jobId));
    }
    return [...found.values()];
  };
}

/** A refused insert leaves the caller's transaction as it was. So it is tried, and what exists is read. */
function missingInsert(
  table: string,
  jobs: Pick<JobsDialect, 'insert'>,
): (sql: Sql, given: readonly EncodedJob[]) => Work<InsertedOrSeen> {
  const statements = { see: selectJobs(table), seeLocked: seeCommitted(table) };
  return function* (sql, given) {
    const ids = given.map(({ id }) => id);
    const read = (row: Parameters<typeof decodeHolder>[0]) => decodeHolder(row, false).job;
    const seen = yield* ask(sql.query(statements.see, [ids]), read);
    for (;;) {
      const left = given.filter(({ id }) => !seen.some((job) => job.id === id));
      if (left.length === 0) return { made: [], seen };
      try {
        return { made: yield* step(jobs.insert(sql, left, true)), seen };
      } catch (error) {
        if (!(error instanceof DuplicateIdError)) throw error;
        const found = yield* ask(sql.query(statements.seeLocked, [error.id]), read);
        if (found.length === 0) throw error;
        seen.push(...found);
      }
    }
  };
}

function replacer(table: string): (sql: Sql, replacements: readonly Replacement[]) => Work<Holder[]> {
  const statements = { replace: replaceJob(table), see: selectJobs(table) };
  return function* (sql, replacements) {
    const [row] = yield* step(sql.query(NOW));
    const now = Number(row!.now);
    for (const replacement of replacements)
      yield* step(sql.query(statements.replace, bindReplacement(replacement, now)));
    const ids = replacements.map(({ job }) => job.id);
    return yield* ask(sql.query(statements.see, [ids]), (seen) => decodeHolder(seen, true));
  };
}

const COLUMNS = `${select(JOB_COLUMNS)}, ${millisOf('UTC_TIMESTAMP(6)')} AS now`;

/* What is committed, whatever the snapshot of the transaction. */
export const seeCommitted = (table: string) =>
  `SELECT ${COLUMNS} FROM ${table} WHERE id = ? LOCK IN SHARE MODE`;

export const lockJobs = (table: string, others: '' | 'SKIP LOCKED') =>
  `SELECT ${COLUMNS} FROM ${table} FORCE INDEX (PRIMARY) WHERE id IN (?) ORDER BY id FOR UPDATE ${others}`;

/* The job is locked and waits. All that an insert writes is written, but the id and when it was created. */
export const replaceJob = (table: string) => `
  UPDATE ${table}
  SET payload = ?, payload_bytes = ?, run_at = ?, due = ?, updated_at = ?,
      ${SETTING_COLUMNS.map(({ name }) => `${name} = ?`).join(', ')}
  WHERE id = ?`;

/** @param now by the clock of the database */
function bindReplacement({ job, latestMs }: Replacement, now: number): unknown[] {
  const start = Math.min(startOf(job, now), latestMs ?? Infinity);
  const settings = SETTING_COLUMNS.map(({ valueOf }) => valueOf(job));
  const { json, bytes } = job.payload;
  return [json, asBuffer(bytes), utcText(start), start <= now, utcText(now), ...settings, job.id];
}
