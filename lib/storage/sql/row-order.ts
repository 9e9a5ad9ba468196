import type { Row } from './sql.js';

/** Puts rows into the order in which their ids were read before. Rows that were not read come last. */
export function inOrderOf(read: readonly Row[], rows: readonly Row[]): Row[] {
  const positions = new Map(read.map((row, position) => [row.id, position]));
  const positionOf = (row: Row) => positions.get(row.id) ?? Infinity;
  return rows.toSorted((a, b) => positionOf(a) - positionOf(b));
}
