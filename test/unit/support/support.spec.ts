import { expect, it } from '@jest/globals';
import { servers, TestDatabase } from '../../support/databases.js';

it('gives a test a database of its own on each server', async () => {
  expect(servers.length).toBeGreaterThan(0);
  for (const server of servers) {
    const database = await TestDatabase.create(server);
    const dataSource = await database.connect();
    expect(await dataSource.query('SELECT 1 AS one')).toHaveLength(1);
    await dataSource.destroy();
    await database.drop();
  }
});
