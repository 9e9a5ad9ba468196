import process from 'node:process';
import { TypeOrmJobQueue } from 'nestjs-typeorm-jobs';
import { now } from './clock.js';
import { record } from './process.js';

const { pid } = process;

/** Records what this process's worker asks of the database, and the answers. Changes nothing else. */
export function observeQueue(): void {
  const { prototype } = TypeOrmJobQueue;
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with the queue as `this` below
  const { claim, settle, renew } = prototype;

  prototype.claim = async function (...args) {
    const since = performance.now();
    try {
      const jobs = await claim.apply(this, args);
      record({ type: 'claim', ms: performance.now() - since, count: jobs.length, pid, at: now() });
      return jobs;
    } catch (error) {
      record({ type: 'claim failed', ms: performance.now() - since, error: String(error), pid, at: now() });
      throw error;
    }
  };

  prototype.settle = async function (settlements, ...limits) {
    const at = now();
    record(
      ...settlements.map(({ id, leaseToken, outcome }) => {
        return { type: 'settle', id, token: leaseToken, outcome: outcome.type, pid, at };
      }),
    );
    try {
      const answers = await settle.call(this, settlements, ...limits);
      const count = (wanted: string) => answers.filter((answer) => answer === wanted).length;
      const [written, lost, busy] = [count('written'), count('lost'), count('busy')];
      record({ type: 'settled', written, lost, busy, pid, at: now() });
      return answers;
    } catch (error) {
      const count = settlements.length;
      record({ type: 'settle failed', count, error: String(error), pid, at: now() });
      throw error;
    }
  };

  prototype.renew = async function (...args) {
    const since = performance.now();
    try {
      return await renew.apply(this, args);
    } catch (error) {
      record({ type: 'renew failed', ms: performance.now() - since, error: String(error), pid, at: now() });
      throw error;
    }
  };
}
