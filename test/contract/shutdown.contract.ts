import { describe, expect, it } from '@jest/globals';
import { WorkerStoppedError } from '../../lib/job/errors.js';
import type { HandlerFn } from '../../lib/execution/attempt.js';
import type { JobContext } from '../../lib/job/job.js';
import { until } from '../support/until.js';
import { KIND, LONG, SHORT, withMethods, type Store } from '../support/store.js';

/** Promise 7, and the third sentence of 8. */
export function shutdownContract(store: Store): void {
  const gate = () => {
    let open!: (value: unknown) => void;
    const opened = new Promise((resolve) => (open = resolve));
    return { open, opened };
  };
  const enqueue = async (id: string) => {
    await store.client.enqueue(KIND, null, { id });
  };

  /** A job whose handler waits for `open`, and its worker. */
  const blocked = async (
    shutdownTimeoutMs: number,
    run: HandlerFn = () => undefined,
    queue = store.queue,
  ) => {
    const started = gate();
    const { open, opened } = gate();
    const contexts: JobContext[] = [];
    await enqueue('blocked');
    const handler: HandlerFn = async (job, context) => {
      contexts.push(context);
      started.open(undefined);
      await opened;
      return run(job, context);
    };
    const worker = await store.work({ [KIND]: handler }, { shutdownTimeoutMs, concurrency: 1 }, queue);
    await started.opened;
    return { worker, open: () => open(undefined), contexts };
  };

  describe('7. On shutdown a worker', () => {
    it('lets running handlers finish, and writes their outcomes', async () => {
      const { worker, open, contexts } = await blocked(10_000, () => 'finished');
      const stopped = worker.stop();
      await enqueue('next');
      expect(await store.job('blocked')).toMatchObject({ status: 'PENDING', attemptsDone: 0 });
      open();
      await stopped;
      expect(await store.job('blocked')).toMatchObject({ status: 'DONE', result: 'finished' });
      expect(contexts[0]!.signal.aborted).toBe(false);
      expect(await store.claimOne()).toMatchObject({ id: 'next', attemptsDone: 0 });
    });

    it('says at once which jobs it waits for, and how long', async () => {
      const waits: string[] = [];
      const end = store.events.on('shutdownWaits', ({ jobs, timeoutMs }) =>
        waits.push(`${jobs.map(({ id }) => id).join()} ${timeoutMs}`),
      );
      const { worker, open } = await blocked(10_000);
      const stopped = worker.stop();
      expect(waits).toEqual(['blocked 10000']);
      open();
      await stopped;
      const idle = await store.work({ [KIND]: () => undefined });
      await idle.stop();
      expect(waits).toHaveLength(1);
      end();
    });

    it('stops claiming', async () => {
      const { worker, open } = await blocked(10_000);
      const stopped = worker.stop();
      for (let n = 0; n < 20; n++) await enqueue(`late ${n}`);
      open();
      await stopped;
      expect(await store.queue.claim([KIND], 99, LONG)).toHaveLength(20);
    });

    it('aborts the signals when shutdownTimeoutMs is over, and gives the jobs back without counting an attempt', async () => {
      const { worker, contexts, open } = await blocked(50);
      await worker.stop();
      expect(contexts[0]!.signal.reason).toBeInstanceOf(WorkerStoppedError);
      const job = await store.job('blocked');
      expect(job).toMatchObject({ status: 'PENDING', attemptsDone: 0, crashes: 0 });
      expect(job.lastError).toBeUndefined();
      expect(job.lockedBy).toBeUndefined();
      expect(await store.claimOne()).toMatchObject({ id: 'blocked', attemptsDone: 0 });
      expect(store.logged('warn', 'blocked')).toBe(true);
      open();
    });

    it.each([
      ['returns', () => 'too late'],
      [
        'throws',
        () => {
          throw new Error('too late');
        },
      ],
    ])('ignores a handler that %s after its job was given back', async (_name, run) => {
      const { worker, open } = await blocked(0, run);
      await worker.stop();
      const current = await store.claimOne();
      open();
      await store.queue.renew([{ ...current, alone: false }], 60_000);
      expect(await store.job('blocked')).toMatchObject({ status: 'PENDING', attemptsDone: 0 });
      const outcome = { type: 'done', result: { json: '1', bytes: null } } as const;
      expect(await store.queue.settle([{ ...current, outcome }])).toEqual(['written']);
    });

    it('does not count an attempt of a handler that obeys its signal', async () => {
      await enqueue('obedient');
      let started = false;
      const handler: HandlerFn = (_job, { signal }) => {
        started = true;
        return new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error));
        });
      };
      const worker = await store.work({ [KIND]: handler }, { shutdownTimeoutMs: 30 });
      await until(() => started);
      await worker.stop();
      const job = await store.claimOne();
      expect(job).toMatchObject({ id: 'obedient', attemptsDone: 0 });
      expect(job.lastError).toBeUndefined();
    });

    it('gives back the jobs that it has claimed ahead', async () => {
      const jobs = Array.from({ length: 400 }, () => ({ kind: KIND }));
      await store.client.enqueueMany(jobs);
      const { open, opened } = gate();
      let runs = 0;
      const handler = () => (++runs > 150 ? opened : undefined);
      const worker = await store.work({ [KIND]: handler }, { shutdownTimeoutMs: 20, concurrency: 4 });
      await until(() => runs >= 154);
      await worker.stop();
      const ready = await store.queue.claim([KIND], 999, LONG);
      expect(ready).toHaveLength(250);
      expect(ready.every(({ attemptsDone, crashes }) => attemptsDone === 0 && crashes === 0)).toBe(true);
      open(undefined);
    });

    it('has given back everything when stop resolves, even if that takes longer than shutdownTimeoutMs', async () => {
      const slowly = () => new Promise((resolve) => setTimeout(resolve, 200));
      let claims = 0;
      const queue = withMethods(store.queue, {
        claim: async (...claim) => {
          const jobs = await store.queue.claim(...claim);
          if (jobs.length > 0 && ++claims > 1) await slowly();
          return jobs;
        },
        release: async (leases) => {
          await slowly();
          return store.queue.release(leases);
        },
      });
      await store.client.enqueueMany(Array.from({ length: 40 }, () => ({ kind: KIND })));
      const { open, opened } = gate();
      let runs = 0;
      const handler = () => (++runs > 10 ? opened : undefined);
      const settings = { shutdownTimeoutMs: 0, concurrency: 4 };
      const worker = await store.work({ [KIND]: handler }, settings, queue);
      await until(() => claims >= 2);
      await worker.stop();
      const isLocked = (await store.queue.claim([KIND], 99, LONG)).length;
      expect(isLocked).toBeGreaterThanOrEqual(40 - runs);
      open(undefined);
    });

    it('gives back a job whose claim was still in progress', async () => {
      const claiming = gate();
      const { open, opened } = gate();
      const queue = withMethods(store.queue, {
        claim: async (...claim) => {
          const jobs = await store.queue.claim(...claim);
          claiming.open(undefined);
          await opened;
          return jobs;
        },
      });
      await enqueue('in flight');
      let runs = 0;
      const worker = await store.work({ [KIND]: () => (runs += 1) }, {}, queue);
      await claiming.opened;
      const stopped = worker.stop();
      open(undefined);
      await stopped;
      expect(runs).toBe(0);
      expect(await store.claimOne()).toMatchObject({ id: 'in flight', attemptsDone: 0 });
    });

    it('does not start a job that it has given back while the job was being marked to run alone', async () => {
      await enqueue('suspect');
      for (let crash = 1; crash <= 2; crash++) {
        await store.claimOne(SHORT);
        await store.reclaimed(1);
      }
      const [marking, releasing] = [gate(), gate()];
      const { open, opened } = gate();
      const queue = withMethods(store.queue, {
        renew: async (...renewal) => {
          const answers = await store.queue.renew(...renewal);
          marking.open(undefined);
          await opened;
          return answers;
        },
        release: async (leases) => {
          await store.queue.release(leases);
          releasing.open(undefined);
        },
      });
      let runs = 0;
      const worker = await store.work({ [KIND]: () => (runs += 1) }, {}, queue);
      await marking.opened;
      const stopped = worker.stop();
      await releasing.opened;
      open(undefined);
      await stopped;
      expect(runs).toBe(0);
      expect(await store.claimOne()).toMatchObject({ id: 'suspect', attemptsDone: 2 });
    });

    it('does not begin to listen if its first claim was still in progress', async () => {
      const claim = gate();
      let listeners = 0;
      const queue = withMethods(store.queue, {
        claim: () => claim.opened.then(() => []),
        watch: () => {
          listeners += 1;
          return () => void (listeners -= 1);
        },
      });
      const worker = await store.work({ [KIND]: () => undefined }, {}, queue);
      const stopped = worker.stop();
      claim.open(undefined);
      await stopped;
      expect(listeners).toBe(0);
    });

    it('keeps the leases of the handlers that it waits for', async () => {
      const leaseMs = 2_500;
      await enqueue('slow');
      let started = 0;
      const handler: HandlerFn = async (_job, { signal }) => {
        started = performance.now();
        await until(async () => {
          expect(await store.queue.reclaim(3)).toEqual([]);
          return performance.now() - started > 1.2 * leaseMs;
        });
        return signal.aborted;
      };
      const worker = await store.work({ [KIND]: handler }, { leaseMs, heartbeatMs: 100 });
      await until(() => started > 0);
      await worker.stop();
      expect(await store.job('slow')).toMatchObject({ status: 'DONE', result: false });
    });

    it('may be stopped twice, stopped before its start, and started again', async () => {
      const worker = await store.work({ [KIND]: () => 'fine' });
      await Promise.all([worker.stop(), worker.stop()]);
      await worker.stop();
      await enqueue('after');
      await worker.start();
      await worker.start();
      expect(await store.ended('after')).toMatchObject({ status: 'DONE', attemptsDone: 1 });
    });
  });

  describe('8. Result and state are saved even if shutdown has begun', () => {
    it('if writing fails at first', async () => {
      let failures = 2;
      const queue = withMethods(store.queue, {
        settle: (settlements) => {
          if (failures-- > 0) return Promise.reject(new Error('connection lost'));
          return store.queue.settle(settlements);
        },
      });
      const { worker, open } = await blocked(10_000, () => 'saved', queue);
      const stopped = worker.stop();
      open();
      await stopped;
      expect(await store.job('blocked')).toMatchObject({ status: 'DONE', result: 'saved' });
    });

    it('if the handler has ended and its outcome is on its way when the time is over', async () => {
      const settling = gate();
      const { open: letSettle, opened } = gate();
      const queue = withMethods(store.queue, {
        settle: async (settlements) => {
          settling.open(undefined);
          await opened;
          return store.queue.settle(settlements);
        },
      });
      const { worker, open } = await blocked(30, () => 'saved', queue);
      open();
      await settling.opened;
      const stopped = worker.stop();
      await until(() => store.queue.get('blocked').then((job) => job?.status === 'PENDING'));
      setTimeout(() => letSettle(undefined), 100);
      await stopped;
      expect(await store.job('blocked')).toMatchObject({ status: 'DONE', result: 'saved', attemptsDone: 1 });
    });

    it('for a retry as well as for a failure', async () => {
      const { worker, open } = await blocked(10_000, () => {
        throw new Error('at the end');
      });
      const stopped = worker.stop();
      open();
      await stopped;
      expect(await store.job('blocked')).toMatchObject({ status: 'FAILED', attemptsDone: 1 });
    });
  });
}
