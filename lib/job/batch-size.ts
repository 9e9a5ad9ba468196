export const MAX_ROWS = 1000;
/** A statement is a string in memory, and servers limit its size, too. */
const MAX_BYTES = 4 * 1024 * 1024;

/** How much of a batch an item takes. */
export interface Weight {
  readonly rows: number;
  readonly bytes: number;
}

/** How many items, from the first on, go into one statement. The first always does, however large it is. */
export function countForBatch<T>(items: readonly T[], weigh: (item: T) => Weight): number {
  let [rows, bytes] = [0, 0];
  for (let index = 0; index < items.length; index++) {
    const weight = weigh(items[index]!);
    rows += weight.rows;
    bytes += weight.bytes;
    if (index > 0 && (rows > MAX_ROWS || bytes > MAX_BYTES)) return index;
  }
  return items.length;
}
