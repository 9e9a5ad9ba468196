import { defineJob, type } from 'nestjs-typeorm-jobs';

/**
 * Makes a report of the invoices that are in none yet. The report and the marks on its invoices are committed with the
 * outcome, so each invoice is in one report, whatever happens to the process.
 */
export const MakeReport = defineJob('report.nightly', {
  returns: type<{ invoices: number; totalCents: number }>(),
  transactional: true,
  maxAttempts: 5,
});
