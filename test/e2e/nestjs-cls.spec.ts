import { expect, it } from '@jest/globals';
import { runNodeTests } from './node-tests.js';

/** The tests themselves are in fixtures/cls.mjs. */
it('Stores of nestjs-cls are one for each job, by an interceptor, a decorator and a carrier', async () => {
  const report = await runNodeTests('cls.mjs', {});
  expect(report).not.toMatch(/^ *not ok/m);
  expect(report.match(/^ok \d+/gm)).toHaveLength(3);
});
