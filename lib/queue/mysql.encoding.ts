import type { Settlement } from './job-queue.js';
import { asBuffer, STATUS_AFTER } from './row.js';

/** So much of an INSERT is sent at once; the smallest `max_allowed_packet` in common use is 16 MiB. */
const INSERT_BYTES = 4 * 1024 * 1024;
const INSERT_ROWS = 1000;

/** An outcome as the settle statement reads it from JSON. */
export function encodeSettlement({ id, outcome }: Settlement): object {
  return {
    id,
    status: STATUS_AFTER[outcome.type],
    result: outcome.type === 'done' ? outcome.result.json : null,
    resultBytes:
      outcome.type === 'done' && outcome.result.bytes !== null
        ? asBuffer(outcome.result.bytes)!.toString('base64')
        : null,
    lastError: outcome.type === 'done' ? null : outcome.lastError,
    delayMs: outcome.type === 'retry' ? outcome.delayMs : null,
  };
}

/** Cuts rows to insert into packets that the server takes. */
export function inPackets(rows: readonly (readonly unknown[])[]): unknown[][] {
  const packets: unknown[][] = [];
  let room = 0;
  for (const row of rows) {
    const bytes = row.reduce<number>((sum, value) => sum + sizeOf(value), 0);
    if (bytes > room || packets.at(-1)!.length >= INSERT_ROWS) {
      packets.push([]);
      room = INSERT_BYTES;
    }
    packets.at(-1)!.push(row);
    room -= bytes;
  }
  return packets;
}

/** About: three bytes a character, two hexadecimal digits a byte. */
function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length * 3;
  return Buffer.isBuffer(value) ? value.length * 2 : 8;
}

/** UTC, as a DATETIME(6) takes it. */
export function asDatetime(millis: number): string {
  return new Date(millis).toISOString().replace('T', ' ').replace('Z', '');
}
