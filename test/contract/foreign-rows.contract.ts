import { describe, expect, it } from '@jest/globals';
import { KIND, type SqlStore } from '../support/store.js';

/** Rows that other programs wrote into the table, and that no enqueue would write. */
export function foreignRowsContract(store: SqlStore): void {
  const now = {
    postgres: 'now()',
    mysql: 'UTC_TIMESTAMP(6)',
    'better-sqlite3': `strftime('%Y-%m-%d %H:%M:%f', 'now')`,
  };

  /** A row that comes before all others. */
  async function insert(id: string, kind: string): Promise<void> {
    const instant = now[store.server.type];
    await store.sql(
      `INSERT INTO nest_jobs (id, kind, priority, run_at, created_at, updated_at)
       VALUES (?, ?, -1, ${instant}, ${instant}, ${instant})`,
      [id, kind],
    );
  }

  describe('A row whose kind ends in a blank', () => {
    it('holds back no other job, and no other kind', async () => {
      await insert('padded', `${KIND} `);
      await store.client.enqueueMany(['a', 'b'].map((id) => ({ kind: KIND, id })));
      await store.client.enqueue('other', null, { id: 'c' });
      await store.work({ [KIND]: () => 'fine', other: () => 'fine' }, { concurrency: 1 });
      for (const id of ['a', 'b', 'c']) expect(await store.ended(id)).toMatchObject({ status: 'DONE' });
      // A database that compares exactly leaves it alone; another says why it cannot run.
      const { status, lastError } = await store.job('padded');
      if (!store.isMysql) expect(status).toBe('PENDING');
      else
        expect([status, lastError]).toEqual([
          'FAILED',
          expect.stringContaining(`No handler serves the kind "${KIND} "`),
        ]);
    });

    it('hides no kind from a worker that serves more than a hundred', async () => {
      const kinds = Array.from({ length: 120 }, (_, n) => `kind ${n}`);
      await insert('padded', 'kind 5 ');
      await store.client.enqueue('kind 5', null, { id: 'a' });
      await store.work(Object.fromEntries(kinds.map((kind) => [kind, () => 'fine'])));
      expect(await store.ended('a')).toMatchObject({ status: 'DONE' });
    });
  });
}
