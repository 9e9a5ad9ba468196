import { describe, expect, it } from '@jest/globals';
import { DatabaseTimeoutError, DuplicateJobError } from '../../lib/index.js';
import type { HandlerFn } from '../../lib/execution/attempt.js';
import { sleep } from '../../lib/async/timers.js';
import { describeOn, oneOfEach } from '../support/databases.js';
import { until } from '../support/until.js';
import { POOL_SIZE, ProxiedWorker } from './proxied-worker.js';

/** As mysql2 sends it: READ COMMITTED is another matter. */
const COMMIT = '\x03COMMIT';
/** What only a claim writes, on PostgreSQL. */
const CLAIM = 'SET lease_token = least';

/** What the network and the database itself can do to a worker and a client. */
describeOn(oneOfEach, 'On $name', (server) => {
  const store = ProxiedWorker.on(server);
  const { calls } = store;
  const isPostgres = server.type === 'postgres';

  /** Makes the database refuse, with the error given, updates or inserts of jobs for which the condition holds. */
  async function refuse(event: 'UPDATE' | 'INSERT', condition: string, code: string): Promise<void> {
    const raise = isPostgres
      ? `RAISE EXCEPTION 'on purpose' USING ERRCODE = '${code}'`
      : `SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = ${code}, MESSAGE_TEXT = 'on purpose'`;
    const body = `BEGIN IF ${condition} THEN ${raise}; END IF; ${isPostgres ? 'RETURN NEW; ' : ''}END`;
    const trigger = `CREATE TRIGGER refuse BEFORE ${event} ON nest_jobs FOR EACH ROW`;
    if (isPostgres) {
      await store.direct.query(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ ${body} $$`);
      await store.direct.query(`${trigger} EXECUTE FUNCTION refuse()`);
    } else {
      await store.direct.query(`${trigger} ${body}`);
    }
  }

  const relent = () => store.direct.query(`DROP TRIGGER refuse${isPostgres ? ' ON nest_jobs' : ''}`);
  const some = (count: number) => Array.from({ length: count }, (_, n) => ({ kind: 'work', id: `job ${n}` }));
  const allDone = (count: number) =>
    until(async () => (await store.count("status = 'DONE'")) === count, {
      what: `"all ${count} jobs are DONE"`,
    });

  describe('an answer that is lost', () => {
    it('to an enqueue leaves the job there once, and to enqueue it again says so', async () => {
      const lost = store.proxy.loseAnswerTo('the marked payload');
      const failing = store.client.enqueue('work', 'the marked payload', { id: 'one' });
      await Promise.all([expect(failing).rejects.toThrow(), lost]);
      await until(async () => (await store.count('1 = 1')) === 1);
      const again = store.client.enqueue('work', null, { id: 'one' });
      await expect(again).rejects.toBeInstanceOf(DuplicateJobError);
      expect(await store.client.get('one')).toMatchObject({
        payload: 'the marked payload',
        status: 'PENDING',
      });
    });

    it('to a claim lets the worker give the job back, with no attempt spent, and claim it again', async () => {
      await store.open({ worker: { leaseMs: 60_000 } });
      await store.client.enqueue('work', null, { id: 'one' });
      const lost = store.proxy.loseAnswerTo(isPostgres ? CLAIM : COMMIT);
      await store.work(() => 'ran');
      await lost;
      const job = await store.ended('one');
      expect(job).toMatchObject({ status: 'DONE', result: 'ran', attemptsDone: 1, crashes: 0 });
      expect(calls).toEqual(['one']);
      expect(store.logger.lines.join()).toContain('Gave back 1 jobs');
    });

    it('to a settle changes nothing: the outcome is written once, the handler runs once', async () => {
      await store.client.enqueue('work', null, { id: 'one' });
      let lost: Promise<void> | undefined;
      await store.work(() => {
        lost = store.proxy.loseAnswerTo(isPostgres ? 'the marked result' : COMMIT);
        return 'the marked result';
      });
      await until(() => lost !== undefined);
      await lost;
      const job = await store.ended('one');
      expect(job).toMatchObject({ status: 'DONE', result: 'the marked result', attemptsDone: 1 });
      await store.stopWorker();
      expect(calls).toEqual(['one']);
    });
  });

  describe('connections that have gone silent', () => {
    it('fail an enqueue after databaseTimeoutMs, and the next one goes another way', async () => {
      await store.open({ databaseTimeoutMs: 1_000 });
      store.proxy.silence();
      const failing = store.client.enqueue('work', null, { id: 'one' });
      await expect(failing).rejects.toBeInstanceOf(DatabaseTimeoutError);
      await until(() => store.client.enqueue('work').then(Boolean, () => false));
    });

    it('do not hold a worker up for long, and cost no running job its lease', async () => {
      await store.open({ databaseTimeoutMs: 1_000, worker: { leaseMs: 4_000, pollIntervalMs: 100 } });
      let finish!: () => void;
      const finished = new Promise<void>((resolve) => (finish = resolve));
      let signal: AbortSignal | undefined;
      await store.work(async (job, context) => {
        if (job.id !== 'long') return;
        ({ signal } = context);
        await finished;
      });
      await store.client.enqueue('work', null, { id: 'long' });
      await until(() => signal !== undefined);
      store.proxy.silence();
      const leaseEnd = (await store.directClient.get('long'))!.lockedUntil!.getTime();
      await store.directClient.enqueue('work', null, { id: 'next' });
      await store.ended('next');
      const isRenewed = async () =>
        (await store.directClient.get('long'))!.lockedUntil!.getTime() > leaseEnd + 4_000;
      await until(isRenewed, { what: '"the lease has been renewed"' });
      expect(signal!.aborted).toBe(false);
      finish();
      expect(await store.ended('long')).toMatchObject({ status: 'DONE', attemptsDone: 1, crashes: 0 });
    });
  });

  it('connections that have gone silent do not hold a transactional handler up, nor count against its job', async () => {
    await store.open({ databaseTimeoutMs: 1_000, worker: { leaseMs: 20_000, pollIntervalMs: 100 } });
    const pause = isPostgres ? 'SELECT pg_sleep(0.1)' : 'SELECT SLEEP(0.1)';
    const handler: HandlerFn = async () => {
      if (calls.length > 1) return 'written';
      // All of the pool, so that a transaction is begun on a silent connection, too.
      await Promise.all(Array.from({ length: POOL_SIZE - 1 }, () => store.dataSource.query(pause)));
      store.proxy.silence();
      return 'never written';
    };
    await store.work(handler, { transactional: true });
    await store.client.enqueue('work', null, { id: 'one' });
    const job = await store.ended('one');
    expect(job).toMatchObject({ status: 'DONE', result: 'written', attemptsDone: 1, crashes: 0 });
    expect(calls).toEqual(['one', 'one']);
  });

  it('a slow network with resets delays outcomes and loses none, nor a lease', async () => {
    await store.open({ worker: { leaseMs: 6_000, pollIntervalMs: 100 } });
    store.proxy.latencyMs = 60;
    store.proxy.resetChance = 0.02;
    await store.directClient.enqueueMany(some(30));
    await store.work(() => 'ran');
    await allDone(30);
    // Of an outcome whose answer was lost a debug line tells that either may be the reason; so each has run but once.
    const isLoss = (line: string) => !line.startsWith('debug') && line.includes('is lost');
    expect(store.logger.lines.filter(isLoss)).toEqual([]);
    expect(calls.toSorted()).toEqual([...new Set(calls)].toSorted());
    expect(calls).toHaveLength(30);
  });

  it('connections that are terminated, idle and busy, cost no job', async () => {
    await store.open({ worker: { leaseMs: 1_000, pollIntervalMs: 100 } });
    await store.directClient.enqueueMany(some(300));
    await store.work(() => sleep(30));
    for (let round = 0; round < 15; round++) {
      for (const connection of await store.connections()) await store.terminate(connection);
      await until(async () => (await store.connections()).length > 0);
    }
    await allDone(300);
    expect(await store.count('attempts_done - crashes <> 1')).toBe(0);
  });

  it('a pool that handlers have exhausted does not keep heartbeats out', async () => {
    await store.open({ worker: { leaseMs: 3_000, concurrency: POOL_SIZE } });
    await store.client.enqueueMany(some(POOL_SIZE));
    await store.work(() => store.dataSource.query(isPostgres ? 'SELECT pg_sleep(4)' : 'SELECT SLEEP(4)'));
    await allDone(POOL_SIZE);
    expect(await store.count('attempts_done = 1 AND crashes = 0')).toBe(POOL_SIZE);
    expect(calls).toHaveLength(POOL_SIZE);
  });

  it.each([
    ['a full disk', '53100', '1021'], // disk_full, ER_DISK_FULL
    ['a time-out of statements', '57014', '1969'], // query_canceled, ER_STATEMENT_TIMEOUT
    ['a time-out of locks', '55P03', '1205'], // lock_not_available, ER_LOCK_WAIT_TIMEOUT
  ])('%s holds outcomes up until it is over, and fails none of them', async (_fault, postgres, mariadb) => {
    await store.client.enqueueMany(some(3));
    await refuse('UPDATE', "NEW.status = 'DONE'", isPostgres ? postgres : mariadb);
    let failures = 0;
    store.options.queue.events.on('settleFailed', () => (failures += 1)); // the log tells of them together
    await store.work(() => 'ran');
    await until(() => failures >= 6, { what: '"writing outcomes is tried again"' });
    expect(await store.count("status = 'PENDING'")).toBe(3);
    await relent();
    await allDone(3);
    expect(calls.toSorted()).toEqual(['job 0', 'job 1', 'job 2']);
  });

  it('a server that became read-only loses its connection, so that another can be found', async () => {
    await store.client.get('none');
    const [before] = await store.connections();
    await refuse('INSERT', '1 = 1', isPostgres ? '25006' : '1290'); // read_only_sql_transaction, ER_OPTION_PREVENTS_STATEMENT
    await expect(store.client.enqueue('work')).rejects.toThrow('on purpose');
    await relent();
    await store.client.enqueue('work');
    expect(await store.connections()).not.toContain(before);
  });

  it('deadlocks are tried again until everything is written, each outcome once', async () => {
    const chance = isPostgres ? 'random() < 0.02' : 'RAND() < 0.02';
    await refuse('UPDATE', chance, isPostgres ? '40P01' : '1213'); // deadlock_detected, ER_LOCK_DEADLOCK
    await store.directClient.enqueueMany(some(200));
    await store.work(() => 'ran');
    await allDone(200);
    expect(await store.count('attempts_done = 1 AND crashes = 0')).toBe(200);
    expect(new Set(calls).size).toBe(200);
    expect(calls).toHaveLength(200);
  });
});
