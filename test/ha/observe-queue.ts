import { TypeOrmJobQueue } from 'nestjs-typeorm-jobs';
import { record, settings } from './process.js';
import { now } from './records.js';

const worker = settings.name;

/**
 * Records each lease that this process's worker gets, and what becomes of it. Changes nothing else but where outcomes go.
 *
 * @param settling the queue that they go to, if it is not the worker's own
 */
export function observeQueue(settling?: () => TypeOrmJobQueue): void {
  const { prototype } = TypeOrmJobQueue;
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with the queue as `this` below
  const { claim, settle, renew, release } = prototype;

  prototype.claim = async function (...args) {
    const jobs = await claim.apply(this, args);
    const leases = jobs.map(({ id, leaseToken }) => ({ id, token: leaseToken }));
    if (leases.length > 0) record({ type: 'claim', leases, worker, at: now() });
    return jobs;
  };

  prototype.settle = async function (settlements, ...limits) {
    const note = (answerOf: (index: number) => string | undefined) => {
      const at = now();
      record(
        ...settlements.map(({ id, leaseToken }, index) => {
          return { type: 'settle', id, token: leaseToken, answer: answerOf(index), worker, at };
        }),
      );
    };
    try {
      const answers = await settle.call(settling?.() ?? this, settlements, ...limits);
      note((index) => answers[index]);
      return answers;
    } catch (error) {
      note(() => 'failed');
      throw error;
    }
  };

  prototype.renew = async function (renewals, ...limits) {
    const answers = await renew.call(this, renewals, ...limits);
    const lost = renewals.filter((_, index) => answers[index] === 'lost');
    record(...lost.map(({ id, leaseToken }) => ({ type: 'lost', id, token: leaseToken, worker, at: now() })));
    return answers;
  };

  prototype.release = async function (leases) {
    record(
      ...leases.map(({ id, leaseToken }) => ({ type: 'release', id, token: leaseToken, worker, at: now() })),
    );
    return release.call(this, leases);
  };
}
