import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { MUTANTS, patched } from './mutations.js';

const BUILT = join(import.meta.dirname, '../../dist');

describe.each(['postgres', 'mariadb'] as const)('The mutants of the package on %s', (engine) => {
  it.each(MUTANTS.filter(({ caughtBy }) => caughtBy !== 'nothing'))(
    'can still be built without $name',
    ({ patches }) => {
      const texts = new Map<string, string>();
      for (const patch of patches[engine]) {
        const text = texts.get(patch.file) ?? readFileSync(join(BUILT, patch.file), 'utf8');
        texts.set(patch.file, patched(text, patch));
      }
      for (const [file, text] of texts) expect(text).not.toBe(readFileSync(join(BUILT, file), 'utf8'));
    },
  );
});

describe('A patch', () => {
  it('is refused if the text to patch is not there exactly once', () => {
    const patch = { file: 'a.js', find: 'guard', replace: '' };
    expect(() => patched('nothing', patch)).toThrow('a.js has this 0 times, and not 1');
    expect(() => patched('guard guard', patch)).toThrow('a.js has this 2 times, and not 1');
  });
});
