import { forEachJob } from './violations.js';

/**
 * I4: lease tokens strictly rise, and the token of every settle was current when it was committed. So the holder of a
 * lease that a settle ended had sent an outcome by then.
 */
export const tokensRise = forEachJob('I4', ({ audit, leases }) => {
  const problems: string[] = [];
  for (const { before, after } of audit) {
    if (before === undefined) continue;
    const isClaim = before.worker === null && after.worker !== null;
    if (isClaim ? after.token <= before.token : after.token !== before.token)
      problems.push(`the lease token went from ${before.token} to ${after.token}`);
  }
  for (const { token, worker, until, end } of leases) {
    // If the lease had run out, it was reclaimed without counting the crash. I6 reports that.
    if (end?.how === 'unexplained' && end.at < until)
      problems.push(
        `lease ${token} of ${worker} was settled as ${end.after.status}, and its holder had sent nothing`,
      );
  }
  return problems;
});
