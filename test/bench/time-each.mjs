import { setTimeout as sleep } from 'node:timers/promises';
import { quantileOf } from './records.mjs';

const TURNS = 15;

/**
 * Carries out each call several times, one after the other, and prints how long it took.
 *
 * @param calls as `[name, call]`
 * @param measured is told the name and the median in milliseconds
 * @param pauseMs the time before each call
 */
export async function timeEach(calls, measured, pauseMs = 0) {
  for (const [name, call] of calls) {
    const times = [];
    for (let turn = 0; turn < TURNS; turn++) {
      if (pauseMs > 0) await sleep(pauseMs);
      const begun = performance.now();
      await call();
      times.push(performance.now() - begun);
    }
    const [median, last] = [quantileOf(times, 0.5), Math.max(...times)];
    measured(name, median);
    console.log(`  ${name.padEnd(40)} ${median.toFixed(1).padStart(8)} ms, at most ${last.toFixed(1)}`);
  }
}
