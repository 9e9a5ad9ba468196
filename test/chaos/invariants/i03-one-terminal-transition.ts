import { isTerminal } from '../timeline.js';
import { forEachJob } from './violations.js';

/** I3: each job settles exactly once, and stays settled. */
export const oneTerminalTransition = forEachJob('I3', ({ audit, row }) => {
  const first = audit.findIndex(({ after }) => isTerminal(after));
  if (first === -1)
    return row !== undefined && isTerminal(row) ? [`is ${row.status} and no change led there`] : [];
  const status = audit[first]!.after.status;
  return audit
    .slice(first + 1)
    .map(({ after }) => `was ${status}, and then changed to ${after.status} (lease ${after.token})`);
});
