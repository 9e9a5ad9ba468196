import type { JobConditions } from '../../job/job-conditions.js';
import type { JobsTable } from '../sql/dialect.js';
import {
  decodeCounted,
  decodeFound,
  type AlongIndex,
  type FindsDialect,
  type OpenJobs,
  type SearchedPart,
} from '../sql/finds-dialect.js';
import { sideTable } from '../sql/side-tables.js';
import { textArray } from './arrays.js';
import { conditionsOf, Parameters } from './conditions.js';
import { storedLabel } from './labels.js';
import type { PostgresServer } from './server.js';

export function finds(table: JobsTable, server: PostgresServer): FindsDialect {
  const holders = holdersOf(sideTable(table, 'keys').quoted);
  return {
    async search(sql, part, conditions, limit) {
      const [text, parameters] = search(table, server, part, conditions, limit);
      return decodeFound(await sql.query(text, parameters), limit);
    },
    async count(sql, part, conditions) {
      const [text, parameters] = count(table, server, part, conditions);
      return decodeCounted(await sql.query(text, parameters));
    },
    async open(sql, wanted, limit) {
      const [text, parameters] = open(table.quoted, wanted, limit);
      return (await sql.query(text, parameters)).map(({ id }) => id as string);
    },
    holders: async (sql, kinds, key) =>
      (await sql.query(holders, [textArray(kinds), key])).map(({ job_id }) => job_id as string),
    now: async (sql) => Number((await sql.query(NOW))[0]!.now),
  };
}

type Statement = [text: string, parameters: unknown[]];

const NOW = `/*NO LOAD BALANCE*/ SELECT date_part('epoch', clock_timestamp()) * 1000 AS now`;

/* The comment keeps pgpool from asking a standby, which may be behind. */
export function search(
  table: JobsTable,
  server: PostgresServer,
  part: SearchedPart,
  conditions: JobConditions,
  limit: number,
): Statement {
  const parameters = new Parameters();
  const order = `ORDER BY id ${part.isDescending ? 'DESC' : 'ASC'}`;
  const text = `/*NO LOAD BALANCE*/
  SELECT id, is_match, place, total
  FROM (
    SELECT id, is_match, row_number() OVER (${order}) AS place, sum(is_match) OVER (${order}) AS hits,
      count(*) OVER () AS total
    FROM (${partOf(table, server, part, conditions, parameters)}
    ) AS looked
  ) AS part
  WHERE (is_match = 1 AND hits <= ${parameters.add(limit, 'int8')}) OR place = total
  ORDER BY place`;
  return [text, parameters.values];
}

export function count(
  table: JobsTable,
  server: PostgresServer,
  part: SearchedPart,
  conditions: JobConditions,
): Statement {
  const parameters = new Parameters();
  const text = `/*NO LOAD BALANCE*/
  SELECT count(*) AS total, coalesce(sum(is_match), 0) AS matched, max(id) AS reached
  FROM (${partOf(table, server, part, conditions, parameters)}
  ) AS looked`;
  return [text, parameters.values];
}

/* Jobs that are named or labelled are looked up one by one: a join might read the table as a whole. */
function partOf(
  table: JobsTable,
  server: PostgresServer,
  part: SearchedPart,
  conditions: JobConditions,
  parameters: Parameters,
): string {
  const isMatch = `coalesce((${conditionsOf(conditions, table, server, parameters)})::int, 0)`;
  if ('ids' in part)
    return `
      SELECT given.id COLLATE "C" AS id,
        coalesce((SELECT ${isMatch} FROM ${table.quoted} AS job WHERE job.id = given.id), 0) AS is_match
      FROM unnest(${parameters.add(textArray(part.ids), 'varchar[]')}) AS given(id)`;
  if (part.label === null)
    return `
      SELECT job.id, ${isMatch} AS is_match
      FROM (SELECT * FROM ${table.quoted} ${range('id', part, parameters)}) AS job`;
  const label = parameters.add(storedLabel(part.label, server), 'varchar');
  return `
      SELECT given.id, coalesce((SELECT ${isMatch} FROM ${table.quoted} AS job WHERE job.id = given.id), 0) AS is_match
      FROM (
        SELECT job_id AS id FROM ${sideTable(table, 'labels').quoted} ${range('job_id', part, parameters, `label = ${label}`)}
      ) AS given`;
}

function range(
  column: string,
  { after, isDescending, rows }: AlongIndex,
  parameters: Parameters,
  also?: string,
): string {
  const [sign, direction] = isDescending ? ['<', 'DESC'] : ['>', 'ASC'];
  const start = after === null ? [] : [`${column} ${sign} ${parameters.add(after, 'varchar')}`];
  const parts = [...(also === undefined ? [] : [also]), ...start];
  const where = parts.length === 0 ? '' : `WHERE ${parts.join(' AND ')} `;
  return `${where}ORDER BY ${column} ${direction} LIMIT ${parameters.add(rows, 'int8')}`;
}

/*
 * Each goes along its index in the order of that: without an order the planner would sometimes rather read the table. The
 * index of scheduled jobs does not know their kinds.
 */
export function open(table: string, { waiting, running, kinds }: OpenJobs, limit: number): Statement {
  const parameters = new Parameters();
  const most = parameters.add(limit, 'int8');
  const select = (which: string, order: string) =>
    `SELECT id FROM ${table} WHERE status = 'PENDING' AND ${which} ORDER BY ${order} LIMIT ${most}`;
  const ready = () =>
    kinds === null
      ? select('locked_by IS NULL AND due', 'kind, priority, run_at, id')
      : `SELECT ready.id FROM unnest(${parameters.add(textArray(kinds), 'varchar[]')}) AS given(kind)
         CROSS JOIN LATERAL (
           ${select('locked_by IS NULL AND due AND kind = given.kind', 'priority, run_at, id')}
         ) AS ready LIMIT ${most}`;
  const selects = [
    ...(waiting ? [ready(), select('locked_by IS NULL AND NOT due', 'run_at')] : []),
    ...(running ? [select('locked_by IS NOT NULL', 'id')] : []),
  ];
  const text = selects.map((one) => `(${one})`).join(' UNION ALL ');
  return [`/*NO LOAD BALANCE*/ ${text}`, parameters.values];
}

export const holdersOf = (keys: string) =>
  `/*NO LOAD BALANCE*/ SELECT job_id FROM ${keys} WHERE kind = ANY ($1::varchar[]) AND unique_key = $2`;
