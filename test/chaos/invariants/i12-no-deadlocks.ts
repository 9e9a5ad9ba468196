import type { Invariant } from './violations.js';

/** I12: there is no deadlock. No statement of the package waits for a row while it holds another. */
export const noDeadlocks: Invariant = ({ history: { deadlocks } }) =>
  deadlocks === 0 ? [] : [{ invariant: 'I12', message: `the database resolved ${deadlocks} deadlocks` }];
