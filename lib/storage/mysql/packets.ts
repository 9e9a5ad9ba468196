/** How much of an INSERT is sent at once. The smallest `max_allowed_packet` in common use is 16 MiB. */
const INSERT_BYTES = 4 * 1024 * 1024;
const INSERT_ROWS = 1000;

/** Cuts rows to insert into packets that the server takes. */
export function inPackets(rows: readonly (readonly unknown[])[]): unknown[][] {
  const packets: unknown[][] = [];
  let freeBytes = 0;
  for (const row of rows) {
    const bytes = row.reduce<number>((sum, value) => sum + sizeOf(value), 0);
    if (bytes > freeBytes || packets.at(-1)!.length >= INSERT_ROWS) {
      packets.push([]);
      freeBytes = INSERT_BYTES;
    }
    packets.at(-1)!.push(row);
    freeBytes -= bytes;
  }
  return packets;
}

/** An estimate: three bytes for a character, two hexadecimal digits for a byte. */
function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length * 3;
  return Buffer.isBuffer(value) ? value.length * 2 : 8;
}
