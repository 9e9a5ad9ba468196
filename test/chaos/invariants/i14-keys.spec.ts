import { beforeEach, describe, expect, it } from '@jest/globals';
import type { UniquePlan } from '../unique-keys.js';
import { HistoryBuilder, ONE, OTHER } from './history-builder.js';

const WAITING: UniquePlan = { key: 'k', while: 'waiting', onConflict: 'join' };
const UNSETTLED: UniquePlan = { key: 'k', while: 'unsettled', onConflict: 'join' };
const REPLACE = { onConflict: 'replace' } as const;

/** Each test puts one error into a history, and the checker must name it. A correct history must pass. */
describe('The checker of the chaos suite, on unique keys', () => {
  let history: HistoryBuilder;

  beforeEach(() => {
    // Enough correct jobs for the run to count.
    history = new HistoryBuilder();
    for (const id of ['x', 'y', 'z']) history.enqueue(id).run(id, ONE);
  });

  describe('I14, a key that is held has one job, and no trigger is lost, accepts', () => {
    it('enqueues that join a job that waits, and one that follows it while it runs', () => {
      history.enqueueUnique('a', WAITING).pass(10).enqueueUnique('b', WAITING, { id: 'a' }).pass(10);
      history.claim('a', ONE).start('a', ONE).pass(1_500).enqueueUnique('c', WAITING);
      history.end('a', ONE).send('a', ONE).settle('a').run('c', OTHER);
      expect(history.violations).toEqual([]);
    });

    it('a job that waits again beside the one that was made while it had been claimed', () => {
      history.enqueueUnique('a', WAITING).claim('a', ONE).pass(1_500).enqueueUnique('b', WAITING);
      history.release('a').run('a', OTHER).run('b', OTHER);
      expect(history.violations).toEqual([]);
    });

    it('an enqueue that joins a job that runs and is unsettled, and one that comes after it', () => {
      history.enqueueUnique('a', UNSETTLED).claim('a', ONE).start('a', ONE).pass(100);
      history.enqueueUnique('b', UNSETTLED, { id: 'a' }).pass(1_500);
      history.end('a', ONE).send('a', ONE).settle('a').pass(10).enqueueUnique('c', UNSETTLED).run('c', ONE);
      expect(history.violations).toEqual([]);
    });

    it('an enqueue that was to replace a job that runs, and follows it', () => {
      history.enqueueUnique('a', UNSETTLED).claim('a', ONE).start('a', ONE).pass(100);
      history.enqueueUnique('b', { ...UNSETTLED, ...REPLACE }).pass(10);
      history.end('a', ONE).send('a', ONE).settle('a').run('b', ONE);
      expect(history.violations).toEqual([]);
    });

    it('a job that is retried when the one after it has ended, and when its retry was refused before', () => {
      history.enqueueUnique('a', UNSETTLED).pass(1_100).cancel('a').pass(10).enqueueUnique('b', UNSETTLED);
      history.pass(1_100).control('a', 'retry', 'refused').run('b', ONE).pass(1_100).retry('a').pass(10);
      history.enqueueUnique('c', UNSETTLED, { id: 'a' }).run('a', ONE);
      expect(history.violations).toEqual([]);
    });

    it('two jobs of two keys', () => {
      history.enqueueUnique('a', WAITING).enqueueUnique('b', { ...WAITING, key: 'K' });
      history.run('a', ONE).run('b', ONE);
      expect(history.violations).toEqual([]);
    });

    it('a job with a key that is missing from a list, and from a transaction, whose other jobs are there', () => {
      history.enqueueUnique('a', WAITING).pass(10);
      history.say(['b'], {
        how: 'ok',
        shape: 'transaction',
        unique: WAITING,
        jobs: [{ id: 'a', enqueued: 'joined' }],
      });
      history.business.push('b');
      history.run('a', ONE);
      expect(history.violations).toEqual([]);
    });
  });

  describe('I14, a key that is held has one job, and no trigger is lost, names', () => {
    it('a second job that waits', () => {
      history.enqueueUnique('a', WAITING).pass(100).enqueueUnique('b', WAITING).pass(10);
      history.run('a', ONE).run('b', ONE);
      expect(history.violations).toEqual(['I14 b: took the key k (waiting) while a held it']);
    });

    it('a second job that is unsettled, while the first one runs', () => {
      history.enqueueUnique('a', UNSETTLED).claim('a', ONE).start('a', ONE).pass(100);
      history.enqueueUnique('b', UNSETTLED).pass(10).end('a', ONE).send('a', ONE).settle('a').run('b', ONE);
      expect(history.violations).toEqual(['I14 b: took the key k (unsettled) while a held it']);
    });

    it('a second job where the first one waits and was to be replaced', () => {
      history.enqueueUnique('a', UNSETTLED).pass(100);
      history.enqueueUnique('b', { ...UNSETTLED, ...REPLACE }).pass(10);
      history.run('a', ONE).run('b', ONE);
      expect(history.violations).toEqual(['I14 b: took the key k (unsettled) while a held it']);
    });

    it('a job that is retried while another one has its key', () => {
      history.enqueueUnique('a', UNSETTLED).pass(1_100).cancel('a').pass(10).enqueueUnique('b', UNSETTLED);
      history.pass(1_100).retry('a').pass(10).run('a', ONE).run('b', ONE);
      expect(history.violations).toEqual(['I14 a: took the key k (unsettled) while b held it']);
    });

    it('a job that is made ready although the retry was refused', () => {
      history.enqueueUnique('a', UNSETTLED).pass(10).cancel('a').pass(1_100).control('a', 'retry', 'refused');
      history.change('a', { status: 'PENDING', isStopping: false }).pass(10).run('a', ONE);
      expect(history.violations).toContain('I3 a: was CANCELLED, and then changed to PENDING (lease 0)');
    });

    it('a trigger after which its job was not started', () => {
      history.enqueueUnique('a', WAITING).run('a', ONE).pass(100).enqueueUnique('b', WAITING, { id: 'a' });
      expect(history.violations).toEqual([
        'I14 a: call call 4 (one, joined, waiting): was not started after the commit',
      ]);
    });

    it('a job that started before the commit of a transaction that had joined it', () => {
      history.enqueueUnique('a', WAITING).pass(10);
      history.enqueueUnique('b', WAITING, { id: 'a' }, { committingAt: history.time + 500 }).run('a', ONE);
      expect(history.violations).toEqual([
        'I14 a: call call 4 (one, joined, waiting): was not started after the commit',
      ]);
    });

    it('an enqueue that joined a job that had ended', () => {
      history
        .enqueueUnique('a', UNSETTLED)
        .run('a', ONE)
        .pass(1_100)
        .enqueueUnique('b', UNSETTLED, { id: 'a' });
      expect(history.violations).toEqual([
        'I14 a: call call 4 (one, joined, unsettled): had ended before the call',
      ]);
    });

    it('an enqueue that joined a job of another key', () => {
      history
        .enqueueUnique('a', WAITING)
        .enqueueUnique('b', { ...WAITING, key: 'K' }, { id: 'a' })
        .run('a', ONE);
      expect(history.violations).toEqual([
        'I14 a: call call 4 (one, joined, waiting): was the answer (joined) to b, and does not have its key',
      ]);
    });

    it('a job that runs with what had been replaced', () => {
      const replaced = { id: 'a', enqueued: 'replaced' };
      history
        .enqueueUnique('a', WAITING)
        .pass(10)
        .enqueueUnique('b', { ...WAITING, ...REPLACE }, replaced);
      history.pass(10).run('a', ONE, 'call 3');
      expect(history.violations).toEqual([
        'I14 a: call call 4 (one, replaced, waiting): was started with what call call 3 had said before',
      ]);
    });

    it('a job that runs with what was rolled back', () => {
      history.enqueueUnique('a', WAITING).pass(10);
      history.say(['b'], { how: 'failed', shape: 'rolled back', unique: { ...WAITING, ...REPLACE } });
      history.run('a', ONE, 'call 4');
      expect(history.violations).toEqual([
        'I14 a: was started with what call call 4 had said, which was rolled back',
      ]);
    });

    it('a job that was acknowledged as joined, and is lost', () => {
      history.say(['a'], { how: 'unknown', unique: WAITING }).enqueueUnique('b', WAITING, { id: 'a' });
      expect(history.violations).toEqual(['I1 a: was acknowledged and is lost']);
    });

    it('a list whose job with a key is there, and whose other job is not', () => {
      history.say(['a', 'b'], { how: 'unknown', shape: 'many' });
      const [first, ...others] = history.sends.at(-1)!.jobs;
      const jobs = [{ id: 'a', plan: { ...first!.plan, unique: WAITING } }, ...others];
      history.sends[3] = { ...history.sends[3]!, jobs };
      history.insert('a').run('a', ONE);
      expect(history.violations).toEqual([
        'I2 a: call call 3 (many, 2 jobs, unknown): 1 of its jobs are there',
      ]);
    });
  });
});
