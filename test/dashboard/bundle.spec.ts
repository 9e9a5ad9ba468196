import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';

const ROOT = join(import.meta.dirname, '../..');
const FOLDERS = ['dist/dashboard/assets', 'dist-cjs/dashboard/assets'];
const MOST_BYTES = 60_000;

describe.each(FOLDERS)('The bundle in %s', (folder) => {
  it('is what the manifest names, under names with a hash, with the licences of what is in it', async () => {
    const { script, style } = await filesOf(folder);
    expect(script).toMatch(/^main-[A-Z0-9]{8}\.js$/);
    expect(style).toMatch(/^main-[A-Z0-9]{8}\.css$/);
    const files = await readdir(join(ROOT, folder));
    expect(files.toSorted()).toEqual(['licenses.txt', script, style, 'manifest.json'].toSorted());
    const licenses = await readFile(join(ROOT, folder, 'licenses.txt'), 'utf8');
    expect(licenses).toMatch(/preact[^]*MIT[^]*cronstrue[^]*MIT/);
  });

  it(`takes less than ${MOST_BYTES} bytes on its way`, async () => {
    const { script, style } = await filesOf(folder);
    const sizes = await Promise.all(
      [script, style].map(async (file) => gzipSync(await readFile(join(ROOT, folder, file))).length),
    );
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(MOST_BYTES);
  });

  it('asks for nothing from elsewhere, and makes no markup from text', async () => {
    const { script, style } = await filesOf(folder);
    const text = (
      await Promise.all([script, style].map((file) => readFile(join(ROOT, folder, file), 'utf8')))
    ).join();
    const addresses = [...text.matchAll(/(?:https?:)?\/\/[a-z0-9.-]+\.[a-z]{2,}[^"'`)\s]*/g)].map(
      ([address]) => address,
    );
    expect(addresses.filter((address) => !address.startsWith('http://www.w3.org/'))).toEqual([]);
    expect(text).not.toMatch(/\beval\(|new Function|\.innerHTML\s*=\s*[a-z]+\.message/);
  });
});

async function filesOf(folder: string): Promise<{ script: string; style: string }> {
  const manifest = JSON.parse(await readFile(join(ROOT, folder, 'manifest.json'), 'utf8')) as Record<
    string,
    string
  >;
  expect(Object.keys(manifest).toSorted()).toEqual(['main.css', 'main.js']);
  return { script: manifest['main.js']!, style: manifest['main.css']! };
}
