import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MODULES = join(import.meta.dirname, '../../node_modules');
const FIXTURE = join(import.meta.dirname, 'fixtures/worker.mjs');
const PACKAGE = 'nestjs-typeorm-jobs';

/**
 * An earlier build of the package in a folder of its own, with the dependencies of this one. `releases` has one for each
 * version of the tables but the newest: the compiled modules of the last commit of that version.
 */
export class ReleaseBefore {
  private readonly folder = mkdtempSync(join(tmpdir(), 'jobs-release-'));
  /** fixtures/worker.mjs, beside that build. */
  readonly fixture = join(this.folder, 'worker.mjs');

  /** @param schema the version of the tables */
  constructor(schema: number) {
    const modules = join(this.folder, 'node_modules');
    mkdirSync(join(modules, PACKAGE), { recursive: true });
    for (const name of readdirSync(MODULES))
      if (!name.startsWith('.')) symlinkSync(join(MODULES, name), join(modules, name));
    const archive = join(import.meta.dirname, `releases/schema-${schema}.tgz`);
    execFileSync('tar', ['-xzf', archive, '--strip-components=1', '-C', join(modules, PACKAGE)]);
    copyFileSync(FIXTURE, this.fixture);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}
