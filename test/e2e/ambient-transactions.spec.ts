import { expect, it } from '@jest/globals';
import { describeOn, oneOfEach, TestDatabase } from '../support/databases.js';
import { runNodeTests } from './node-tests.js';

/** The tests themselves are in fixtures/ambient.mjs. */
describeOn(oneOfEach, 'Ambient transactions on $name', (server) => {
  it.each(['@nestjs-cls/transactional', 'typeorm-transactional'])(
    'of %s keep what is promised',
    async (library) => {
      const database = await TestDatabase.create(server);
      try {
        const report = await runNodeTests('ambient.mjs', { library, database: database.options });
        expect(report).not.toMatch(/^ *not ok/m);
        expect(report.match(/^ {4}ok \d+ - .*(?<!# SKIP)$/gm)?.length).toBeGreaterThan(10);
      } finally {
        await database.drop();
      }
    },
  );
});
