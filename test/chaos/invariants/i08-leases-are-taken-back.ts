import type { Invariant } from './violations.js';

/**
 * I8: once everything is healed, no expired lease stands longer than until the next round of a reclaimer, and the drain
 * ends within its bound.
 */
export const leasesAreTakenBack: Invariant = (times) => {
  const { history, jobs } = times;
  const invariant = 'I8';
  const { settings, healedAt, drainedAt, endedAt } = history;
  const violations = [];
  const boundMs = settings.drainBoundMs;
  if (drainedAt === undefined || drainedAt - healedAt > boundMs) {
    const took = ((drainedAt ?? endedAt) - healedAt) / 1000;
    const message = `the drain ${drainedAt === undefined ? 'did not end in' : 'took'} ${took.toFixed(1)} s; its bound is ${boundMs / 1000} s`;
    violations.push({ invariant, message });
  }
  for (const { id, leases } of jobs.values()) {
    for (const { token, until, end } of leases) {
      // The time counts from the end of the lease or of the last fault, whichever came later. Jobs still end processes.
      const [from, to] = [Math.max(until, healedAt), end?.at ?? endedAt];
      if (to - from <= settings.reclaimMs) continue;
      const stoodMs = times.ableMs(from, to);
      if (stoodMs <= settings.reclaimMs) continue;
      const message = `lease ${token} stood for ${stoodMs.toFixed(0)} ms after it had run out`;
      violations.push({ invariant, job: id, message });
    }
  }
  return violations;
};
