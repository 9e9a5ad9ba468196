import type { JobConditions } from '../../job/job-conditions.js';
import { part as partOf, type Bind, type Part } from './part.js';
import type { Row, Sql } from './sql.js';

/** A part of an index that one statement reads, in the order of ids. */
export type SearchedPart = AlongIndex | OfIds;

/** The next rows of the primary key, or of those that have a label. */
export interface AlongIndex {
  readonly label: string | null;
  /** Null for the first part. */
  readonly after: string | null;
  readonly isDescending: boolean;
  /** How many rows. */
  readonly rows: number;
}

/** Jobs that are named. */
export interface OfIds {
  readonly ids: readonly string[];
  readonly isDescending: boolean;
}

/** Which jobs that have not ended an index has. */
export interface OpenJobs {
  readonly waiting: boolean;
  readonly running: boolean;
  /** Only these, where the index knows the kinds. */
  readonly kinds: readonly string[] | null;
}

/** Statements that look for jobs; see `JobReader.search`. Never on a server that may be behind the one that writes. */
export interface FindsDialect {
  search(sql: Sql, part: SearchedPart, conditions: JobConditions, limit: number): Promise<FoundInPart>;
  count(sql: Sql, part: SearchedPart, conditions: JobConditions): Promise<CountedInPart>;
  /** The ids of jobs that have not ended, by the indexes that hold only these. @returns at most about twice the limit */
  open(sql: Sql, open: OpenJobs, limit: number): Promise<readonly string[]>;
  /** The jobs that took a key of these kinds last. */
  holders(sql: Sql, kinds: readonly string[], key: string): Promise<readonly string[]>;
  now(sql: Sql): Promise<number>;
}

export interface FoundInPart {
  readonly ids: readonly string[];
  /** How many rows there are up to the last one that is wanted; all of the part where there are fewer than the limit. */
  readonly searched: number;
  /** The id of the last of them. */
  readonly reached: string | null;
  /** How many rows the part has. */
  readonly total: number;
}

export interface CountedInPart {
  readonly matched: number;
  readonly total: number;
  readonly reached: string | null;
}

/** What a database is sent for a search. */
export interface FindStatements {
  /** See `decodeFound`. */
  search(part: SearchedPart, conditions: JobConditions, limit: number): Part;
  /** One row with `matched`, `total` and `reached`. */
  count(part: SearchedPart, conditions: JobConditions): Part;
  /** Rows with `id`. */
  open(open: OpenJobs, limit: number): Part;
  /** Rows with `job_id`. */
  holders(kinds: readonly string[], key: string): Part;
  /** One row with `now`, in milliseconds since 1970. */
  readonly now: string;
}

export function findsDialect(statements: FindStatements): FindsDialect {
  const ask = (sql: Sql, { text, parameters }: Part) => sql.query(text, parameters);
  return {
    search: async (sql, part, conditions, limit) =>
      decodeFound(await ask(sql, statements.search(part, conditions, limit)), limit),
    count: async (sql, part, conditions) => decodeCounted(await ask(sql, statements.count(part, conditions))),
    open: async (sql, wanted, limit) =>
      (await ask(sql, statements.open(wanted, limit))).map(({ id }) => id as string),
    holders: async (sql, kinds, key) =>
      (await ask(sql, statements.holders(kinds, key))).map(({ job_id }) => job_id as string),
    now: async (sql) => Number((await sql.query(statements.now))[0]!.now),
  };
}

/** The condition, the order and the limit of the next rows of an index. */
export function rangeOf(column: string, { after, isDescending, rows }: AlongIndex, bind: Bind): Part {
  const [sign, direction] = isDescending ? ['<', 'DESC'] : ['>', 'ASC'];
  const start = after === null ? partOf`true` : partOf`${column} ${sign} ${bind(after, 'varchar')}`;
  return partOf`${start} ORDER BY ${column} ${direction} LIMIT ${bind(rows, 'int8')}`;
}

/**
 * From the rows that match, at least the first `limit` of them, and the last row of the part: `id`, `is_match`, `place` and
 * `total`, in the order of their places.
 */
function decodeFound(rows: readonly Row[], limit: number): FoundInPart {
  const total = Number(rows.at(-1)?.total ?? 0);
  const hits = rows.filter(({ is_match }) => Number(is_match) === 1).slice(0, limit);
  const last = hits.length === limit ? hits.at(-1) : rows.at(-1);
  return {
    ids: hits.map(({ id }) => id as string),
    searched: Number(last?.place ?? 0),
    reached: (last?.id as string | undefined) ?? null,
    total,
  };
}

function decodeCounted([row]: readonly Row[]): CountedInPart {
  return {
    matched: Number(row!.matched),
    total: Number(row!.total),
    reached: row!.reached as string | null,
  };
}
