import type { Pruned, PruneRange } from '../../queue/retention-store.js';
import type { JobsTable } from '../sql/dialect.js';
import { agesByKind, type RetentionDialect } from '../sql/retention-dialect.js';
import { PRUNED_AT_ONCE } from '../sql/row-limits.js';
import type { Row } from '../sql/sql.js';
import type { PostgresServer } from './server.js';
import { forgetDeleted } from './forget.js';

/** How many pages one statement reads: about 1,300 small rows, so that few are read that the next batch has to read again. */
const PAGES_AT_ONCE = 32;

/** The positions of this walk are numbers of pages. */
export function prune(table: JobsTable, { hasTidRanges }: PostgresServer): RetentionDialect['prune'] {
  const statement = (hasTidRanges ? pruneByRange : pruneByPlaces)(table);
  return async (sql, retention, range) => {
    const from = Number(range.from ?? 0);
    const ages = JSON.stringify(agesByKind(retention));
    const end = range.until === null ? null : Number(range.until);
    const [row] = await sql.query(statement, [ages, table.quoted, from, end]);
    return decodePruned(row!, range);
  };
}

function decodePruned({ read, deleted, reached, end, next_at, now }: Row, { until }: PruneRange): Pruned {
  const isAtEnd = Number(reached) >= (until === null ? Number(end) : Math.min(Number(end), Number(until)));
  return {
    read: Number(read),
    deleted: Number(deleted),
    reached: isAtEnd ? null : String(reached),
    nextAt: next_at === null ? null : Number(next_at),
    now: Number(now),
  };
}

/*
 * Walks through the table by place, some pages at a time. The primary key would be a walk through all of the table again
 * where ids are random, over index entries of rows that are gone already; and an index by age would have to be paid by
 * each settlement.
 *
 * Rows are locked by the place that the snapshot of this statement knows. A row that was changed since is looked at once
 * more, and its age is another one then.
 *
 * $1: ages by kind and status; the kind '' stands for all others. $2: the table. $3: the first page. $4: the page to end
 * before, if that is not the last one.
 */
const pruneWhere = (table: JobsTable, isInPages: string) => `
  WITH sent AS MATERIALIZED (
    SELECT $1::jsonb AS ages, least($4::int8, pages, $3::int8 + ${PAGES_AT_ONCE}) AS until_page, pages
    FROM (SELECT pg_relation_size($2::text::regclass) / current_setting('block_size')::int8 AS pages) AS size
  ), part AS MATERIALIZED (
    SELECT ctid AS row_id, ${EXPIRES_AT} AS expires_at FROM ${table.quoted} WHERE ${isInPages}
  ), expired AS MATERIALIZED (
    SELECT row_id FROM part WHERE expires_at <= now() LIMIT ${PRUNED_AT_ONCE}
  ), held AS MATERIALIZED (
    SELECT ctid AS row_id FROM ${table.quoted}
    WHERE ctid = ANY (ARRAY(SELECT row_id FROM expired)) AND ${EXPIRES_AT} <= now()
    FOR UPDATE SKIP LOCKED
  ), deleted AS (
    DELETE FROM ${table.quoted} WHERE ctid = ANY (ARRAY(SELECT row_id FROM held)) AND status <> 'PENDING' RETURNING id
  ), ${forgetDeleted(table)}, counts AS MATERIALIZED (
    SELECT (SELECT count(*) FROM deleted) AS deleted, (SELECT count(*) FROM expired) AS expired
  )
  SELECT (SELECT count(*) FROM part) AS read, deleted, pages AS "end",
    CASE WHEN expired < ${PRUNED_AT_ONCE} THEN until_page
      ELSE (SELECT max((row_id::text::point)[0])::int8 FROM expired) END AS reached,
    extract(epoch FROM CASE WHEN deleted < expired THEN now()
      ELSE (SELECT min(expires_at) FROM part WHERE expires_at > now()) END)::float8 * 1000 AS next_at,
    extract(epoch FROM now())::float8 * 1000 AS now
  FROM sent, counts`;

/** NULL for a row that is kept for good. What something else has written may be so late that no time can be added. */
const EXPIRES_AT = `least(updated_at, '9999-12-31') + ((
      coalesce((SELECT ages FROM sent) -> kind, (SELECT ages FROM sent) -> '') ->> status
    )::float8 * interval '1 millisecond')`;

/** From PostgreSQL 14 on. */
export const pruneByRange = (table: JobsTable) =>
  pruneWhere(
    table,
    `ctid >= ('(' || $3::int8 || ',0)')::tid AND ctid < ('(' || (SELECT until_page FROM sent) || ',0)')::tid`,
  );

/** Before that, a condition on a range of places reads the table as a whole. So each place is named that can have a row. */
export const pruneByPlaces = (table: JobsTable) =>
  pruneWhere(
    table,
    `ctid = ANY (ARRAY(
      SELECT ('(' || page || ',' || place || ')')::tid
      FROM sent, generate_series($3::int8, sent.until_page - 1) AS page,
        generate_series(1, (current_setting('block_size')::int8 - 24) / 28) AS place
    ))`,
  );
