const STEP = 500;

/**
 * Lets a contender do for a while what is measured after that, as a service that runs has done it before: it takes an
 * engine some ten thousand calls to compile all that takes part in one.
 */
export async function warmUp(work, ms) {
  const start = performance.now();
  while (performance.now() - start < ms) await work(STEP);
}
