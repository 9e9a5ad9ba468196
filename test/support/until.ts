import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Waits until a condition holds, asking again every few milliseconds; fails after `timeoutMs`. That only ends a test that
 * would never end: it measures nothing, and a busy machine may take many times as long as an idle one.
 */
export async function until(
  condition: () => boolean | Promise<boolean>,
  { timeoutMs = 60_000, what = 'the condition' }: { timeoutMs?: number; what?: string } = {},
): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`${what} did not hold within ${timeoutMs} ms`);
    await sleep(5);
  }
}
