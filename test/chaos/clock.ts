/** The real time, even if `Date` is wrong. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}
