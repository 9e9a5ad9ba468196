import fc from 'fast-check';

/*
 * How properties are tried: each with a fixed seed and with a random one, or with the seed of HOSTILE_SEED alone.
 * HOSTILE_RUNS=20 tries twenty times as many inputs.
 */
const FIXED_SEED = 20_261_126;
const GIVEN_SEED = process.env.HOSTILE_SEED;
const MORE_RUNS = Number(process.env.HOSTILE_RUNS ?? 1);
/** What ends a property on a machine that is too slow for all of its runs, and the search for a shorter counterexample. */
const MAX_MS = 10_000 * MORE_RUNS;
/** For the test of a property. */
export const PROPERTY_TIMEOUT_MS = MAX_MS + 120_000;

/** For `it.each`. */
export const SEEDS: readonly (readonly [name: string, seed: number])[] =
  GIVEN_SEED === undefined
    ? [
        ['the fixed seed', FIXED_SEED],
        ['a random seed', Math.floor(Math.random() * 2 ** 31)],
      ]
    : [['the seed of HOSTILE_SEED', Number(GIVEN_SEED)]];

/** Tries a property. Fails with the shortest counterexample that was found, and with what repeats it. */
export async function holds<Input>(
  inputs: fc.Arbitrary<Input>,
  expectOf: (input: Input) => Promise<void>,
  seed: number,
  runs: number,
): Promise<void> {
  const ends = Date.now() + MAX_MS;
  // The limit of fast-check would leave a run to itself, which then worked on what the next test has in the same store.
  const property = fc.asyncProperty(inputs, async (input) => {
    if (Date.now() < ends) await expectOf(input);
  });
  const details = await fc.check(property, { seed, numRuns: runs * MORE_RUNS });
  if (!details.failed) return;
  const report = await fc.asyncDefaultReportMessage(details);
  const command = `HOSTILE_SEED=${details.seed} npm run test:hostile -- -t '<name of this test>'`;
  throw new Error(`${report}\n\nTo repeat it: ${command}`, { cause: details.errorInstance });
}
