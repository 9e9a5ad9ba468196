/*
 * The timers of the page. lib/async is made for Node and stays out of the bundle.
 */

/** Calls back once, after `ms` milliseconds. @returns a function that cancels the call */
export function after(ms: number, callback: () => void): () => void {
  const timer = setTimeout(callback, ms);
  return () => clearTimeout(timer);
}
