import process from 'node:process';
import { print, runAndCheck } from './main.js';
import type { Engine } from './server.js';

/*
 * npm run chaos:ci
 *
 * Takes about a minute for each engine: half of it with a fixed seed, half with a random seed, which is printed. Ends
 * with "chaos: N passed, N failed".
 */
const ENGINES: readonly Engine[] = ['postgres', 'mariadb'];
const RUN = { jobs: 1_500, minutes: 0.3, root: process.cwd() };

const random = String(Math.floor(Math.random() * 1e9));
let [passed, failed] = [0, 0];
for (const engine of ENGINES) {
  for (const seed of ['1', random]) {
    const { figures, violations } = await runAndCheck({ ...RUN, engine, seed });
    print(figures, violations);
    const isRight = violations.length === 0;
    console.log(`chaos: ${engine}, seed ${seed}: ${isRight ? 'passed' : 'FAILED'}`);
    if (isRight) passed += 1;
    else failed += 1;
    if (!isRight) {
      const { jobs, minutes } = RUN;
      console.log(
        `To repeat it: npm run chaos -- --engine ${engine} --seed ${seed} --jobs ${jobs} --minutes ${minutes}`,
      );
    }
  }
}
console.log(`chaos: ${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
