import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '../support/until.js';
import { KIND, LONG, type SqlStore } from '../support/store.js';

/** Rows that other programs wrote into the table, and that no enqueue would write. */
export function foreignRowsContract(store: SqlStore): void {
  const now = {
    postgres: 'now()',
    mysql: 'UTC_TIMESTAMP(6)',
    'better-sqlite3': `strftime('%Y-%m-%d %H:%M:%f', 'now')`,
  };

  /** A row that comes before all others. @param fields SQL by the name of the column */
  async function insert(id: string, fields: Readonly<Record<string, string>> = {}): Promise<void> {
    const instant = now[store.server.type];
    const row = {
      ...{ id: `'${id}'`, kind: `'${KIND}'`, priority: '-1' },
      ...{ run_at: instant, created_at: instant, updated_at: instant },
      ...fields,
    };
    await store.sql(
      `INSERT INTO nest_jobs (${Object.keys(row).join(', ')}) VALUES (${Object.values(row).join(', ')})`,
    );
  }

  const lease = {
    locked_by: `'gone'`,
    locked_at: now[store.server.type],
    locked_until: now[store.server.type],
  };

  /** PostgreSQL has no such constraint, which would cost each statement of it too much. */
  const hasConstraint = !store.isPostgres;

  if (hasConstraint)
    describe('The table refuses', () => {
      it.each([
        ['an empty id', '', {}],
        ['a padded id', 'a ', {}],
        ['an empty kind', 'a', { kind: `''` }],
        ['a kind with a blank behind it', 'a', { kind: `'mail '` }],
        ['a kind with a blank before it', 'a', { kind: `' mail'` }],
        ['a token at the end of its range', 'a', { lease_token: '2147483647' }],
        ['a count of attempts at the end of its range', 'a', { attempts_done: '2147483647' }],
        ['a count of crashes at the end of its range', 'a', { crashes: '2147483647' }],
        ['a count below zero', 'a', { attempts_done: '-1' }],
        ['half a lease', 'a', { locked_by: `'gone'` }],
        ['a lease of no worker', 'a', { ...lease, locked_by: 'NULL' }],
        ['a status that is none', 'a', { status: `'RUNNING'` }],
        ['a mark that is neither', 'a', { due: '5' }],
        ...(store.isSqlite
          ? ([
              ['an id of bytes', 'a', { id: `x'ff00'` }],
              ['a kind of bytes', 'a', { kind: `x'6d61696c'` }],
              ['a token beyond exact numbers', 'a', { lease_token: '1152921504606846977' }],
              ['a priority that is a text', 'a', { priority: `'high'` }],
            ] as const)
          : []),
      ])('%s', async (_name, id, fields) => {
        await expect(insert(id, fields)).rejects.toThrow();
        await insert('sound');
        expect(await store.claimOne()).toMatchObject({ id: 'sound' });
      });
    });

  describe('A payload that was inserted by hand', () => {
    it('counts for the bound of a claim in bytes', async () => {
      const text = Array.from({ length: 4_000 }, (_, n) => `${n} ${Math.sin(n)}`).join();
      for (const id of ['a', 'b', 'c']) await insert(id, { payload: `'${JSON.stringify(text)}'` });
      const claim = async () =>
        (await store.queue.claim([KIND], 9, { ...LONG, maxBytes: 40_000 })).map(({ id }) => id);
      expect(await claim()).toEqual(['a']);
      expect(await claim()).toEqual(['b']);
    });
  });

  // SQLite has no way to take the constraint off a table.
  if (store.isSqlite) return;

  /* On PostgreSQL; and where a server does not enforce it: MySQL before 8.0.16, or a session of MariaDB without checks. */
  describe('Where the table has no such constraint', () => {
    let definition: string;

    beforeAll(async () => {
      if (!hasConstraint) return;
      const [row] = await store.sql(
        `SELECT check_clause AS text FROM information_schema.check_constraints
         WHERE constraint_name = 'nest_jobs_sound' AND constraint_schema = DATABASE()`,
      );
      definition = String(row!.text);
      await store.sql('ALTER TABLE nest_jobs DROP CONSTRAINT nest_jobs_sound');
    });

    afterAll(async () => {
      if (!hasConstraint) return;
      await store.sql('DELETE FROM nest_jobs');
      await store.sql(`ALTER TABLE nest_jobs ADD CONSTRAINT nest_jobs_sound CHECK (${definition})`);
    });

    it.each([
      ['an empty id', '', {}],
      ['a kind with a blank behind it', 'bad', { kind: `'${KIND} '` }],
      ['a token at the end of its range', 'bad', { lease_token: '2147483647' }],
      ['a count of attempts at the end of its range', 'bad', { attempts_done: '2147483647' }],
      ['a count of crashes at the end of its range', 'bad', { crashes: '2147483647' }],
      [
        'counts at their ends, and a lease that has run out',
        'bad',
        { ...lease, lease_token: '2147483647', attempts_done: '2147483647', crashes: '2147483647' },
      ],
      ['a worker and no end of its lease', 'bad', { locked_by: `'gone'` }],
      ['an end of a lease and no worker', 'bad', { ...lease, locked_by: 'NULL' }],
      ['counts below zero', 'bad', { attempts_done: '-1', crashes: '-1', lease_token: '-1' }],
      ...(store.isPostgres
        ? ([
            ['a start that never comes', 'bad', { run_at: `'infinity'` }],
            ['a start before all time', 'bad', { run_at: `'-infinity'` }],
            ['a lease that never ends', 'bad', { ...lease, locked_until: `'infinity'` }],
          ] as const)
        : []),
    ])('a row does not hold back others: %s', async (_name, id, fields) => {
      await insert(id, fields);
      await insert('of a dead worker', lease);
      await store.client.enqueueMany(['a', 'b'].map((other) => ({ kind: KIND, id: other })));
      await store.client.enqueue('other', null, { id: 'c' });
      await store.work({ [KIND]: () => 'fine', other: () => 'fine' }, { concurrency: 1 });
      for (const other of ['a', 'b', 'c', 'of a dead worker'])
        expect(await store.ended(other)).toMatchObject({ status: 'DONE' });
      expect(store.logs.filter(({ level }) => level === 'error')).toEqual([]);
    });

    it('a row whose kind ends in a blank is never taken for one of that kind', async () => {
      await insert('padded', { kind: `'${KIND} '` });
      const worker = await store.work({ [KIND]: () => 'fine' });
      await store.client.enqueue(KIND, null, { id: 'a' });
      expect(await store.ended('a')).toMatchObject({ status: 'DONE' });
      await worker.stop();
      const { status, lastError } = await store.job('padded');
      if (!store.isMysql) expect(status).toBe('PENDING');
      else {
        await until(async () => (await store.job('padded')).status === 'FAILED');
        expect(lastError).toContain(`No handler serves the kind "${KIND} "`);
      }
    });

    it('a row whose kind ends in a blank is not handed to the function of a dequeue', async () => {
      await insert('padded', { kind: `'${KIND} '` });
      const seen: string[] = [];
      const hasTaken = await store.queue.dequeue([KIND], ({ kind }) => void seen.push(kind));
      expect(seen).toEqual([]);
      expect(hasTaken).toBe(store.isMysql);
      expect(await store.job('padded')).toMatchObject({ status: store.isMysql ? 'FAILED' : 'PENDING' });
    });

    it('a row hides no kind from a worker that serves more than a hundred', async () => {
      const kinds = Array.from({ length: 120 }, (_, n) => `kind ${n}`);
      await insert('padded', { kind: `'kind 5 '` });
      await store.client.enqueue('kind 5', null, { id: 'a' });
      await store.work(Object.fromEntries(kinds.map((kind) => [kind, () => 'fine'])));
      expect(await store.ended('a')).toMatchObject({ status: 'DONE' });
    });
  });
}
