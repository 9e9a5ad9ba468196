import { finish, finishNow, step, type Work } from '../../async/work.js';
import type { EncodedJob } from '../../job/encode-job.js';
import type { Job } from '../../job/job.js';
import { labelsOfJobs } from '../../job/labels.js';
import { SETTING_COLUMNS } from '../sql/columns.js';
import type { JobsTable } from '../sql/dialect.js';
import { DuplicateIdError, duplicateIdAmong } from '../sql/duplicate-id.js';
import { sideTable } from '../sql/side-tables.js';
import { asBuffer } from '../sql/row.js';
import type { UniqueDialect } from '../sql/unique-dialect.js';
import type { Replacement } from '../sql/unique-plan.js';
import {
  ask,
  decodeHolder,
  enqueueUnique,
  insertOrSee,
  retakeKey,
  type UniqueSteps,
} from '../sql/unique-work.js';
import { atOnce, type Query } from './connection.js';
import { isDuplicateId } from './errors.js';
import { decodeRows, encodeJob, existingId, insertMany, insertMissing, runAtOf } from './insert.js';
import { bindLabels, insertLabels, relabeller } from './labels.js';
import { selectJobs } from './reads.js';
import { keySteps, sweepKeys } from './keys.js';
import { utcText } from '../sql/instants.js';

/**
 * A writer has the lock of the whole database, so no row has to be locked. Outside of a transaction of the caller's,
 * nothing else of this process comes in between the statements.
 */
export function uniqueJobs(table: JobsTable): UniqueDialect {
  const keys = sideTable(table, 'keys').quoted;
  const [keyStepsOver, jobStepsOver] = [keySteps(keys), jobSteps(table)];
  const enqueue = (query: Query, jobs: readonly EncodedJob[]) =>
    enqueueUnique(jobs, { ...keyStepsOver(query), ...jobStepsOver(query) });
  return {
    enqueue: async (sql, jobs, isJoined) => {
      const ask = (text: string, parameters?: readonly unknown[]) => sql.query(text, parameters);
      try {
        return isJoined
          ? await finish(enqueue(ask, jobs))
          : await atOnce(sql, (query) => finishNow(enqueue(query, jobs)));
      } catch (error) {
        if (!isDuplicateId(error)) throw error;
        throw new DuplicateIdError(await duplicateIdAmong(jobs, ''), error);
      }
    },
    retake: async (sql, wanted, isJoined, work) => {
      const steps = (query: Query) => ({ ...keyStepsOver(query), ...jobStepsOver(query) });
      if (isJoined) {
        await finish(
          retakeKey(
            wanted,
            steps((text, parameters) => sql.query(text, parameters)),
          ),
        );
        return work(sql);
      }
      const { written } = await atOnce(sql, (query) => {
        finishNow(retakeKey(wanted, steps(query)));
        return { written: work({ query: (text, parameters) => Promise.resolve(query(text, parameters)) }) };
      });
      return written;
    },
    sweep: sweepKeys(keys, table.quoted),
  };
}

function jobSteps(table: JobsTable): (query: Query) => Omit<UniqueSteps, 'lockKeys' | 'hold'> {
  const { quoted } = table;
  const statements = {
    see: selectJobs(quoted),
    insert: insertMany(quoted),
    insertMissing: insertMissing(quoted),
    existing: existingId(quoted),
    replace: replaceJob(quoted),
    label: insertLabels(sideTable(table, 'labels').quoted),
  };
  const relabel = relabeller(table);
  return (query) => {
    const see = (ids: readonly string[]) =>
      ask(query(statements.see, [JSON.stringify(ids)]), (row) => decodeHolder(row, true));
    const insert = function* (statement: string, jobs: readonly EncodedJob[]): Work<readonly Job[]> {
      const rows = yield* step(query(statement, [JSON.stringify(jobs.map(encodeJob))]));
      const ids = new Set(rows.map(({ id }) => id));
      const made = jobs.filter(({ id }) => ids.has(id));
      const labels = labelsOfJobs(made);
      if (labels.length > 0) yield* step(query(statements.label, [bindLabels(labels)]));
      return decodeRows(made, rows);
    };
    return {
      lockHolders: (held) => see(held.map(({ jobId }) => jobId)),
      *insert(jobs) {
        const ids = JSON.stringify(jobs.map(({ id }) => id));
        const [existing] = yield* step(query(statements.existing, [ids]));
        if (existing !== undefined) throw new DuplicateIdError(existing.id as string, undefined);
        return yield* insert(statements.insert, jobs);
      },
      insertMissing: (jobs) => insertOrSee(jobs, (missing) => insert(statements.insertMissing, missing), see),
      *replace(replacements) {
        for (const replacement of replacements)
          yield* step(query(statements.replace, bindReplacement(replacement)));
        return yield* see(replacements.map(({ job }) => job.id));
      },
      relabel: (given) =>
        relabel(
          query,
          given.map(({ id }) => id),
          labelsOfJobs(given),
        ),
    };
  };
}

/* The job waits. All that an insert writes is written, but the id and when it was created. The least instant is the least text. */
export const replaceJob = (table: string) => `
  UPDATE ${table} AS job
  SET payload = given.payload, payload_bytes = given.bytes, run_at = given.run_at, due = given.run_at <= given.now,
      updated_at = given.now, ${SETTING_COLUMNS.map(({ name }) => `${name} = given.${name}`).join(', ')}
  FROM (
    SELECT id, payload, bytes, min(start, coalesce(latest, start)) AS run_at, now,
      ${SETTING_COLUMNS.map(({ name }) => name).join(', ')}
    FROM (
      SELECT ? AS id, ? AS payload, ? AS bytes, ? AS latest,
        coalesce(?, strftime('%Y-%m-%d %H:%M:%f', 'now', (? / 1000.0) || ' seconds')) AS start,
        strftime('%Y-%m-%d %H:%M:%f', 'now') AS now,
        ${SETTING_COLUMNS.map(({ name }) => `? AS ${name}`).join(', ')}
    )
  ) AS given
  WHERE job.id = given.id`;

function bindReplacement({ job, latestMs }: Replacement): unknown[] {
  const { id, payload, delayMs } = job;
  const latest = latestMs === null ? null : utcText(latestMs);
  return [id, payload.json, asBuffer(payload.bytes), latest, runAtOf(job), delayMs, ...settingsOf(job)];
}

function settingsOf(job: EncodedJob): unknown[] {
  return SETTING_COLUMNS.map(({ valueOf }) => valueOf(job));
}
