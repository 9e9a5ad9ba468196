import { expect, it } from '@jest/globals';
import {
  anyServer,
  describeOn,
  oneOfEach,
  pooled,
  servers,
  sqlite,
  TestDatabase,
  type TestServer,
} from '../support/databases.js';

describeOn([...servers, ...sqlite], 'On $name', (server) => {
  it('a test gets a database of its own', async () => {
    const database = await TestDatabase.create(server);
    const dataSource = await database.connect();
    expect(await dataSource.query('SELECT 1 AS one')).toHaveLength(1);
    await dataSource.destroy();
    await database.drop();
  });
});

it('every list names what is missing as well, so that nothing is left out in silence', () => {
  const namesOf = (list: readonly TestServer[]) => list.map(({ name }) => name);
  expect(namesOf(servers)).toEqual(['embedded PostgreSQL', 'PostgreSQL', 'MariaDB']);
  expect(namesOf(sqlite)).toEqual(['SQLite']);
  expect(namesOf(oneOfEach)).toEqual(['embedded PostgreSQL', 'MariaDB']);
  expect(namesOf(pooled)).toEqual(['embedded PostgreSQL']);
  expect(anyServer().name).toBe('embedded PostgreSQL');
});

it('the embedded PostgreSQL is there unless it is skipped, and it alone where what is optional is hidden', async () => {
  const there = [...servers, ...sqlite].filter(({ missing }) => missing === undefined);
  const isSkipped = process.env.JOBS_TEST_SKIP_EMBEDDED === '1';
  expect(there.some(({ name }) => name === anyServer().name)).toBe(!isSkipped);
  if (process.env.JOBS_TEST_HIDE_OPTIONAL !== '1') return;
  expect(there).toHaveLength(1);
  expect(pooled.every(({ missing }) => missing !== undefined)).toBe(true);
});

it('what is missing cannot be used by mistake', async () => {
  const missing = { ...anyServer(), missing: 'it is away' };
  await expect(TestDatabase.create(missing)).rejects.toThrow('There is no embedded PostgreSQL: it is away');
});

it('a list of none is refused, for it would say nothing of what is missing', () => {
  expect(() => describeOn([], 'On $name', () => undefined)).toThrow('belongs into the list');
});
