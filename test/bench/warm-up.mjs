const STEP = 500;

/**
 * Lets a contender repeat what is measured afterwards, so that it is as warm as a running service. A JavaScript engine
 * needs some ten thousand calls to compile everything that takes part in one.
 */
export async function warmUp(work, ms) {
  const start = performance.now();
  while (performance.now() - start < ms) await work(STEP);
}
