import type { MysqlServer } from './server.js';

/** How much of an INSERT is sent at once, if the server takes as much. */
const INSERT_BYTES = 4 * 1024 * 1024;
const INSERT_ROWS = 1000;

/** Parts items, in their order, into lists of at most so many bytes and items. One that is larger is a list of its own. */
export function inParts<T>(
  items: readonly T[],
  bytesOf: (item: T) => number,
  maxBytes: number,
  maxItems = Infinity,
): T[][] {
  const parts: T[][] = [];
  let freeBytes = 0;
  for (const item of items) {
    const bytes = bytesOf(item);
    if (bytes > freeBytes || parts.at(-1)!.length >= maxItems) {
      parts.push([]);
      freeBytes = maxBytes;
    }
    parts.at(-1)!.push(item);
    freeBytes -= bytes;
  }
  return parts;
}

/** How much of a packet the values of one statement may fill: the rest is for its text. */
export function roomIn({ maxPacketBytes }: MysqlServer): number {
  return maxPacketBytes / 2;
}

/** Cuts rows to insert into packets that the server takes. */
export function inPackets(
  rows: readonly (readonly unknown[])[],
  server: MysqlServer,
): (readonly unknown[])[][] {
  const bytesOf = (row: readonly unknown[]) =>
    row.reduce<number>((sum, value) => sum + sentBytesOf(value), 0);
  return inParts(rows, bytesOf, Math.min(INSERT_BYTES, roomIn(server)), INSERT_ROWS);
}

/** At most: three bytes for a character, escaped or not, and two hexadecimal digits for a byte. */
function sentBytesOf(value: unknown): number {
  if (typeof value === 'string') return value.length * 3;
  return Buffer.isBuffer(value) ? value.length * 2 : 8;
}
