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
import { millisOf } from './columns.js';
import { conditionsOf, type Part } from './conditions.js';

export function finds(table: JobsTable): FindsDialect {
  const holders = holdersOf(sideTable(table, 'keys').quoted);
  return {
    async search(sql, part, conditions, limit) {
      const { text, parameters } = search(table, part, conditions, limit);
      return decodeFound(await sql.query(text, parameters), limit);
    },
    async count(sql, part, conditions) {
      const { text, parameters } = count(table, part, conditions);
      return decodeCounted(await sql.query(text, parameters));
    },
    async open(sql, wanted, limit) {
      const { text, parameters } = open(table, wanted, limit);
      return (await sql.query(text, parameters)).map(({ id }) => id as string);
    },
    holders: async (sql, kinds, key) =>
      (await sql.query(holders, [JSON.stringify(kinds), key])).map(({ job_id }) => job_id as string),
    now: async (sql) => Number((await sql.query(NOW))[0]!.now),
  };
}

const NOW = `SELECT ${millisOf(`'now'`)} AS now`;

export function search(table: JobsTable, part: SearchedPart, conditions: JobConditions, limit: number): Part {
  const order = `ORDER BY id ${part.isDescending ? 'DESC' : 'ASC'}`;
  const looked = partOf(table, part, conditions);
  const text = `
  SELECT id, is_match, place, total
  FROM (
    SELECT id, is_match, row_number() OVER (${order}) AS place, sum(is_match) OVER (${order}) AS hits,
      count(*) OVER () AS total
    FROM (${looked.text}) AS looked
  ) AS part
  WHERE (is_match = 1 AND hits <= ?) OR place = total
  ORDER BY place`;
  return { text, parameters: [...looked.parameters, limit] };
}

export function count(table: JobsTable, part: SearchedPart, conditions: JobConditions): Part {
  const { text, parameters } = partOf(table, part, conditions);
  const counted = `
  SELECT count(*) AS total, coalesce(sum(is_match), 0) AS matched, max(id) AS reached FROM (${text}) AS looked`;
  return { text: counted, parameters };
}

function partOf(table: JobsTable, part: SearchedPart, conditions: JobConditions): Part {
  const { text, parameters } = conditionsOf(conditions, table);
  const isMatch = `coalesce(${text}, false)`;
  if ('ids' in part)
    return {
      text: `
      SELECT job.id, ${isMatch} AS is_match FROM ${table.quoted} AS job WHERE job.id IN (SELECT value FROM json_each(?))`,
      parameters: [...parameters, JSON.stringify(part.ids)],
    };
  if (part.label === null) {
    const range = rangeOf('job.id', part);
    return {
      text: `
      SELECT job.id, ${isMatch} AS is_match FROM ${table.quoted} AS job
      WHERE ${range.text}`,
      parameters: [...parameters, ...range.parameters],
    };
  }
  const range = rangeOf('own.job_id', part);
  return {
    text: `
      SELECT own.job_id AS id,
        coalesce((SELECT ${isMatch} FROM ${table.quoted} AS job WHERE job.id = own.job_id), false) AS is_match
      FROM ${sideTable(table, 'labels').quoted} AS own
      WHERE own.label = ? AND ${range.text}`,
    parameters: [...parameters, part.label, ...range.parameters],
  };
}

function rangeOf(column: string, { after, isDescending, rows }: AlongIndex): Part {
  const [sign, direction] = isDescending ? ['<', 'DESC'] : ['>', 'ASC'];
  const [start, parameters] = after === null ? ['true', []] : [`${column} ${sign} ?`, [after]];
  return { text: `${start} ORDER BY ${column} ${direction} LIMIT ?`, parameters: [...parameters, rows] };
}

/* The index of scheduled jobs does not know their kinds. */
export function open(
  { name, quoted }: JobsTable,
  { waiting, running, kinds }: OpenJobs,
  limit: number,
): Part {
  const select = (index: string, which: string) => `
    SELECT * FROM (
      SELECT id FROM ${quoted} INDEXED BY "${name}_${index}" WHERE status = 'PENDING' AND ${which} LIMIT ?
    )`;
  const ready: Part =
    kinds === null
      ? { text: select('ready', 'locked_by IS NULL AND due = 1'), parameters: [limit] }
      : {
          text: select('ready', 'locked_by IS NULL AND due = 1 AND kind IN (SELECT value FROM json_each(?))'),
          parameters: [JSON.stringify(kinds), limit],
        };
  const parts: readonly Part[] = [
    ...(waiting
      ? [ready, { text: select('scheduled', 'locked_by IS NULL AND due = 0'), parameters: [limit] }]
      : []),
    ...(running ? [{ text: select('running', 'locked_by IS NOT NULL'), parameters: [limit] }] : []),
  ];
  return {
    text: parts.map(({ text }) => text).join(' UNION ALL '),
    parameters: parts.flatMap(({ parameters }) => parameters),
  };
}

export const holdersOf = (keys: string) =>
  `SELECT job_id FROM ${keys} WHERE kind IN (SELECT value FROM json_each(?)) AND unique_key = ?`;
