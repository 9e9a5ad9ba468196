/*
 * Instants leave the database as milliseconds since 1970, independent of the session's time zone, of DateStyle and of the
 * type parsers that an application may have set on the driver.
 *
 * Lists are unnested from a CTE and not from the parameters themselves: the planner would count the elements of those,
 * and for a few hundred of them read the whole table rather than its primary key.
 *
 * Rows are locked in ascending order of id, and SKIP LOCKED throughout: no statement here waits for a row, so none can
 * be part of a deadlock.
 */
export const postgresStatements = (table: string) => ({
  version: `SELECT current_setting('server_version_num') AS version, version() AS description`,

  /*
   * From the catalog's own rows and not by to_regclass($1): within a transaction that answers from a cache, which knows
   * nothing of a table that another process has made while this one waited for the lock.
   */
  schemaVersion: `
    SELECT obj_description(found.oid, 'pg_class') AS comment
    FROM pg_class AS found JOIN pg_namespace AS home ON home.oid = found.relnamespace
    WHERE found.relname = $1 AND home.nspname = ANY (CASE WHEN $2::name IS NULL THEN current_schemas(false) ELSE ARRAY[$2::name] END)
    ORDER BY array_position(current_schemas(false), home.nspname) LIMIT 1`,

  lockSchema: `SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`,

  /* No row has to come back, here and in the next two: all instants follow from two. */
  insertOne: `
    WITH inserted AS (
      INSERT INTO ${table} (id, kind, payload, payload_bytes, run_at, due, priority, max_attempts, payload_version, carried)
      SELECT $1::varchar, $2::varchar, $3::json, $4::bytea, start.run_at,
             start.run_at <= statement_timestamp(), $7::int4, $8::int4, $9::int4, $10::json
      FROM (SELECT coalesce($5::timestamptz, statement_timestamp() + $6::float8 * interval '1 millisecond') AS run_at) AS start
    )
    SELECT date_part('epoch', now()) * 1000 AS created_at, date_part('epoch', statement_timestamp()) * 1000 AS started_at`,

  /* Jobs that differ in their id, kind and payload alone: most that come together. Each list more takes 9 µs, NULL or not. */
  insertAlike: `
    WITH inserted AS (
      INSERT INTO ${table} (id, kind, payload, run_at, due, priority, max_attempts, payload_version, carried)
      SELECT given.id, given.kind, given.payload, start.run_at,
             start.run_at <= statement_timestamp(), $6::int4, $7::int4, $8::int4, $9::json
      FROM unnest($1::varchar[], $2::varchar[], $3::json[]) AS given(id, kind, payload)
      CROSS JOIN (SELECT coalesce($4::timestamptz, statement_timestamp() + $5::float8 * interval '1 millisecond') AS run_at) AS start
    )
    SELECT date_part('epoch', now()) * 1000 AS created_at, date_part('epoch', statement_timestamp()) * 1000 AS started_at`,

  /*
   * A list of which every entry is the default is sent as NULL, which unnest fills up with NULLs: most of the columns of
   * most jobs.
   */
  insertMany: `
    WITH inserted AS (
      INSERT INTO ${table} (id, kind, payload, payload_bytes, run_at, due, priority, max_attempts, payload_version, carried)
      SELECT given.id, given.kind, given.payload, given.payload_bytes, start.run_at,
             start.run_at <= statement_timestamp(), coalesce(given.priority, 0), given.max_attempts,
             coalesce(given.payload_version, 1), given.carried
      FROM unnest($1::varchar[], $2::varchar[], $3::json[], $4::bytea[], $5::timestamptz[], $6::float8[], $7::int4[], $8::int4[],
        $9::int4[], $10::json[])
        AS given(id, kind, payload, payload_bytes, run_at, delay_ms, priority, max_attempts, payload_version, carried)
      CROSS JOIN LATERAL (
        SELECT coalesce(given.run_at, statement_timestamp() + coalesce(given.delay_ms, 0) * interval '1 millisecond') AS run_at
      ) AS start
    )
    SELECT date_part('epoch', now()) * 1000 AS created_at, date_part('epoch', statement_timestamp()) * 1000 AS started_at`,

  get: `
    SELECT id, kind, payload::text AS payload, payload_bytes, payload_version, carried::text AS carried, status, priority, max_attempts, attempts_done, crashes,
      result::text AS result, result_bytes, last_error, locked_by,
      date_part('epoch', run_at) * 1000 AS run_at,
      date_part('epoch', created_at) * 1000 AS created_at,
      date_part('epoch', updated_at) * 1000 AS updated_at,
      date_part('epoch', last_attempt_at) * 1000 AS last_attempt_at,
      date_part('epoch', locked_until) * 1000 AS locked_until
    FROM ${table}
    WHERE id = $1`,

  /*
   * First, scheduled jobs whose time has come are marked due; the next look finds them among the ready ones, and so this
   * one takes none, lest it take one that comes after them. (Where a thousand have come at once there are more, and
   * nobody shall wait until all are marked.) Then the
   * best $3 ready jobs of all kinds together tell how many to take of each kind, without a lock; and so many are locked,
   * kind by kind. Locking in one go would need one index scan over several kinds in the order of priority, which there
   * is not; locking $3 of each kind would keep more than $3 rows from others. Between the two looks others may have
   * taken rows: "look_again" tells the caller that there was more to be had.
   *
   * The updates go by an array and not by a join: the planner cannot know how few rows a limit leaves that it reads
   * from another row, and joined by hash with a scan of the whole table. And they go by the place of the row version that
   * has just been locked, which spares a second look into an index, and a scan of the whole table by a plan that was made
   * when that was small. A version that came after this statement began is not seen there, and so "look_again" counts it
   * as well. Rows come in no order; the caller sorts them.
   */
  claim: `
    WITH come AS MATERIALIZED (
      SELECT ctid AS place FROM ${table}
      WHERE status = 'PENDING' AND locked_by IS NULL AND NOT due AND run_at <= now()
      ORDER BY run_at LIMIT 1000 FOR UPDATE SKIP LOCKED
    ), marked AS (
      UPDATE ${table} SET due = true WHERE ctid = ANY (ARRAY(SELECT place FROM come))
    ), share AS MATERIALIZED (
      SELECT best.kind, count(*) AS size
      FROM (
        SELECT ready.kind
        FROM unnest($1::varchar[], $2::int4[]) AS wanted(kind, size)
        CROSS JOIN LATERAL (
          SELECT kind, priority, run_at, id FROM ${table}
          WHERE kind = wanted.kind AND status = 'PENDING' AND locked_by IS NULL AND due AND run_at <= now()
          ORDER BY priority, run_at, id LIMIT wanted.size
        ) AS ready
        WHERE (SELECT count(*) FROM come) IN (0, 1000)
        ORDER BY ready.priority, ready.run_at, ready.id LIMIT $3
      ) AS best
      GROUP BY best.kind
    ), picked AS MATERIALIZED (
      SELECT ready.place
      FROM share
      CROSS JOIN LATERAL (
        SELECT ctid AS place FROM ${table}
        WHERE kind = share.kind AND status = 'PENDING' AND locked_by IS NULL AND due AND run_at <= now()
        ORDER BY priority, run_at, id LIMIT share.size FOR UPDATE SKIP LOCKED
      ) AS ready
    ), claimed AS (
      UPDATE ${table} AS job
      SET lease_token = job.lease_token + 1, locked_by = $4, locked_at = now(), alone = $6, updated_at = now(),
          locked_until = now() + $5::float8 * interval '1 millisecond'
      WHERE job.ctid = ANY (ARRAY(SELECT place FROM picked))
      RETURNING job.*
    )
    SELECT look.again AS look_again, claimed.id, claimed.kind, claimed.payload::text AS payload, claimed.payload_bytes,
      claimed.payload_version, claimed.carried::text AS carried, claimed.priority, claimed.max_attempts,
      claimed.attempts_done, claimed.crashes, claimed.last_error, claimed.lease_token,
      date_part('epoch', claimed.run_at) * 1000 AS run_at,
      date_part('epoch', claimed.created_at) * 1000 AS created_at,
      date_part('epoch', claimed.last_attempt_at) * 1000 AS last_attempt_at,
      date_part('epoch', claimed.locked_at) * 1000 AS now
    FROM (
      SELECT (SELECT count(*) FROM come) > 0
        OR (SELECT count(*) FROM claimed) < (SELECT coalesce(sum(size), 0) FROM share) AS again
    ) AS look
    LEFT JOIN claimed ON true`,

  /*
   * As "claim", for one kind alone, which most claims are about: its index is in the order of priority, so nothing has to
   * be known before rows are locked. Half the time.
   */
  claimOfKind: `
    WITH come AS MATERIALIZED (
      SELECT ctid AS place FROM ${table}
      WHERE status = 'PENDING' AND locked_by IS NULL AND NOT due AND run_at <= now()
      ORDER BY run_at LIMIT 1000 FOR UPDATE SKIP LOCKED
    ), marked AS (
      UPDATE ${table} SET due = true WHERE ctid = ANY (ARRAY(SELECT place FROM come))
    ), picked AS MATERIALIZED (
      SELECT ctid AS place FROM ${table}
      WHERE kind = $1 AND status = 'PENDING' AND locked_by IS NULL AND due AND run_at <= now()
        AND (SELECT count(*) FROM come) IN (0, 1000)
      ORDER BY priority, run_at, id LIMIT $2 FOR UPDATE SKIP LOCKED
    ), claimed AS (
      UPDATE ${table} AS job
      SET lease_token = job.lease_token + 1, locked_by = $3, locked_at = now(), alone = $5, updated_at = now(),
          locked_until = now() + $4::float8 * interval '1 millisecond'
      WHERE job.ctid = ANY (ARRAY(SELECT place FROM picked))
      RETURNING job.*
    )
    SELECT look.again AS look_again, claimed.id, claimed.kind, claimed.payload::text AS payload, claimed.payload_bytes,
      claimed.payload_version, claimed.carried::text AS carried, claimed.priority, claimed.max_attempts,
      claimed.attempts_done, claimed.crashes, claimed.last_error, claimed.lease_token,
      date_part('epoch', claimed.run_at) * 1000 AS run_at,
      date_part('epoch', claimed.created_at) * 1000 AS created_at,
      date_part('epoch', claimed.last_attempt_at) * 1000 AS last_attempt_at,
      date_part('epoch', claimed.locked_at) * 1000 AS now
    FROM (
      SELECT (SELECT count(*) FROM come) > 0
        OR (SELECT count(*) FROM claimed) < (SELECT count(*) FROM picked) AS again
    ) AS look
    LEFT JOIN claimed ON true`,

  renew: `
    WITH sent AS MATERIALIZED (
      SELECT $1::varchar[] AS ids, $2::int4[] AS lease_tokens, $3::boolean[] AS alone
    ), held AS MATERIALIZED (
      SELECT given.id, given.alone
      FROM sent, unnest(sent.ids, sent.lease_tokens, sent.alone) AS given(id, lease_token, alone)
      CROSS JOIN LATERAL (
        SELECT id FROM ${table}
        WHERE id = given.id AND lease_token = given.lease_token AND status = 'PENDING' AND locked_by IS NOT NULL
        FOR UPDATE SKIP LOCKED
      ) AS job
    )
    UPDATE ${table} AS job
    SET locked_until = now() + $4::float8 * interval '1 millisecond', heartbeat_at = now(), alone = held.alone
    FROM held
    WHERE job.id = held.id
    RETURNING job.id, job.lease_token`,

  /* "part" lists what was written, and is NULL where that is all that was sent. */
  settle: `
    WITH sent AS MATERIALIZED (
      SELECT $1::varchar[] AS ids, $2::int4[] AS lease_tokens, $3::varchar[] AS statuses, $4::json[] AS results,
        $5::bytea[] AS results_bytes, $6::text[] AS last_errors, $7::float8[] AS delays_ms
    ), held AS MATERIALIZED (
      SELECT given.*
      FROM sent, unnest(sent.ids, sent.lease_tokens, sent.statuses, sent.results, sent.results_bytes, sent.last_errors,
        sent.delays_ms) AS given(id, lease_token, status, result, result_bytes, last_error, delay_ms)
      CROSS JOIN LATERAL (
        SELECT id FROM ${table}
        WHERE id = given.id AND lease_token = given.lease_token AND status = 'PENDING' AND locked_by IS NOT NULL
        FOR UPDATE SKIP LOCKED
      ) AS job
    ), written AS (
      UPDATE ${table} AS job
      SET status = held.status, result = held.result, result_bytes = held.result_bytes,
          last_error = coalesce(held.last_error, job.last_error),
          run_at = CASE WHEN held.delay_ms IS NULL THEN job.run_at ELSE now() + held.delay_ms * interval '1 millisecond' END,
          due = held.delay_ms IS NULL OR held.delay_ms = 0,
          attempts_done = job.attempts_done + 1, last_attempt_at = job.locked_at, updated_at = now(),
          locked_by = NULL, locked_at = NULL, locked_until = NULL, alone = false
      FROM held
      WHERE job.id = held.id
      RETURNING job.id, job.lease_token
    )
    SELECT CASE WHEN (SELECT count(*) FROM written) < cardinality($1::varchar[]) THEN
      (SELECT coalesce(json_agg(json_build_object('id', id, 'lease_token', lease_token)), '[]') FROM written)
    END::text AS part`,

  /*
   * As "settle", for outcomes that are all the same, as those of handlers that return nothing: two thirds of the work,
   * for nothing has to be joined. By the place of the row version that has just been locked, see "claim".
   */
  settleAlike: `
    WITH sent AS MATERIALIZED (
      SELECT $1::varchar[] AS ids, $2::int4[] AS lease_tokens
    ), held AS MATERIALIZED (
      SELECT job.place
      FROM sent, unnest(sent.ids, sent.lease_tokens) AS given(id, lease_token)
      CROSS JOIN LATERAL (
        SELECT ctid AS place FROM ${table}
        WHERE id = given.id AND lease_token = given.lease_token AND status = 'PENDING' AND locked_by IS NOT NULL
        FOR UPDATE SKIP LOCKED
      ) AS job
    ), written AS (
      UPDATE ${table}
      SET status = $3, result = $4, result_bytes = $5, last_error = coalesce($6, last_error),
          run_at = CASE WHEN $7::float8 IS NULL THEN run_at ELSE now() + $7::float8 * interval '1 millisecond' END,
          due = $7::float8 IS NULL OR $7::float8 = 0,
          attempts_done = attempts_done + 1, last_attempt_at = locked_at, updated_at = now(),
          locked_by = NULL, locked_at = NULL, locked_until = NULL, alone = false
      WHERE ctid = ANY (ARRAY(SELECT place FROM held))
      RETURNING id, lease_token
    )
    SELECT CASE WHEN (SELECT count(*) FROM written) < cardinality($1::varchar[]) THEN
      (SELECT coalesce(json_agg(json_build_object('id', id, 'lease_token', lease_token)), '[]') FROM written)
    END::text AS part`,

  release: `
    WITH sent AS MATERIALIZED (
      SELECT $1::varchar[] AS ids, $2::int4[] AS lease_tokens
    ), held AS MATERIALIZED (
      SELECT given.id
      FROM sent, unnest(sent.ids, sent.lease_tokens) AS given(id, lease_token)
      CROSS JOIN LATERAL (
        SELECT id FROM ${table}
        WHERE id = given.id AND lease_token = given.lease_token AND status = 'PENDING' AND locked_by IS NOT NULL
        FOR UPDATE SKIP LOCKED
      ) AS job
    )
    UPDATE ${table} AS job
    SET locked_by = NULL, locked_at = NULL, locked_until = NULL, alone = false, updated_at = now()
    FROM held
    WHERE job.id = held.id
    RETURNING job.id, job.lease_token`,

  releaseUnheld: `
    WITH unheld AS MATERIALIZED (
      SELECT id FROM ${table}
      WHERE status = 'PENDING' AND locked_by = $1 AND NOT id = ANY ($2::varchar[])
      ORDER BY id FOR UPDATE SKIP LOCKED
    )
    UPDATE ${table}
    SET locked_by = NULL, locked_at = NULL, locked_until = NULL, alone = false, updated_at = now()
    WHERE id = ANY (ARRAY(SELECT id FROM unheld))
    RETURNING id`,

  live: `
    SELECT job.id, job.lease_token
    FROM unnest($1::varchar[], $2::int4[]) AS given(id, lease_token)
    JOIN ${table} AS job ON job.id = given.id AND job.lease_token = given.lease_token
    WHERE job.status = 'PENDING' AND job.locked_by IS NOT NULL`,

  /* Only sessions of this database keep its dead rows alive; vacuum itself does not. */
  longTransaction: `
    SELECT date_part('epoch', now() - xact_start) * 1000 AS open_ms,
      concat_ws(', ', 'process ' || pid, nullif(application_name, ''), state) AS description
    FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
      AND (backend_xmin IS NOT NULL OR backend_xid IS NOT NULL) AND query NOT ILIKE 'vacuum%'
      AND xact_start < now() - $1::float8 * interval '1 millisecond'
    ORDER BY xact_start LIMIT 1`,

  reclaim: `
    WITH expired AS MATERIALIZED (
      SELECT id, locked_by, crashes + 1 AS crashes, alone AND crashes + 1 >= $1 AS convicted
      FROM ${table}
      WHERE status = 'PENDING' AND locked_by IS NOT NULL AND locked_until < now() AND NOT id = ANY ($2::varchar[])
      ORDER BY id LIMIT 1000 FOR UPDATE SKIP LOCKED
    )
    UPDATE ${table} AS job
    SET attempts_done = job.attempts_done + 1, crashes = expired.crashes, last_attempt_at = job.locked_at,
        status = CASE WHEN expired.convicted THEN 'PANIC' ELSE 'PENDING' END,
        last_error = CASE WHEN expired.convicted THEN 'panic: ' ELSE '' END
          || 'the worker ' || expired.locked_by || ' stopped renewing the lease of this job: its last heartbeat was at '
          || to_char(greatest(job.locked_at, job.heartbeat_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
          || ', the lease ran out at '
          || to_char(job.locked_until AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
          || CASE WHEN job.alone THEN '; the job ran alone' ELSE '' END
          || ' (crash ' || expired.crashes || ' of ' || $1::int4 || ')',
        locked_by = NULL, locked_at = NULL, locked_until = NULL, alone = false, updated_at = now()
    FROM expired
    WHERE job.id = expired.id
    RETURNING job.id, job.kind, job.status, job.crashes, expired.locked_by`,
});
