import { setTimeout as sleep } from 'node:timers/promises';

export interface UntilOptions {
  readonly timeoutMs?: number;
  /** What is waited for, for the error. */
  readonly what?: string;
  /** How often to ask. Less often where the answer costs something and comes late. */
  readonly everyMs?: number;
}

/**
 * Waits until a condition holds, asking again and again; fails after `timeoutMs`. That only ends a test that
 * would never end: it measures nothing, and a busy machine may take many times as long as an idle one.
 */
export async function until(
  condition: () => boolean | Promise<boolean>,
  { timeoutMs = 60_000, what = 'the condition', everyMs = 5 }: UntilOptions = {},
): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`${what} did not hold within ${timeoutMs} ms`);
    await sleep(everyMs);
  }
}
