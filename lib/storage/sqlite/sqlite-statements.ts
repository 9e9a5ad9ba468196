/*
 * SQLite has one writer at a time, and no locks on rows. So each write is one statement, which is all or nothing by itself
 * and over before anybody else can run: the driver is synchronous, and a transaction of several statements would let other
 * code of this process in between them, which would then wait for the lock that only this process could let go.
 *
 * A list comes as one JSON parameter. Instants are compared as the text that they are, and leave the database as
 * milliseconds since 1970.
 */
export const sqliteStatements = (table: string) => ({
  version: `SELECT sqlite_version() AS version`,

  schema: `SELECT sql FROM sqlite_master WHERE tbl_name = ? COLLATE NOCASE AND type IN ('table', 'index', 'view')`,

  lockSchema: `BEGIN IMMEDIATE`,

  /* A document of many megabytes is not put into JSON once more, and read out of it again. */
  insertOne: `
    INSERT INTO ${table}
      (id, kind, payload, payload_bytes, payload_version, carried, run_at, due, priority, max_attempts, created_at, updated_at)
    SELECT id, kind, payload, bytes, version, carried, run_at, run_at <= now, priority, max_attempts, now, now
    FROM (
      SELECT ? AS id, ? AS kind, ? AS payload, ? AS bytes, ? AS version, ? AS carried,
        coalesce(?, strftime('%Y-%m-%d %H:%M:%f', 'now', (? / 1000.0) || ' seconds')) AS run_at,
        ? AS priority, ? AS max_attempts, strftime('%Y-%m-%d %H:%M:%f', 'now') AS now
    )
    WHERE true
    RETURNING id, unixepoch(run_at, 'subsec') * 1000 AS run_at, unixepoch(created_at, 'subsec') * 1000 AS created_at`,

  insertMany: `
    INSERT INTO ${table}
      (id, kind, payload, payload_bytes, payload_version, carried, run_at, due, priority, max_attempts, created_at, updated_at)
    SELECT id, kind, payload, unhex(bytes), version, carried, run_at, run_at <= now, priority, max_attempts, now, now
    FROM (
      SELECT value ->> 'id' AS id, value ->> 'kind' AS kind, value ->> 'payload' AS payload, value ->> 'bytes' AS bytes,
        value ->> 'version' AS version, value ->> 'carried' AS carried, value ->> 'priority' AS priority,
        value ->> 'maxAttempts' AS max_attempts, strftime('%Y-%m-%d %H:%M:%f', 'now') AS now,
        coalesce(value ->> 'runAt',
          strftime('%Y-%m-%d %H:%M:%f', 'now', ((value ->> 'delayMs') / 1000.0) || ' seconds')) AS run_at
      FROM json_each(?)
    )
    WHERE true
    RETURNING id, unixepoch(run_at, 'subsec') * 1000 AS run_at, unixepoch(created_at, 'subsec') * 1000 AS created_at`,

  existing: `SELECT id FROM ${table} WHERE id IN (SELECT value FROM json_each(?)) LIMIT 1`,

  get: `
    SELECT id, kind, payload, payload_bytes, payload_version, carried, status, priority, max_attempts, attempts_done, crashes, result,
      result_bytes, last_error, locked_by,
      unixepoch(run_at, 'subsec') * 1000 AS run_at,
      unixepoch(created_at, 'subsec') * 1000 AS created_at,
      unixepoch(updated_at, 'subsec') * 1000 AS updated_at,
      unixepoch(last_attempt_at, 'subsec') * 1000 AS last_attempt_at,
      unixepoch(locked_until, 'subsec') * 1000 AS locked_until
    FROM ${table}
    WHERE id = ?`,

  scheduled: `
    SELECT 1 FROM ${table}
    WHERE status = 'PENDING' AND locked_by IS NULL AND due = 0 AND run_at <= strftime('%Y-%m-%d %H:%M:%f', 'now')
    LIMIT 1`,

  markDue: `
    UPDATE ${table} SET due = 1
    WHERE id IN (
      SELECT id FROM ${table}
      WHERE status = 'PENDING' AND locked_by IS NULL AND due = 0 AND run_at <= strftime('%Y-%m-%d %H:%M:%f', 'now')
      ORDER BY run_at LIMIT ?
    )
    RETURNING id`,

  /*
   * One arm for each kind, joined by UNION ALL, for an index scan over several kinds would not be in the order of
   * priority. SQLite takes at most 500 arms.
   */
  best: (kinds: number) =>
    Array.from(
      { length: kinds },
      () => `SELECT * FROM (
        SELECT id, priority, run_at FROM ${table}
        WHERE kind = ? AND status = 'PENDING' AND locked_by IS NULL AND due = 1 AND run_at <= strftime('%Y-%m-%d %H:%M:%f', 'now')
        ORDER BY priority, run_at, id LIMIT ?)`,
    ).join(' UNION ALL ') + ' ORDER BY priority, run_at, id LIMIT ?',

  claim: `
    UPDATE ${table}
    SET lease_token = lease_token + 1, locked_by = ?, alone = ?,
        locked_at = strftime('%Y-%m-%d %H:%M:%f', 'now'),
        locked_until = strftime('%Y-%m-%d %H:%M:%f', 'now', ? || ' seconds'),
        heartbeat_at = NULL, updated_at = strftime('%Y-%m-%d %H:%M:%f', 'now')
    WHERE id IN (SELECT value FROM json_each(?)) AND status = 'PENDING' AND locked_by IS NULL
    RETURNING id, kind, payload, payload_bytes, payload_version, carried, status, priority, max_attempts, attempts_done, crashes,
      last_error, lease_token,
      unixepoch(locked_at, 'subsec') * 1000 AS now,
      unixepoch(run_at, 'subsec') * 1000 AS run_at,
      unixepoch(created_at, 'subsec') * 1000 AS created_at,
      unixepoch(last_attempt_at, 'subsec') * 1000 AS last_attempt_at`,

  renew: `
    UPDATE ${table} AS job
    SET locked_until = strftime('%Y-%m-%d %H:%M:%f', 'now', ? || ' seconds'),
        heartbeat_at = strftime('%Y-%m-%d %H:%M:%f', 'now'), alone = held.value ->> 'alone'
    FROM json_each(?) AS held
    WHERE job.id = held.value ->> 'id' AND job.lease_token = held.value ->> 'leaseToken'
      AND job.status = 'PENDING' AND job.locked_by IS NOT NULL
    RETURNING id, lease_token`,

  settle: `
    UPDATE ${table} AS job
    SET status = outcome.value ->> 'status', result = outcome.value ->> 'result',
        result_bytes = unhex(outcome.value ->> 'resultBytes'),
        last_error = coalesce(outcome.value ->> 'lastError', job.last_error),
        run_at = coalesce(
          strftime('%Y-%m-%d %H:%M:%f', 'now', ((outcome.value ->> 'delayMs') / 1000.0) || ' seconds'), job.run_at),
        due = coalesce(outcome.value ->> 'delayMs', 0) = 0,
        attempts_done = job.attempts_done + 1, last_attempt_at = job.locked_at,
        updated_at = strftime('%Y-%m-%d %H:%M:%f', 'now'),
        locked_by = NULL, locked_at = NULL, locked_until = NULL, alone = 0
    FROM json_each(?) AS outcome
    WHERE job.id = outcome.value ->> 'id' AND job.lease_token = outcome.value ->> 'leaseToken'
      AND job.status = 'PENDING' AND job.locked_by IS NOT NULL
    RETURNING id, lease_token`,

  release: `
    UPDATE ${table} AS job
    SET locked_by = NULL, locked_at = NULL, locked_until = NULL, alone = 0,
        updated_at = strftime('%Y-%m-%d %H:%M:%f', 'now')
    FROM json_each(?) AS held
    WHERE job.id = held.value ->> 'id' AND job.lease_token = held.value ->> 'leaseToken'
      AND job.status = 'PENDING' AND job.locked_by IS NOT NULL
    RETURNING id, lease_token`,

  releaseUnheld: `
    UPDATE ${table}
    SET locked_by = NULL, locked_at = NULL, locked_until = NULL, alone = 0,
        updated_at = strftime('%Y-%m-%d %H:%M:%f', 'now')
    WHERE status = 'PENDING' AND locked_by = ? AND id NOT IN (SELECT value FROM json_each(?))
    RETURNING id`,

  live: `
    SELECT job.id, job.lease_token
    FROM json_each(?) AS held
    CROSS JOIN ${table} AS job ON job.id = held.value ->> 'id' AND job.lease_token = held.value ->> 'leaseToken'
    WHERE job.status = 'PENDING' AND job.locked_by IS NOT NULL`,

  expired: `
    SELECT id, kind, lease_token, locked_by, crashes + 1 AS crashes,
      CASE WHEN alone AND crashes + 1 >= ? THEN 'PANIC' ELSE 'PENDING' END AS status
    FROM ${table}
    WHERE status = 'PENDING' AND locked_by IS NOT NULL AND locked_until < strftime('%Y-%m-%d %H:%M:%f', 'now')
      AND id NOT IN (SELECT value FROM json_each(?))
    ORDER BY id LIMIT 1000`,

  /* Only those whose leases are still as they were read: a renewal of another process may have come in between. */
  reclaim: `
    UPDATE ${table} AS job
    SET last_error = CASE WHEN expired.value ->> 'status' = 'PANIC' THEN 'panic: ' ELSE '' END
          || 'the worker ' || job.locked_by || ' stopped renewing the lease of this job: its last heartbeat was at '
          || strftime('%Y-%m-%dT%H:%M:%fZ', coalesce(job.heartbeat_at, job.locked_at))
          || ', the lease ran out at ' || strftime('%Y-%m-%dT%H:%M:%fZ', job.locked_until)
          || CASE WHEN job.alone THEN '; the job ran alone' ELSE '' END
          || ' (crash ' || (job.crashes + 1) || ' of ' || CAST(? AS integer) || ')',
        status = expired.value ->> 'status', attempts_done = job.attempts_done + 1, crashes = job.crashes + 1,
        last_attempt_at = job.locked_at, locked_by = NULL, locked_at = NULL, locked_until = NULL, alone = 0,
        updated_at = strftime('%Y-%m-%d %H:%M:%f', 'now')
    FROM json_each(?) AS expired
    WHERE job.id = expired.value ->> 'id' AND job.lease_token = expired.value ->> 'leaseToken'
      AND job.status = 'PENDING' AND job.locked_by IS NOT NULL
      AND job.locked_until < strftime('%Y-%m-%d %H:%M:%f', 'now')
    RETURNING id`,
});
