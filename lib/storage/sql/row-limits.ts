/** How many expired jobs one statement takes back. */
export const RECLAIMED_AT_ONCE = 1000;

/** How many scheduled jobs one statement marks due. */
export const DUE_AT_ONCE = 1000;
