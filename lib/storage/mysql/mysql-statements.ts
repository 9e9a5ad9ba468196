/*
 * An UPDATE cannot return rows here, so a claim, a renewal, a settlement and a release are each a short READ COMMITTED
 * transaction: lock rows with SKIP LOCKED, then update those by primary key. Rows are locked in ascending order of id.
 *
 * Instants are sent as UTC text and read as milliseconds since 1970, so that neither the session's time zone nor the
 * driver's matters. A list stands in a statement as one `?`, which the driver spreads.
 */
export const mysqlStatements = (table: string) => ({
  version: `SELECT VERSION() AS version`,

  schemaVersion: `
    SELECT table_comment AS comment FROM information_schema.tables
    WHERE table_schema = DATABASE() AND table_name = ?`,

  lockSchema: `SELECT GET_LOCK(CONCAT('jobs ', SHA1(CONCAT(DATABASE(), ?))), ?) AS locked`,

  unlockSchema: `SELECT RELEASE_LOCK(CONCAT('jobs ', SHA1(CONCAT(DATABASE(), ?))))`,

  now: `SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) DIV 1000 AS now`,

  savepoint: `SAVEPOINT nest_jobs_enqueue`,
  rollbackToSavepoint: `ROLLBACK TO SAVEPOINT nest_jobs_enqueue`,

  /* Of jobs of which everything else is at its default, see "isPlain". */
  insertPlain: `INSERT INTO ${table} (id, kind, payload, run_at, created_at, updated_at) VALUES ?`,

  insert: `
    INSERT INTO ${table}
      (id, kind, payload, payload_bytes, payload_version, carried, run_at, due, priority, max_attempts, created_at, updated_at)
    VALUES ?`,

  get: `
    SELECT id, kind, payload, payload_bytes, payload_version, carried, status, priority, max_attempts, attempts_done, crashes, result, result_bytes,
      last_error, locked_by,
      TIMESTAMPDIFF(MICROSECOND, '1970-01-01', run_at) DIV 1000 AS run_at,
      TIMESTAMPDIFF(MICROSECOND, '1970-01-01', created_at) DIV 1000 AS created_at,
      TIMESTAMPDIFF(MICROSECOND, '1970-01-01', updated_at) DIV 1000 AS updated_at,
      TIMESTAMPDIFF(MICROSECOND, '1970-01-01', last_attempt_at) DIV 1000 AS last_attempt_at,
      TIMESTAMPDIFF(MICROSECOND, '1970-01-01', locked_until) DIV 1000 AS locked_until
    FROM ${table}
    WHERE id = ?`,

  /*
   * The best ready jobs, read without a lock: one arm for each kind, joined by UNION ALL, for an index scan over several
   * kinds would not be in the order of priority. The last arm says, as a row without an id that comes first, whether
   * scheduled jobs have come due.
   */
  best: (kinds: number) => `
    ${`(SELECT kind, priority, run_at, id FROM ${table}
        WHERE ready_kind = ? AND run_at <= UTC_TIMESTAMP(6)
        ORDER BY priority, run_at, id LIMIT ?)
       UNION ALL `.repeat(kinds)}
    (SELECT NULL AS kind, -2147483648 AS priority, NULL AS run_at, '' AS id FROM ${table} WHERE scheduled_at <= UTC_TIMESTAMP(6) LIMIT 1)
    ORDER BY priority, run_at, id LIMIT ?`,

  /* From the index alone: 12 ms for 100,000 ready jobs, where an arm for each of 10,000 kinds takes a second and more. */
  readyKinds: `SELECT ready_kind AS kind FROM ${table} WHERE ready_kind IS NOT NULL GROUP BY ready_kind`,

  lockScheduled: `
    SELECT id FROM ${table}
    WHERE scheduled_at <= UTC_TIMESTAMP(6)
    ORDER BY scheduled_at LIMIT ?
    FOR UPDATE SKIP LOCKED`,

  markDue: `UPDATE ${table} SET due = 1 WHERE id IN (?)`,

  /*
   * "run_at" alone would name the number that is selected under it, and to sort by that the server would read, and lock,
   * every ready row of the kind.
   */
  lockReadyOfKind: `
    SELECT id, kind, payload, payload_bytes, payload_version, carried, priority, max_attempts, attempts_done, crashes,
      last_error, lease_token, TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) DIV 1000 AS now,
      TIMESTAMPDIFF(MICROSECOND, '1970-01-01', run_at) DIV 1000 AS run_at,
      TIMESTAMPDIFF(MICROSECOND, '1970-01-01', created_at) DIV 1000 AS created_at,
      TIMESTAMPDIFF(MICROSECOND, '1970-01-01', last_attempt_at) DIV 1000 AS last_attempt_at
    FROM ${table} AS job
    WHERE ready_kind = ? AND run_at <= UTC_TIMESTAMP(6)
    ORDER BY job.priority, job.run_at, job.id LIMIT ?
    FOR UPDATE SKIP LOCKED`,

  claim: `
    UPDATE ${table}
    SET lease_token = lease_token + 1, locked_by = ?, locked_at = ?, locked_until = ?, alone = ?, updated_at = ?
    WHERE id IN (?)`,

  lockLeases: `
    SELECT id, lease_token FROM ${table} FORCE INDEX (PRIMARY)
    WHERE id IN (?) AND running = 1
    ORDER BY id
    FOR UPDATE SKIP LOCKED`,

  renew: `
    UPDATE ${table} SET locked_until = UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND, heartbeat_at = UTC_TIMESTAMP(6), alone = id IN (?)
    WHERE id IN (?)`,

  /*
   * A small table the planner would rather read as a whole, and so wait for every row that is locked in it, such as one
   * that an application has enqueued in a transaction and not committed yet.
   */
  settle: `
    UPDATE JSON_TABLE(?, '$[*]' COLUMNS (
      id varchar(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PATH '$.id',
      status varchar(7) PATH '$.status',
      result longtext CHARACTER SET utf8mb4 PATH '$.result',
      result_bytes longtext PATH '$.resultBytes',
      last_error longtext CHARACTER SET utf8mb4 PATH '$.lastError',
      delay_ms bigint PATH '$.delayMs'
    )) AS outcome
    STRAIGHT_JOIN ${table} AS job FORCE INDEX (PRIMARY) ON job.id = outcome.id
    SET job.status = outcome.status, job.result = outcome.result, job.result_bytes = FROM_BASE64(outcome.result_bytes),
        job.last_error = COALESCE(outcome.last_error, job.last_error),
        job.run_at = IF(outcome.delay_ms IS NULL, job.run_at, UTC_TIMESTAMP(6) + INTERVAL outcome.delay_ms * 1000 MICROSECOND),
        job.due = outcome.delay_ms IS NULL OR outcome.delay_ms = 0,
        job.attempts_done = job.attempts_done + 1, job.last_attempt_at = job.locked_at, job.updated_at = UTC_TIMESTAMP(6),
        job.locked_by = NULL, job.locked_at = NULL, job.locked_until = NULL, job.alone = 0`,

  /* Many outcomes that are the same, as of handlers that return nothing: half of what the join costs. */
  settleAlike: `
    UPDATE ${table} AS job
    SET status = ?, result = ?, result_bytes = FROM_BASE64(?), last_error = COALESCE(?, last_error),
        run_at = IF(? IS NULL, run_at, UTC_TIMESTAMP(6) + INTERVAL ? * 1000 MICROSECOND), due = ?,
        attempts_done = attempts_done + 1, last_attempt_at = locked_at, updated_at = UTC_TIMESTAMP(6),
        locked_by = NULL, locked_at = NULL, locked_until = NULL, alone = 0
    WHERE id IN (?)`,

  release: `
    UPDATE ${table}
    SET locked_by = NULL, locked_at = NULL, locked_until = NULL, alone = 0, updated_at = UTC_TIMESTAMP(6)
    WHERE id IN (?)`,

  longTransaction: `
    SELECT TIMESTAMPDIFF(MICROSECOND, trx_started, NOW(6)) / 1000 AS open_ms,
      CONCAT('connection ', trx_mysql_thread_id) AS description
    FROM information_schema.innodb_trx
    WHERE trx_mysql_thread_id NOT IN (0, CONNECTION_ID()) AND trx_started < NOW(6) - INTERVAL ? * 1000 MICROSECOND
    ORDER BY trx_started LIMIT 1`,

  lockClaimedBy: `
    SELECT id FROM ${table} WHERE running = 1 AND locked_by = ? ORDER BY id FOR UPDATE SKIP LOCKED`,

  live: `SELECT id, lease_token FROM ${table} WHERE id IN (?) AND running = 1`,

  expired: `SELECT 1 FROM ${table} WHERE running = 1 AND locked_until < UTC_TIMESTAMP(6) LIMIT 1`,

  lockExpired: `
    SELECT id, kind, locked_by, crashes + 1 AS crashes, IF(alone = 1 AND crashes + 1 >= ?, 'PANIC', 'PENDING') AS status
    FROM ${table}
    WHERE running = 1 AND locked_until < UTC_TIMESTAMP(6) AND (id IN (?)) IS NOT TRUE
    ORDER BY id LIMIT 1000
    FOR UPDATE SKIP LOCKED`,

  reclaim: `
    UPDATE ${table}
    SET last_error = CONCAT(IF(alone = 1 AND crashes + 1 >= ?, 'panic: ', ''), 'the worker ', locked_by,
          ' stopped renewing the lease of this job: its last heartbeat was at ',
          LEFT(DATE_FORMAT(GREATEST(locked_at, COALESCE(heartbeat_at, locked_at)), '%Y-%m-%dT%H:%i:%s.%f'), 23), 'Z',
          ', the lease ran out at ', LEFT(DATE_FORMAT(locked_until, '%Y-%m-%dT%H:%i:%s.%f'), 23), 'Z',
          IF(alone = 1, '; the job ran alone', ''), ' (crash ', crashes + 1, ' of ', ?, ')'),
        status = IF(alone = 1 AND crashes + 1 >= ?, 'PANIC', 'PENDING'),
        attempts_done = attempts_done + 1, crashes = crashes + 1, last_attempt_at = locked_at,
        locked_by = NULL, locked_at = NULL, locked_until = NULL, alone = 0, updated_at = UTC_TIMESTAMP(6)
    WHERE id IN (?)`,
});
