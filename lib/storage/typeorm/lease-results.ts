import type { Lease, LeaseAnswer } from '../../queue/lease.js';

/**
 * Writes under leases, and tells what became of each, in the order given.
 *
 * @param write gets them in ascending order of id. All rows are locked in this order everywhere, so that no two statements
 * wait for each other. It returns those that were written, each once.
 * @param live returns those of the leases that are live
 */
export async function leaseResults<L extends Lease>(
  leases: readonly L[],
  write: (sorted: readonly L[]) => Promise<readonly Lease[]>,
  live: (leases: readonly L[]) => Promise<readonly Lease[]>,
): Promise<LeaseAnswer[]> {
  const sorted = leases.toSorted((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  const answered = await write(sorted);
  if (answered.length === leases.length) return leases.map(() => 'written');
  const written = keysOf(answered);
  const missing = sorted.filter((lease) => !written.has(keyOf(lease)));
  const busy = missing.length === 0 ? new Set() : keysOf(await live(missing));
  return leases.map((lease) => {
    const key = keyOf(lease);
    return written.has(key) ? 'written' : busy.has(key) ? 'busy' : 'lost';
  });
}

function keyOf({ id, leaseToken }: Lease): string {
  return `${leaseToken} ${id}`;
}

function keysOf(leases: readonly Lease[]): Set<string> {
  return new Set(leases.map(keyOf));
}
