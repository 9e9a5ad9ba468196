/** Below it code points and UTF-16 units are in the same order. */
const FIRST_SURROGATE = /[\ud800-\uffff]/;

/** Compares by Unicode code points, as databases sort ids. Their order is that of UTF-8; `<` goes by UTF-16 units. */
export function compareIds(one: string, other: string): number {
  if (FIRST_SURROGATE.test(one) && FIRST_SURROGATE.test(other))
    return Buffer.compare(Buffer.from(one), Buffer.from(other));
  return one < other ? -1 : one > other ? 1 : 0;
}
