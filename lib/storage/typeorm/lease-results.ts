import type { Lease, LeaseAnswer, RenewalAnswer } from '../../queue/lease.js';
import type { RenewedLease, SeenLease, WrittenLease } from '../sql/jobs-dialect.js';

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
  const sorted = inOrder(leases);
  const answered = await write(sorted);
  if (answered.length === leases.length) return leases.map(() => 'written');
  const written = new Set(answered.map(keyOf));
  const missing = sorted.filter((lease) => !written.has(keyOf(lease)));
  const seen = new Map((missing.length === 0 ? [] : await look(missing)).map((row) => [row.id, row]));
  return leases.map((lease) =>
    written.has(keyOf(lease)) ? 'written' : unwritten(lease, seen.get(lease.id)),
  );
}

/** The same for renewals, which also tell of jobs that were asked to end. */
export async function renewalResults<L extends Lease>(
  leases: readonly L[],
  renew: (sorted: readonly L[]) => Promise<readonly RenewedLease[]>,
  look: (leases: readonly L[]) => Promise<readonly SeenLease[]>,
): Promise<RenewalAnswer[]> {
  const renewed = await renew(inOrder(leases));
  const answers = await leaseResults(leases, () => Promise.resolve(renewed), look);
  const stops = new Map(renewed.flatMap(({ id, stop }) => (stop === undefined ? [] : [[id, stop]])));
  if (stops.size === 0) return answers;
  return leases.map(({ id }, index) => (answers[index] === 'written' && stops.get(id)) || answers[index]!);
}

function inOrder<L extends Lease>(leases: readonly L[]): readonly L[] {
  return leases.toSorted((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
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

/**
 * Answers for leases of several workers, those of each worker by themselves: within one statement, a lease could pass for
 * that of another worker. A worker sends only its own.
 */
export async function byWorker<L extends Lease, Answer>(
  leases: readonly L[],
  answerAll: (own: readonly L[]) => Promise<Answer[]>,
): Promise<Answer[]> {
  const workers = new Set(leases.map(({ lockedBy }) => lockedBy));
  if (workers.size <= 1) return answerAll(leases);
  const answers = new Map<L, Answer>();
  for (const worker of workers) {
    const own = leases.filter(({ lockedBy }) => lockedBy === worker);
    const some = await answerAll(own);
    for (const [index, lease] of own.entries()) answers.set(lease, some[index]!);
  }
  return leases.map((lease) => answers.get(lease)!);
}
