import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { RELEASE } from '../../../lib/job/release.js';

it('The release that workers tell is that of package.json', async () => {
  const file = join(import.meta.dirname, '../../../package.json');
  const { version } = JSON.parse(await readFile(file, 'utf8')) as { readonly version: string };
  expect(RELEASE).toBe(version);
});
