import type { AttemptEnd } from '../events/instrument.js';
import { LeaseLostError } from '../job/errors.js';
import type { Outcome } from '../job/outcome.js';
import type { HeldJob } from './held-job.js';

/**
 * What an attempt ended in, for what stands around it.
 * @param outcome undefined where its transaction has ended with it
 */
export function attemptEnd(heldJob: HeldJob, outcome: Outcome | undefined): AttemptEnd {
  const { lease, leaving, transactionEnd } = heldJob;
  if (outcome === undefined) return transactionEnd === 'lost' ? lost(heldJob) : { type: transactionEnd! };
  if (lease === 'over' || leaving !== undefined) return { type: 'released' };
  if (outcome.type === 'done') return { type: 'done', isLeaseLost: lease === 'lost' };
  if (lease === 'lost') return lost(heldJob);
  return outcome.type === 'snoozed'
    ? { type: 'snoozed' }
    : { type: outcome.type, error: heldJob.attempt.error };
}

function lost({ id, lost }: HeldJob): AttemptEnd {
  return { type: 'lost', error: lost ?? new LeaseLostError(id, 'its transaction could not be committed.') };
}
