/** How many expired jobs one statement takes back. */
export const RECLAIMED_AT_ONCE = 1000;

/**
 * The largest count of a row: far below what an integer column holds, so that no row, whatever others have written into
 * it, makes a statement overflow. Counts stay there.
 */
export const MAX_COUNT = 2_000_000_000;

/** How many scheduled jobs one statement marks due. */
export const DUE_AT_ONCE = 1000;

/**
 * How many scheduled jobs a claim looks at to find the next one of its kinds. The index of scheduled jobs is by time alone,
 * so there may be any number of other kinds before it. If there are this many, the claim tells when the last of them is
 * due. What they are does not matter: by then most of them are out of the way.
 */
export const SCHEDULED_LOOK = 100;
/** The shortest time until the next look where the jobs of other kinds stand close. No job of ours starts later than that. */
export const CROWDED_LOOK_MS = 100;
/**
 * A scheduled job that is overdue, and that the claim could not mark due, is just being marked by another worker, which will
 * hardly leave it to us. The claim tells to look again after as long as the job has been overdue, but not sooner than this:
 * all idle workers of a kind meet at its next job.
 */
export const OVERDUE_LOOK_MS = 50;
/** If it is overdue by more than this, somebody holds its lock, and polling finds it. */
export const MAX_OVERDUE_MS = 10_000;

/** How many settled jobs one statement deletes. */
export const PRUNED_AT_ONCE = 1000;

/** How many rows one statement reads in search of jobs to delete, where it counts rows. */
export const READ_AT_ONCE = 2000;

/** A server that breaks off statements sooner breaks off statements of workers on a busy day, in milliseconds. */
export const SHORTEST_STATEMENT_MS = 5_000;
