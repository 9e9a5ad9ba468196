import { forEachJob } from './violations.js';

/** As many as are kept of a job. */
const KEPT = 50;

/**
 * I18: the history has a row for each attempt that was counted, whatever it ended in, save for the one that succeeded: by
 * default that has none.
 */
export const historiesHaveAllAttempts = forEachJob('I18', ({ row }) => {
  if (row === undefined) return [];
  const { status, attempts, history } = row;
  const last = status === 'DONE' ? attempts - 1 : attempts;
  const from = Math.max(1, attempts - KEPT + 1);
  const wanted = Array.from({ length: Math.max(0, last - from + 1) }, (_, index) => from + index);
  const isRight =
    wanted.length === history.length && wanted.every((attempt, index) => history[index] === attempt);
  return isRight
    ? []
    : [`is ${status} after ${attempts} attempts, and its history has [${history.join(', ')}] of them`];
});
