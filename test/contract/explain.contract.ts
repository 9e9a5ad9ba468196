import { describe, expect, it } from '@jest/globals';
import { JobClient } from '../../lib/client/job-client.js';
import type { JobReason } from '../../lib/client/explain-job.js';
import { JobKinds } from '../../lib/client/job-kinds.js';
import { deferred } from '../../lib/async/deferred.js';
import { defineJob } from '../../lib/job/definition.js';
import { KIND, LONG, SHORT, type Store } from '../support/store.js';
import { until } from '../support/until.js';

/** Its fields. */
type JobReasonOf<Code> = JobReason & { readonly code: Code };

/** `explain`, a support case for each code. */
export function explainContract(store: Store): void {
  describe('explain', () => {
    const codesOf = ({ reasons }: { reasons: readonly JobReason[] }) => reasons.map(({ code }) => code);

    /** A worker that serves the kind, and has said so. */
    const serve = async (run: () => unknown = () => undefined, settings: object = {}, kind = KIND) => {
      const worker = await store.work({ [kind]: run }, settings);
      await until(async () =>
        (await new JobKinds(store.queue).workers()).some(({ kinds }) => kinds.includes(kind)),
      );
      return worker;
    };

    it('"I enqueued it, and it is not there": not-found', async () => {
      const answer = await store.client.explain('nowhere');
      expect(answer).toMatchObject({ state: null, reasons: [{ code: 'not-found' }] });
    });

    it('"Why was my mail not sent?": settled, with the error', async () => {
      await store.client.enqueue(KIND, null, { id: 'a' });
      await store.work({
        [KIND]: () => {
          throw new Error('no such user');
        },
      });
      const { updatedAt } = await store.ended('a');
      const { state, reasons } = await store.client.explain('a');
      expect(state).toBe('failed');
      expect(reasons).toMatchObject([{ code: 'settled', at: updatedAt }]);
      expect(reasons[0]!.text).toContain('FAILED');
      expect(reasons[0]!.text).toContain('Error: no such user');
    });

    it('"It was cancelled, but why?": settled, with the reason', async () => {
      await store.client.enqueue(KIND, null, { id: 'a' });
      await store.client.cancel('a', { reason: 'The order was cancelled.' });
      const { reasons } = await store.client.explain('a');
      expect(reasons).toMatchObject([{ code: 'settled', reason: 'The order was cancelled.' }]);
      expect(reasons[0]!.text).toContain('CANCELLED');
    });

    it('"It takes for ever": running, by whom and as which attempt', async () => {
      await store.client.enqueue(KIND, null, { id: 'a' });
      const { lockedUntil } = await store.claimOne(LONG);
      const { state, reasons } = await store.client.explain('a');
      expect(state).toBe('running');
      expect(reasons).toMatchObject([{ code: 'running', workerId: 'tester', attempt: 1 }]);
      const [reason] = reasons as [JobReasonOf<'running'>];
      expect(Math.abs(reason.until.getTime() - lockedUntil.getTime())).toBeLessThan(1_000);
    });

    it('"I cancelled it, and it still runs": stopping', async () => {
      await store.client.enqueue(KIND, null, { id: 'a' });
      await store.claimOne(LONG);
      await store.client.cancel('a');
      expect(await store.client.explain('a')).toMatchObject({
        state: 'stopping',
        reasons: [{ code: 'stopping', workerId: 'tester' }],
      });
    });

    it('"It says running, but that machine is gone": workers-dead', async () => {
      await store.client.enqueue(KIND, null, { id: 'a' });
      await store.claimOne(SHORT);
      await until(async () => codesOf(await store.client.explain('a'))[0] === 'workers-dead');
      const { reasons } = await store.client.explain('a');
      expect(reasons).toMatchObject([{ code: 'workers-dead', workerId: 'tester' }]);
      expect(reasons[0]!.text).toContain('No worker is live');
    });

    it('"It does not start": scheduled, and until when', async () => {
      const runAt = new Date(Date.now() + 3_600_000);
      await store.client.enqueue(KIND, null, { id: 'a', runAt });
      await serve();
      const { state, reasons } = await store.client.explain('a');
      expect(state).toBe('scheduled');
      expect(reasons).toMatchObject([{ code: 'scheduled', runAt }]);
      const [{ inMs }] = reasons as [JobReasonOf<'scheduled'>];
      expect(inMs).toBeGreaterThan(3_000_000);
      expect(inMs).toBeLessThanOrEqual(3_660_000);
    });

    it('"It failed, and nothing happens": backoff, with the error and until when', async () => {
      const backoff = { type: 'fixed', delayMs: 3_600_000 } as const;
      await store.client.enqueue(KIND, null, { id: 'a', maxAttempts: 3, backoff });
      await serve(() => {
        throw new Error('timeout');
      });
      await store.attempted('a');
      const { state, reasons } = await store.client.explain('a');
      expect(state).toBe('retrying');
      expect(codesOf({ reasons })).toEqual(['backoff']);
      expect(reasons[0]!.text).toContain('Attempt 1 has failed');
      expect(reasons[0]!.text).toContain('Error: timeout');
    });

    it.each([KIND, '*'])(
      '"Workers are up, and it does not start": paused, with the reason: %s',
      async (kind) => {
        const kinds = new JobKinds(store.queue);
        await kinds.pause('another kind');
        await kinds.pause(kind, { reason: 'The mail server is down.' });
        await serve();
        await store.client.enqueue(KIND, null, { id: 'a' });
        const { state, reasons } = await store.client.explain('a');
        expect(state).toBe('ready');
        expect(reasons).toMatchObject([
          { code: 'paused', pause: { kind, reason: 'The mail server is down.', until: null } },
        ]);
        expect(reasons[0]!.text).toContain(
          kind === '*' ? 'All kinds are paused' : `The kind ${KIND} is paused`,
        );
      },
    );

    it('"Nothing is done at all": no-worker, because none is live', async () => {
      await store.client.enqueue(KIND, null, { id: 'a' });
      const { reasons } = await store.client.explain('a');
      expect(reasons).toMatchObject([{ code: 'no-worker', liveWorkers: 0 }]);
    });

    it('"All jobs are done but these": no-worker, because none serves the kind', async () => {
      await serve(() => undefined, {}, 'other');
      await store.client.enqueue(KIND, null, { id: 'a' });
      const { reasons } = await store.client.explain('a');
      expect(reasons).toMatchObject([{ code: 'no-worker', liveWorkers: 1 }]);
      expect(reasons[0]!.text).toContain(`none of them serves the kind ${KIND}`);
    });

    it('"Since the deployment some wait": newer-version', async () => {
      await store.client.enqueue(defineJob(KIND, { version: 3 }), null, { id: 'a' });
      const older = new JobClient(store.queue, { definitionOf: () => defineJob(KIND, { version: 2 }) });
      const { reasons } = await older.explain('a');
      expect(reasons).toContainEqual(
        expect.objectContaining({ code: 'newer-version', version: 3, known: 2 }),
      );
      expect(codesOf(await store.client.explain('a'))).not.toContain('newer-version');
    });

    it('"It killed its worker, and now it waits": alone', async () => {
      await store.client.enqueue(KIND, null, { id: 'a' });
      await store.claimOne(SHORT);
      await store.reclaimed(1);
      const { reasons } = await store.client.explain('a');
      expect(reasons).toContainEqual(expect.objectContaining({ code: 'alone', crashes: 1 }));
    });

    it('"Everything is fine, and mine does not start": behind, with how much is before it', async () => {
      const end = deferred<undefined>();
      await store.client.enqueueMany([{ kind: KIND, id: 'first', priority: -1 }]);
      await serve(() => end.promise, { concurrency: 1 });
      await store.once('first', ({ state }) => state === 'running');
      await store.client.enqueueMany([
        { kind: KIND, id: 'a' },
        { kind: KIND, id: 'b' },
      ]);
      const { state, reasons } = await store.client.explain('b');
      end.resolve(undefined);
      expect(state).toBe('ready');
      expect(reasons).toMatchObject([{ code: 'behind', ready: 2, concurrency: 1 }]);
    });
  });
}
