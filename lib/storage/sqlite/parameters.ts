import type { Lease } from '../../queue/lease.js';
import { utcText } from '../sql/instants.js';
import { given, part, type Part } from '../sql/part.js';
import { asBuffer } from '../sql/row.js';

/** A list of ids as JSON. */
export function idsOf(leases: readonly Pick<Lease, 'id'>[]): string {
  return JSON.stringify(leases.map(({ id }) => id));
}

/** A lease without what comes with it. */
export function leaseOf({ id, leaseToken, lockedBy }: Lease): Lease {
  return { id, leaseToken, lockedBy };
}

/** A list of leases as JSON. */
export function bindLeases(leases: readonly Lease[]): string {
  return JSON.stringify(leases.map(leaseOf));
}

/** Bytes as JSON can hold them. */
export function hexOf(bytes: Uint8Array | null): string | null {
  return asBuffer(bytes)?.toString('hex') ?? null;
}

/** An instant as text in UTC. */
export function instantOf(date: Date | null): string | null {
  return date === null ? null : utcText(date.getTime());
}

/** The entries of a list, for `IN`. */
export function listed(texts: readonly string[]): Part {
  return part`(SELECT value FROM json_each(${given(JSON.stringify(texts))}))`;
}
