import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { runAndCheck } from './main.js';
import { MUTANTS, patched, type Mutant, type Patch } from './mutations.js';
import type { Engine } from './server.js';

/*
 * npm run chaos:mutants [-- --engine postgres|mariadb] [--only part-of-a-name]
 *
 * Removes one guard of the package at a time, in a copy of the build, and expects the checker to name the invariant
 * that the guard protects. A mutant that survives shows a defect of the checker.
 */
const ROOT = process.cwd();
/** Long enough that each guard is needed. A mutant shows what it breaks early. */
const RUN = { jobs: 1_500, minutes: 0.5, drainMs: 15_000 };

const { values } = parseArgs({
  options: {
    engine: { type: 'string' },
    only: { type: 'string', default: '' },
    seed: { type: 'string', default: '7' },
  },
});
const engines: Engine[] = values.engine === undefined ? ['postgres', 'mariadb'] : [values.engine as Engine];
let survived = 0;
const summary: string[] = [];
for (const engine of engines) {
  for (const mutant of MUTANTS.filter(({ name }) => name.includes(values.only))) {
    const isCaught = await hunt(mutant, engine);
    if (!isCaught) survived += 1;
  }
}
console.log(summary.join('\n'));
console.log(`${summary.length - survived} passed, ${survived} failed`);
process.exit(survived === 0 ? 0 : 1);

/** @returns whether the checker named the mutant's invariant, or nothing if no guard was removed */
async function hunt(mutant: Mutant, engine: Engine): Promise<boolean> {
  const { name, caughtBy, faults, jobs = RUN.jobs, patches } = mutant;
  const root = build(patches[engine]);
  try {
    const { figures, violations } = await runAndCheck({
      ...RUN,
      jobs,
      engine,
      seed: values.seed,
      root,
      faults,
    });
    const named = violations.filter(({ invariant }) => invariant === caughtBy);
    const isRight = caughtBy === 'nothing' ? violations.length === 0 : named.length > 0;
    const seen = `named: ${JSON.stringify(figures.violations)}`;
    summary.push(
      `${isRight ? 'as expected' : 'SURVIVED'}: ${engine}, without ${name}, caught by ${caughtBy}; ${seen}`,
    );
    console.log(summary.at(-1));
    const shown = caughtBy === 'nothing' ? violations : named;
    for (const { invariant, job, message } of shown.slice(0, 2))
      console.log(`  ${invariant} ${job ?? ''} ${message}`);
    return isRight;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** Copies the package and the processes of the suite into a folder, and patches the package there. */
function build(patches: readonly Patch[]): string {
  const root = mkdtempSync(join(tmpdir(), 'jobs-chaos-mutant-'));
  mkdirSync(join(root, 'test/chaos'), { recursive: true });
  for (const part of ['package.json', 'dist', 'test/chaos/dist'])
    cpSync(join(ROOT, part), join(root, part), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'));
  for (const patch of patches) {
    const path = join(root, 'dist', patch.file);
    writeFileSync(path, patched(readFileSync(path, 'utf8'), patch));
  }
  return root;
}
