/** How many expired jobs one statement takes back. */
export const RECLAIMED_AT_ONCE = 1000;

/**
 * The largest count of a row: far below what an integer column holds, so that no row, whatever others have written into
 * it, makes a statement overflow. Counts stay there.
 */
export const MAX_COUNT = 2_000_000_000;

/** How many scheduled jobs one statement marks due. */
export const DUE_AT_ONCE = 1000;
