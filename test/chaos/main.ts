import process from 'node:process';
import { parseArgs } from 'node:util';
import { check } from './check.js';
import { figuresOf, tableOf, type Figures } from './figures.js';
import type { Violation } from './records.js';
import { run, type RunOptions } from './run.js';
import { Timelines } from './timeline.js';

/*
 * npm run chaos -- --engine postgres|mariadb --jobs N --seed S --minutes M
 *
 * Prints a table, and the same figures as one line of JSON. Fails if an invariant does not hold. The files of the run
 * are kept if CHAOS_KEEP is set.
 */
const SHOWN = 5;

// Exit through `process.exit`, so that its listeners stop the server and the processes.
process.once('SIGTERM', () => process.exit(1));
process.once('SIGINT', () => process.exit(1));

/** Runs the suite once and checks the history. */
export async function runAndCheck(
  options: Omit<RunOptions, 'say'>,
): Promise<{ figures: Figures; violations: readonly Violation[] }> {
  const say = (text: string) => console.log(`[${options.engine} ${options.seed}] ${text}`);
  say(`${options.jobs} jobs, ${options.minutes} minutes`);
  const times = new Timelines(await run({ ...options, say }));
  const violations = check(times);
  return { figures: figuresOf(times, violations, options), violations };
}

export function print(figures: Figures, violations: readonly Violation[]): void {
  console.log(tableOf(figures));
  console.log(JSON.stringify(figures));
  const names = [...new Set(violations.map(({ invariant }) => invariant))];
  for (const name of names) {
    const some = violations.filter(({ invariant }) => invariant === name);
    for (const { job, message } of some.slice(0, SHOWN)) console.log(`${name} ${job ?? ''} ${message}`);
    if (some.length > SHOWN) console.log(`${name} and ${some.length - SHOWN} more`);
  }
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({
    options: {
      engine: { type: 'string', default: 'postgres' },
      jobs: { type: 'string', default: '10000' },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 1e9)) },
      minutes: { type: 'string', default: '2' },
    },
  });
  const { engine, seed } = values;
  if (engine !== 'postgres' && engine !== 'mariadb') throw new Error('--engine is postgres or mariadb');
  const { figures, violations } = await runAndCheck({
    engine,
    seed,
    jobs: Number(values.jobs),
    minutes: Number(values.minutes),
    root: process.cwd(),
  });
  print(figures, violations);
  process.exit(violations.length === 0 ? 0 : 1);
}
