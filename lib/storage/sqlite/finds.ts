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
import { listed } from './parameters.js';

export function finds(table: JobsTable): FindsDialect {
  return findsDialect({
    search: (searched, conditions, limit) => search(table, searched, conditions, limit),
    count: (searched, conditions) => count(table, searched, conditions),
    open: (wanted, limit) => open(table, wanted, limit),
    holders: (kinds, key) => holdersOf(sideTable(table, 'keys').quoted, kinds, key),
    now: NOW,
  });
}

const NOW = `SELECT ${millisOf(`'now'`)} AS now`;

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
    SELECT id, is_match, row_number() OVER (${order}) AS place, sum(is_match) OVER (${order}) AS hits,
      count(*) OVER () AS total
    FROM (${looked(table, searched, conditions)}) AS looked
  ) AS part
  WHERE (is_match = 1 AND hits <= ${given(limit)}) OR place = total
  ORDER BY place`;
}

export function count(table: JobsTable, searched: SearchedPart, conditions: JobConditions): Part {
  return part`
  SELECT count(*) AS total, coalesce(sum(is_match), 0) AS matched, max(id) AS reached
  FROM (${looked(table, searched, conditions)}) AS looked`;
}

function looked(table: JobsTable, searched: SearchedPart, conditions: JobConditions): Part {
  const isMatch = part`coalesce(${conditionsOf(conditions, conditionTexts(table))}, false)`;
  if ('ids' in searched)
    return part`
      SELECT job.id, ${isMatch} AS is_match FROM ${table.quoted} AS job WHERE job.id IN ${listed(searched.ids)}`;
  if (searched.label === null)
    return part`
      SELECT job.id, ${isMatch} AS is_match FROM ${table.quoted} AS job
      WHERE ${rangeOf('job.id', searched, given)}`;
  return part`
      SELECT own.job_id AS id,
        coalesce((SELECT ${isMatch} FROM ${table.quoted} AS job WHERE job.id = own.job_id), false) AS is_match
      FROM ${sideTable(table, 'labels').quoted} AS own
      WHERE own.label = ${given(searched.label)} AND ${rangeOf('own.job_id', searched, given)}`;
}

/* The index of scheduled jobs does not know their kinds. */
export function open(
  { name, quoted }: JobsTable,
  { waiting, running, kinds }: OpenJobs,
  limit: number,
): Part {
  const select = (index: string, which: Part) => part`
    SELECT * FROM (
      SELECT id FROM ${quoted} INDEXED BY "${name}_${index}" WHERE status = 'PENDING' AND ${which} LIMIT ${given(limit)}
    )`;
  const isReady = part`locked_by IS NULL AND due = 1`;
  const ready = kinds === null ? isReady : part`${isReady} AND kind IN ${listed(kinds)}`;
  return joined(
    [
      ...(waiting ? [select('ready', ready), select('scheduled', part`locked_by IS NULL AND due = 0`)] : []),
      ...(running ? [select('running', part`locked_by IS NOT NULL`)] : []),
    ],
    ' UNION ALL ',
  );
}

const holdersOf = (keys: string, kinds: readonly string[], key: string) => part`
  SELECT job_id FROM ${keys} WHERE kind IN ${listed(kinds)} AND unique_key = ${given(key)}`;
