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
import { joined, part, type Part } from '../sql/part.js';
import { sideTable } from '../sql/side-tables.js';
import { textArray } from './arrays.js';
import { conditionTexts } from './conditions.js';
import { storedLabel } from './labels.js';
import { bind, numbered } from './parameters.js';
import type { PostgresServer } from './server.js';

export function finds(table: JobsTable, server: PostgresServer): FindsDialect {
  return findsDialect({
    search: (searched, conditions, limit) => search(table, server, searched, conditions, limit),
    count: (searched, conditions) => count(table, server, searched, conditions),
    open: (wanted, limit) => open(table.quoted, wanted, limit),
    holders: (kinds, key) => holdersOf(sideTable(table, 'keys').quoted, kinds, key),
    now: NOW,
  });
}

const NOW = `/*NO LOAD BALANCE*/ SELECT date_part('epoch', clock_timestamp()) * 1000 AS now`;

/* The comment keeps pgpool from asking a standby, which may be behind. */
export function search(
  table: JobsTable,
  server: PostgresServer,
  searched: SearchedPart,
  conditions: JobConditions,
  limit: number,
): Part {
  const order = `ORDER BY id ${searched.isDescending ? 'DESC' : 'ASC'}`;
  return numbered(part`/*NO LOAD BALANCE*/
  SELECT id, is_match, place, total
  FROM (
    SELECT id, is_match, row_number() OVER (${order}) AS place, sum(is_match) OVER (${order}) AS hits,
      count(*) OVER () AS total
    FROM (${looked(table, server, searched, conditions)}
    ) AS looked
  ) AS part
  WHERE (is_match = 1 AND hits <= ${bind(limit, 'int8')}) OR place = total
  ORDER BY place`);
}

export function count(
  table: JobsTable,
  server: PostgresServer,
  searched: SearchedPart,
  conditions: JobConditions,
): Part {
  return numbered(part`/*NO LOAD BALANCE*/
  SELECT count(*) AS total, coalesce(sum(is_match), 0) AS matched, max(id) AS reached
  FROM (${looked(table, server, searched, conditions)}
  ) AS looked`);
}

/* Jobs that are named or labelled are looked up one by one: a join might read the table as a whole. */
function looked(
  table: JobsTable,
  server: PostgresServer,
  searched: SearchedPart,
  conditions: JobConditions,
): Part {
  const isMatch = part`coalesce((${conditionsOf(conditions, conditionTexts(table, server))})::int, 0)`;
  if ('ids' in searched)
    return part`
      SELECT given.id COLLATE "C" AS id,
        coalesce((SELECT ${isMatch} FROM ${table.quoted} AS job WHERE job.id = given.id), 0) AS is_match
      FROM unnest(${bind(textArray(searched.ids), 'varchar[]')}) AS given(id)`;
  if (searched.label === null)
    return part`
      SELECT job.id, ${isMatch} AS is_match
      FROM (SELECT * FROM ${table.quoted} WHERE ${rangeOf('id', searched, bind)}) AS job`;
  return part`
      SELECT given.id, coalesce((SELECT ${isMatch} FROM ${table.quoted} AS job WHERE job.id = given.id), 0) AS is_match
      FROM (
        SELECT job_id AS id FROM ${sideTable(table, 'labels').quoted}
        WHERE label = ${bind(storedLabel(searched.label, server), 'varchar')} AND ${rangeOf('job_id', searched, bind)}
      ) AS given`;
}

/*
 * Each goes along its index in the order of that: without an order the planner would sometimes rather read the table. The
 * index of scheduled jobs does not know their kinds.
 */
export function open(table: string, { waiting, running, kinds }: OpenJobs, limit: number): Part {
  const most = bind(limit, 'int8');
  const select = (which: string, order: string) =>
    part`SELECT id FROM ${table} WHERE status = 'PENDING' AND ${which} ORDER BY ${order} LIMIT ${most}`;
  const ready = () =>
    kinds === null
      ? select('locked_by IS NULL AND due', 'kind, priority, run_at, id')
      : part`SELECT ready.id FROM unnest(${bind(textArray(kinds), 'varchar[]')}) AS given(kind)
         CROSS JOIN LATERAL (
           ${select('locked_by IS NULL AND due AND kind = given.kind', 'priority, run_at, id')}
         ) AS ready LIMIT ${most}`;
  const selects = [
    ...(waiting ? [ready(), select('locked_by IS NULL AND NOT due', 'run_at')] : []),
    ...(running ? [select('locked_by IS NOT NULL', 'id')] : []),
  ];
  const all = joined(
    selects.map((one) => part`(${one})`),
    ' UNION ALL ',
  );
  return numbered(part`/*NO LOAD BALANCE*/ ${all}`);
}

const holdersOf = (keys: string, kinds: readonly string[], key: string) =>
  numbered(part`/*NO LOAD BALANCE*/
  SELECT job_id FROM ${keys} WHERE kind = ANY (${bind(textArray(kinds), 'varchar[]')}) AND unique_key = ${bind(key, 'varchar')}`);
