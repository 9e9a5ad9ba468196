import { compareIds } from '../../job/id-order.js';
import type { LeaseTerms } from '../../queue/lease.js';
import { CLAIMED_COLUMNS, COMMON_COLUMNS, RARE_COLUMNS, USUAL_VALUES } from '../sql/columns.js';
import type { ClaimLook, JobsDialect } from '../sql/jobs-dialect.js';
import { decodeClaimed, type RareValues } from '../sql/row.js';
import { DUE_AT_ONCE, MAX_COUNT } from '../sql/row-limits.js';
import type { Row } from '../sql/sql.js';
import { expressionOf, select } from './columns.js';
import { nextDueMs } from './next-due.js';

/** A plan is a small part of the work of a larger claim. It had better be made for what is in the table now. */
const MAX_PREPARED_LIMIT = 100;

export function claim(table: string): JobsDialect['claim'] {
  const statements = { several: claimOfKinds(table), one: claimOfKind(table) };
  const largeStatements = { several: claimOfKinds(table, false), one: claimOfKind(table, false) };
  const statementFor = (
    kinds: readonly string[],
    limit: number,
    terms: LeaseTerms,
    look: ClaimLook,
  ): [string, readonly unknown[]] => {
    const { several, one } = look === 'first' && isLarge(limit) ? largeStatements : statements;
    const sizes = kinds.map((kind) => Math.min(limit, terms.kindLimits?.get(kind) ?? limit));
    const lease = [terms.workerId, terms.leaseMs, terms.alone ?? false];
    const maxBytes = Math.min(terms.maxBytes ?? MAX_BYTES, MAX_BYTES);
    return kinds.length === 1
      ? [one, [kinds[0], sizes[0], ...lease, maxBytes, look === 'last']]
      : [several, [kinds, sizes, limit, ...lease, maxBytes, look === 'last']];
  };
  return async (sql, kinds, limit, terms, look) => {
    const hints = { isFrequent: !isLarge(limit), hasFound };
    const rows = await sql.query(...statementFor(kinds, limit, terms, look), hints);
    const { look_again, next_due_ms } = rows[0]!;
    const [tryAgain, nextDueMs] = [look_again as boolean, (next_due_ms ?? undefined) as number | undefined];
    if (!hasFound(rows)) return { jobs: [], tryAgain, nextDueMs };
    const jobs = rows.toSorted(byTurn).map((row) => decodeClaimed(row, terms, rareValues(row)));
    return { jobs, tryAgain, nextDueMs };
  };
}

const isLarge = (limit: number) => limit > MAX_PREPARED_LIMIT;

/** What stands for no bound: no number of rows of a claim is larger. */
const MAX_BYTES = 2 ** 50;

/** About how large a payload is: not read, and perhaps compressed, if the row was inserted by hand. */
const ABOUT_BYTES = 'coalesce(payload_size, pg_column_size(payload), pg_column_size(payload_bytes), 0)';

/** How large it is. What a row does not say is read here. */
const EXACT_BYTES = `coalesce(payload_size,
        CASE WHEN pg_column_size(payload) < 100 THEN 100 ELSE octet_length(payload::text) END,
        octet_length(payload_bytes), 0)`;

/*
 * First, scheduled jobs whose time has come are marked due. The next look finds them among the ready ones. This look then
 * takes none, because it might take one that comes after them. (If a thousand have come at once there are more, and ready
 * jobs do not wait until all are marked. Nor do they where $8 says that this is the last look.)
 *
 * Then the best $3 ready jobs of all kinds together tell, without a lock, how many to take of each kind. That many are
 * locked, kind by kind; the payloads of those before each are less than $7 bytes. To lock them in one go would need one index scan over several kinds in the order of priority,
 * which does not exist. To lock $3 of each kind would keep more than $3 rows from others. Between the two looks others
 * may have taken rows: "look_again" tells the caller that there was more to be had.
 *
 * The updates go by an array and not by a join. The planner cannot know how few rows are left by a limit that is read from
 * another row, and would join by hash with a scan of the whole table. And they go by the ctid of the row version that has
 * just been locked. That spares a second look into an index, and a scan of the whole table by a plan that was made when
 * the table was small. A version that came after this statement began is not seen there, so "look_again" counts it as
 * well. Rows come in no order; the caller sorts them.
 *
 * When the next job is due is asked only in the second look of a large claim, which looks again where it took less than its
 * limit. Most take all of it, and would have to plan that part for nothing.
 */
export const claimOfKinds = (table: string, asksNextDue = true) => `
  WITH come AS MATERIALIZED (
    SELECT ctid AS row_id FROM ${table}
    WHERE status = 'PENDING' AND locked_by IS NULL AND NOT due AND run_at <= now()
    ORDER BY run_at LIMIT ${DUE_AT_ONCE} FOR UPDATE SKIP LOCKED
  ), marked AS (
    UPDATE ${table} SET due = true WHERE ctid = ANY (ARRAY(SELECT row_id FROM come)) AND NOT due
  ), best AS MATERIALIZED (
    SELECT kind, sum(bytes) OVER (ROWS UNBOUNDED PRECEDING) - bytes AS bytes_before
    FROM (
      SELECT ready.kind, ready.bytes
      FROM unnest($1::varchar[], $2::int4[]) AS wanted(kind, size) CROSS JOIN LATERAL (
        SELECT kind, priority, run_at, id, ${ABOUT_BYTES} AS bytes FROM ${table}
        WHERE kind = wanted.kind AND status = 'PENDING' AND locked_by IS NULL AND due AND run_at <= now()
        ORDER BY priority, run_at, id LIMIT wanted.size
      ) AS ready
      WHERE $8 OR (SELECT count(*) FROM come) IN (0, ${DUE_AT_ONCE})
      ORDER BY ready.priority, ready.run_at, ready.id LIMIT $3
    ) AS ready
  ), share AS MATERIALIZED (
    SELECT kind, count(*) AS size FROM best WHERE bytes_before < $7 GROUP BY kind
  ), locked AS MATERIALIZED (
    SELECT ready.* FROM share CROSS JOIN LATERAL (
      SELECT ctid AS row_id, priority, run_at, id, ${EXACT_BYTES} AS bytes FROM ${table}
      WHERE kind = share.kind AND status = 'PENDING' AND locked_by IS NULL AND due AND run_at <= now()
      ORDER BY priority, run_at, id LIMIT share.size FOR UPDATE SKIP LOCKED
    ) AS ready
  ), picked AS MATERIALIZED (
    SELECT row_id FROM (SELECT row_id, bytes, sum(bytes) OVER (ORDER BY priority, run_at, id) AS total FROM locked) AS summed
    WHERE total - bytes < $7
  ), claimed AS (
    UPDATE ${table} AS job
    SET lease_token = least(job.lease_token, ${MAX_COUNT - 1}) + 1, locked_by = $4, locked_at = now(), alone = $6, updated_at = now(),
        locked_until = now() + $5::float8 * interval '1 millisecond'
    WHERE job.ctid = ANY (ARRAY(SELECT row_id FROM picked)) AND job.status = 'PENDING' AND (job.locked_by IS NOT NULL) IS FALSE
    RETURNING ${RETURNED}
  )
  SELECT look.again AS look_again, look.next_due_ms, ${select(COMMON_COLUMNS, 'claimed')}, ${packed('claimed')} AS rare,
    date_part('epoch', claimed.locked_at) * 1000 AS now
  FROM (
    SELECT (SELECT count(*) FROM come) > 0
      OR (SELECT count(*) FROM locked) < (SELECT coalesce(sum(size), 0) FROM share)
      OR (SELECT count(*) FROM claimed) < (SELECT count(*) FROM picked)
      ${unlessFull('$3', asksNextDue && nextDueMs(table, 'kind = ANY ($1::varchar[])'))}
  ) AS look LEFT JOIN claimed ON true`;

/*
 * The same for a single kind, as most claims are. Its index is in the order of priority, so nothing has to be known before
 * rows are locked. It takes half the time.
 */
export const claimOfKind = (table: string, asksNextDue = true) => `
  WITH come AS MATERIALIZED (
    SELECT ctid AS row_id FROM ${table}
    WHERE status = 'PENDING' AND locked_by IS NULL AND NOT due AND run_at <= now()
    ORDER BY run_at LIMIT ${DUE_AT_ONCE} FOR UPDATE SKIP LOCKED
  ), marked AS (
    UPDATE ${table} SET due = true WHERE ctid = ANY (ARRAY(SELECT row_id FROM come)) AND NOT due
  ), locked AS MATERIALIZED (
    SELECT ctid AS row_id, ${EXACT_BYTES} AS bytes FROM ${table}
    WHERE kind = $1 AND status = 'PENDING' AND locked_by IS NULL AND due AND run_at <= now()
      AND ($7 OR (SELECT count(*) FROM come) IN (0, ${DUE_AT_ONCE}))
    ORDER BY priority, run_at, id LIMIT $2 FOR UPDATE SKIP LOCKED
  ), picked AS MATERIALIZED (
    SELECT row_id FROM locked WHERE (SELECT sum(bytes) FROM locked) <= $6
    UNION ALL
    SELECT row_id FROM (SELECT row_id, bytes, sum(bytes) OVER (ROWS UNBOUNDED PRECEDING) AS total FROM locked) AS summed
    WHERE (SELECT sum(bytes) FROM locked) > $6 AND total - bytes < $6
  ), claimed AS (
    UPDATE ${table} AS job
    SET lease_token = least(job.lease_token, ${MAX_COUNT - 1}) + 1, locked_by = $3, locked_at = now(), alone = $5, updated_at = now(),
        locked_until = now() + $4::float8 * interval '1 millisecond'
    WHERE job.ctid = ANY (ARRAY(SELECT row_id FROM picked)) AND job.status = 'PENDING' AND (job.locked_by IS NOT NULL) IS FALSE
    RETURNING ${RETURNED}
  )
  SELECT look.again AS look_again, look.next_due_ms, ${select(COMMON_COLUMNS, 'claimed')}, ${packed('claimed')} AS rare,
    date_part('epoch', claimed.locked_at) * 1000 AS now
  FROM (
    SELECT (SELECT count(*) FROM come) > 0
      OR (SELECT count(*) FROM claimed) < (SELECT count(*) FROM picked)
      ${unlessFull('$2', asksNextDue && nextDueMs(table, 'kind = $1'))}
  ) AS look LEFT JOIN claimed ON true`;

/** What is read of the rows that were written; there may be a result beside it. */
const RETURNED = [...Object.keys(CLAIMED_COLUMNS), 'locked_at'].map((column) => `job.${column}`).join(', ');

/**
 * What few jobs have, as one text of JSON; NULL where a job has none of it. Each column costs every job of a claim: in the
 * server, on the way, and most of all in the process.
 */
const packed = (table: string) => {
  const isUsual = Object.entries(USUAL_VALUES).map(([name, value]) =>
    value === null ? `${table}.${name} IS NULL` : `${table}.${name} = ${value}`,
  );
  const values = Object.entries(RARE_COLUMNS).map(
    ([name, type]) => `'${name}', ${expressionOf(`${table}.${name}`, type)}`,
  );
  return `CASE WHEN ${isUsual.join(' AND ')} THEN NULL ELSE json_build_object(${values.join(', ')})::text END`;
};

function rareValues({ rare }: Row): RareValues {
  return rare === null ? USUAL_VALUES : (JSON.parse(rare as string) as RareValues);
}

/** The end of "look_again", and when the next job is due, for a claim that took less than its limit. */
const unlessFull = (limit: string, nextDue: string | false) => {
  const tookLess = `(SELECT count(*) FROM claimed) < ${limit}`;
  return nextDue === false
    ? `OR ${tookLess} AS again, NULL::float8 AS next_due_ms`
    : `AS again, CASE WHEN ${tookLess} THEN ${nextDue} END AS next_due_ms`;
};

/** A claim that finds no job answers with one row that has none. */
function hasFound(rows: readonly Row[]): boolean {
  return rows[0]!.id !== null;
}

/** Jobs in the order in which they are started. */
function byTurn(one: Row, other: Row): number {
  return (
    Number(one.priority) - Number(other.priority) ||
    Number(one.run_at) - Number(other.run_at) ||
    compareIds(one.id as string, other.id as string)
  );
}
