import { forEachJob, type Invariant } from './violations.js';

/** I7: the stored result belongs to the settling attempt, and the effect of that attempt exists. */
export const resultIsOfTheSettlingAttempt: Invariant = (times) => {
  const effects = new Set(times.history.effects.map(({ id, token }) => `${token} ${id}`));
  return forEachJob('I7', ({ id, row, plan, leases }) => {
    if (row?.status !== 'DONE') return row?.result === undefined ? [] : [`is ${row.status} and has a result`];
    const last = leases.at(-1);
    if (last === undefined) return ['is DONE and was never claimed'];
    if (plan?.silent)
      return row.result === undefined ? [] : ['has a result, and its handler returned nothing'];
    const { token, worker } = (row.result ?? {}) as { token?: number; worker?: string };
    if (token !== last.token || worker !== last.worker)
      return [
        `has the result of lease ${token} of ${worker}; lease ${last.token} of ${last.worker} was settled`,
      ];
    const isMissing = plan?.effect === true && !effects.has(`${last.token} ${id}`);
    return isMissing ? [`is DONE by lease ${token}, whose effect is missing`] : [];
  })(times);
};
