import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/*
 * Compiles src with each compiler that this application has, for each library that an application may have, and both as
 * resolution by "exports" and by "main" find the types. Nothing is skipped, so the declarations themselves are checked.
 */
const run = promisify(execFile);
const { devDependencies } = JSON.parse(await readFile('package.json', 'utf8'));
const compilers = Object.keys(devDependencies).filter((name) => name.startsWith('typescript-'));
const resolutions = [
  ['--module', 'commonjs', '--moduleResolution', 'node10'],
  ['--module', 'node16', '--moduleResolution', 'node16'],
];
const shared =
  '--noEmit --strict --experimentalDecorators --emitDecoratorMetadata --target es2021 --types node --skipLibCheck false';
const runs = compilers.flatMap((compiler) =>
  resolutions.map((resolution) => [compiler, resolution, 'es2021']),
);
runs.push([compilers.at(-1), resolutions.at(-1), 'es2023']);
let problems = 0;
for (const [compiler, resolution, lib] of runs) {
  if (compiler === 'typescript-6.0' && resolution.includes('node10')) continue; // it has no node10 any more
  const args = [`node_modules/${compiler}/bin/tsc`, ...shared.split(' '), '--lib', lib, ...resolution];
  await run(process.execPath, [...args, 'src/index.ts']).catch(({ stdout }) => {
    problems += 1;
    console.log(`${compiler} ${resolution.at(-1)} ${lib}:\n${stdout}`);
  });
}
console.log(`${compilers.length} compilers, ${problems} problems`);
process.exitCode = problems === 0 && compilers.length > 0 ? 0 : 1;
