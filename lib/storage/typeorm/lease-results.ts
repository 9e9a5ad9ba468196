import type { Lease, LeaseAnswer } from '../../queue/lease.js';
import type { SeenLease, WrittenLease } from '../sql/jobs-dialect.js';

/**
 * Writes under leases, and tells what became of each, in the order given.
 *
 * @param write gets them in ascending order of id. All rows are locked in this order everywhere, so that no two statements
 * wait for each other. It returns those that were written, each once.
 * @param look returns the leases of the rows as they are now
 */
export async function leaseResults<L extends Lease>(
  leases: readonly L[],
  write: (sorted: readonly L[]) => Promise<readonly WrittenLease[]>,
  look: (leases: readonly L[]) => Promise<readonly SeenLease[]>,
): Promise<LeaseAnswer[]> {
  const sorted = leases.toSorted((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  const answered = await write(sorted);
  if (answered.length === leases.length) return leases.map(() => 'written');
  const written = new Set(answered.map(keyOf));
  const missing = sorted.filter((lease) => !written.has(keyOf(lease)));
  const seen = new Map((missing.length === 0 ? [] : await look(missing)).map((row) => [row.id, row]));
  return leases.map((lease) =>
    written.has(keyOf(lease)) ? 'written' : unwritten(lease, seen.get(lease.id)),
  );
}

/** Tokens only rise, so a row with a smaller one is the row of before the claim. */
function unwritten(lease: Lease, row: SeenLease | undefined): LeaseAnswer {
  if (row === undefined || row.leaseToken > lease.leaseToken) return 'lost';
  if (row.leaseToken < lease.leaseToken) return 'stale';
  return row.isHeld && row.lockedBy === lease.lockedBy ? 'busy' : 'lost';
}

function keyOf({ id, leaseToken }: WrittenLease): string {
  return `${leaseToken} ${id}`;
}
