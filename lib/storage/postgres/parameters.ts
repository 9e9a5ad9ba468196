import type { Lease } from '../../queue/lease.js';
import type { Bind, Part } from '../sql/part.js';
import { asBuffer } from '../sql/row.js';
import { numberArray, textArray } from './arrays.js';

/** Bytes as text: `pg-native` takes a Buffer for a string, which ends at the first byte that is 0. */
export function byteaOf(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : `\\x${asBuffer(bytes)!.toString('hex')}`;
}

/** The workers that hold the leases: mostly one. */
export function workersOf(leases: readonly Lease[]): string {
  return textArray([...new Set(leases.map(({ lockedBy }) => lockedBy))]);
}

export function bindLeases(leases: readonly Lease[]): [ids: string, leaseTokens: string] {
  return [textArray(leases.map((lease) => lease.id)), numberArray(leases.map((lease) => lease.leaseToken))];
}

/** For a `timestamptz`. */
export function instantOf(date: Date | null): string | null {
  return date === null ? null : date.toISOString();
}

/** Stands for a parameter until all are numbered. No name of a table or a schema can have it. */
const PLACE = '\0';

export const bind: Bind = (value, type) => ({ text: `${PLACE}::${type}`, parameters: [value] });

/** A statement whose parameters are numbered. */
export function numbered({ text, parameters }: Part): Part {
  let number = 0;
  return { text: text.replaceAll(PLACE, () => `$${++number}`), parameters };
}
