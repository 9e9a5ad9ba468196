import type { Invariant } from './violations.js';

/** I12: no deadlock: no statement of the package waits for a row while it holds one that somebody else may want. */
export const nobodyWaitsInACircle: Invariant = ({ history: { deadlocks } }) =>
  deadlocks === 0 ? [] : [{ invariant: 'I12', message: `the database resolved ${deadlocks} deadlocks` }];
