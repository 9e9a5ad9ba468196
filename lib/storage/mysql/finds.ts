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
import { listOf } from './parameters.js';

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
      (await sql.query(holders, [listOf(kinds), key])).map(({ job_id }) => job_id as string),
    now: async (sql) => Number((await sql.query(NOW))[0]!.now),
  };
}

const NOW = `SELECT ${millisOf('UTC_TIMESTAMP(6)')} AS now`;

export function search(table: JobsTable, part: SearchedPart, conditions: JobConditions, limit: number): Part {
  const order = `ORDER BY id ${part.isDescending ? 'DESC' : 'ASC'}`;
  const looked = partOf(table, part, conditions);
  const text = `
  SELECT id, is_match, place, total
  FROM (
    SELECT id, is_match, ROW_NUMBER() OVER (${order}) AS place, SUM(is_match) OVER (${order}) AS hits,
      COUNT(*) OVER () AS total
    FROM (${looked.text}) AS looked
  ) AS part
  WHERE (is_match = 1 AND hits <= ?) OR place = total
  ORDER BY place`;
  return { text, parameters: [...looked.parameters, limit] };
}

export function count(table: JobsTable, part: SearchedPart, conditions: JobConditions): Part {
  const { text, parameters } = partOf(table, part, conditions);
  const counted = `
  SELECT COUNT(*) AS total, COALESCE(SUM(is_match), 0) AS matched, MAX(id) AS reached FROM (${text}) AS looked`;
  return { text: counted, parameters };
}

/** The conditions are looked at within: what is read into a derived table is copied. */
function partOf(table: JobsTable, part: SearchedPart, conditions: JobConditions): Part {
  const { text, parameters } = conditionsOf(conditions, table);
  const isMatch = `COALESCE(${text}, FALSE)`;
  if ('ids' in part)
    return {
      text: `
      SELECT job.id, ${isMatch} AS is_match FROM ${table.quoted} AS job FORCE INDEX (PRIMARY) WHERE job.id IN (?)`,
      parameters: [...parameters, listOf(part.ids)],
    };
  if (part.label === null) {
    const range = rangeOf('job.id', part);
    return {
      text: `
      SELECT job.id, ${isMatch} AS is_match FROM ${table.quoted} AS job FORCE INDEX (PRIMARY)
      WHERE ${range.text}`,
      parameters: [...parameters, ...range.parameters],
    };
  }
  const range = rangeOf('own.job_id', part);
  return {
    text: `
      SELECT own.job_id AS id,
        COALESCE((SELECT ${isMatch} FROM ${table.quoted} AS job WHERE job.id = own.job_id), FALSE) AS is_match
      FROM ${sideTable(table, 'labels').quoted} AS own FORCE INDEX (PRIMARY)
      WHERE own.label = ? AND ${range.text}`,
    parameters: [...parameters, part.label, ...range.parameters],
  };
}

function rangeOf(column: string, { after, isDescending, rows }: AlongIndex): Part {
  const [sign, direction] = isDescending ? ['<', 'DESC'] : ['>', 'ASC'];
  const [start, parameters] = after === null ? ['TRUE', []] : [`${column} ${sign} ?`, [after]];
  return { text: `${start} ORDER BY ${column} ${direction} LIMIT ?`, parameters: [...parameters, rows] };
}

/* The index of scheduled jobs does not know their kinds. */
export function open(
  { name, quoted }: JobsTable,
  { waiting, running, kinds }: OpenJobs,
  limit: number,
): Part {
  const select = (index: string, which: string) =>
    `(SELECT id FROM ${quoted} FORCE INDEX (\`${name}_${index}\`) WHERE ${which} LIMIT ?)`;
  const ready: Part =
    kinds === null
      ? { text: select('ready', 'ready_kind IS NOT NULL'), parameters: [limit] }
      : { text: select('ready', 'ready_kind IN (?)'), parameters: [listOf(kinds), limit] };
  const parts: readonly Part[] = [
    ...(waiting
      ? [ready, { text: select('scheduled', 'scheduled_at IS NOT NULL'), parameters: [limit] }]
      : []),
    ...(running ? [{ text: select('running', 'running = 1'), parameters: [limit] }] : []),
  ];
  return {
    text: parts.map(({ text }) => text).join(' UNION ALL '),
    parameters: parts.flatMap(({ parameters }) => parameters),
  };
}

export const holdersOf = (keys: string) =>
  `SELECT job_id FROM ${keys} FORCE INDEX (PRIMARY) WHERE kind IN (?) AND unique_key = ?`;
