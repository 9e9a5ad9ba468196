import type { JobConditions } from '../../job/job-conditions.js';
import { conditionsOf } from '../sql/conditions.js';
import type { JobsTable } from '../sql/dialect.js';
import {
  findsDialect,
  rangeOf,
  type FindsDialect,
  type OpenJobs,
  type SearchedPart,
} from '../sql/finds-dialect.js';
import { given, joined, part, type Part } from '../sql/part.js';
import { sideTable } from '../sql/side-tables.js';
import { millisOf } from './columns.js';
import { conditionTexts } from './conditions.js';
import { listOf } from './parameters.js';

export function finds(table: JobsTable): FindsDialect {
  return findsDialect({
    search: (searched, conditions, limit) => search(table, searched, conditions, limit),
    count: (searched, conditions) => count(table, searched, conditions),
    open: (wanted, limit) => open(table, wanted, limit),
    holders: (kinds, key) => holdersOf(sideTable(table, 'keys').quoted, kinds, key),
    now: NOW,
  });
}

const NOW = `SELECT ${millisOf('UTC_TIMESTAMP(6)')} AS now`;

export function search(
  table: JobsTable,
  searched: SearchedPart,
  conditions: JobConditions,
  limit: number,
): Part {
  const order = `ORDER BY id ${searched.isDescending ? 'DESC' : 'ASC'}`;
  return part`
  SELECT id, is_match, place, total
  FROM (
    SELECT id, is_match, ROW_NUMBER() OVER (${order}) AS place, SUM(is_match) OVER (${order}) AS hits,
      COUNT(*) OVER () AS total
    FROM (${looked(table, searched, conditions)}) AS looked
  ) AS part
  WHERE (is_match = 1 AND hits <= ${given(limit)}) OR place = total
  ORDER BY place`;
}

export function count(table: JobsTable, searched: SearchedPart, conditions: JobConditions): Part {
  return part`
  SELECT COUNT(*) AS total, COALESCE(SUM(is_match), 0) AS matched, MAX(id) AS reached
  FROM (${looked(table, searched, conditions)}) AS looked`;
}

/** The conditions are looked at within: what is read into a derived table is copied. */
function looked(table: JobsTable, searched: SearchedPart, conditions: JobConditions): Part {
  const isMatch = part`COALESCE(${conditionsOf(conditions, conditionTexts(table))}, FALSE)`;
  if ('ids' in searched)
    return part`
      SELECT job.id, ${isMatch} AS is_match
      FROM ${table.quoted} AS job FORCE INDEX (PRIMARY) WHERE job.id IN (${given(listOf(searched.ids))})`;
  if (searched.label === null)
    return part`
      SELECT job.id, ${isMatch} AS is_match FROM ${table.quoted} AS job FORCE INDEX (PRIMARY)
      WHERE ${rangeOf('job.id', searched, given)}`;
  return part`
      SELECT own.job_id AS id,
        COALESCE((SELECT ${isMatch} FROM ${table.quoted} AS job WHERE job.id = own.job_id), FALSE) AS is_match
      FROM ${sideTable(table, 'labels').quoted} AS own FORCE INDEX (PRIMARY)
      WHERE own.label = ${given(searched.label)} AND ${rangeOf('own.job_id', searched, given)}`;
}

/* The index of scheduled jobs does not know their kinds. */
export function open(
  { name, quoted }: JobsTable,
  { waiting, running, kinds }: OpenJobs,
  limit: number,
): Part {
  const select = (index: string, which: Part) =>
    part`(SELECT id FROM ${quoted} FORCE INDEX (\`${name}_${index}\`) WHERE ${which} LIMIT ${given(limit)})`;
  const isReady =
    kinds === null ? part`ready_kind IS NOT NULL` : part`ready_kind IN (${given(listOf(kinds))})`;
  return joined(
    [
      ...(waiting ? [select('ready', isReady), select('scheduled', part`scheduled_at IS NOT NULL`)] : []),
      ...(running ? [select('running', part`running = 1`)] : []),
    ],
    ' UNION ALL ',
  );
}

const holdersOf = (keys: string, kinds: readonly string[], key: string) => part`
  SELECT job_id FROM ${keys} FORCE INDEX (PRIMARY)
  WHERE kind IN (${given(listOf(kinds))}) AND unique_key = ${given(key)}`;
