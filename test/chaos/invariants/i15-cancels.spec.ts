import { beforeEach, describe, expect, it } from '@jest/globals';
import { HistoryBuilder, ONE, OTHER } from './history-builder.js';

/** Each test puts one error into a history, and the checker must name it. A correct history must pass. */
describe('The checker of the chaos suite, on jobs that are cancelled and retried', () => {
  let history: HistoryBuilder;

  beforeEach(() => {
    // Enough correct jobs for the run to count.
    history = new HistoryBuilder();
    for (const id of ['x', 'y', 'z']) history.enqueue(id).run(id, ONE);
  });

  /** A job runs that was enqueued just now. */
  const running = (id: string) => history.enqueue(id).claim(id, ONE).start(id, ONE).pass(100);
  const endAs = (id: string, status: 'DONE' | 'CANCELLED' | 'FAILED' | 'PENDING') =>
    history.pass(50).end(id, ONE).send(id, ONE).settle(id, { status });

  describe('I15, a cancelled job has one end and says which, accepts', () => {
    it('jobs that are cancelled while they wait, while they run, and too late', () => {
      history.enqueue('a').pass(10).cancel('a');
      running('b').cancel('b');
      endAs('b', 'CANCELLED');
      running('c').cancel('c');
      endAs('c', 'DONE').pass(10).control('c', 'cancel', 'nothing');
      expect(history.violations).toEqual([]);
    });

    it('a job that is retried after it was cancelled, and one that failed', () => {
      history.enqueue('a').pass(10).cancel('a').pass(10).retry('a').run('a', ONE);
      history.enqueue('b', { kind: 'failing' }).claim('b', ONE).start('b', ONE);
      endAs('b', 'FAILED').pass(10).retry('b').claim('b', ONE).start('b', ONE);
      endAs('b', 'FAILED');
      expect(history.violations).toEqual([]);
    });

    it('a job whose worker died when it was to stop, and one that was given back', () => {
      history.enqueue('b').claim('b', ONE).pass(10).cancel('b').pass(10);
      history.change('b', { status: 'CANCELLED', worker: null, until: null });
      running('a').cancel('a').exit(ONE, { signal: 'SIGKILL', wanted: true }).pass(2_500);
      history.change('a', { status: 'CANCELLED', attempts: 1, worker: null, until: null });
      expect(history.violations).toEqual([]);
    });

    it('crashes that were counted before a retry', () => {
      running('a').exit(ONE, { signal: 'SIGKILL', wanted: true }).pass(2_500).reclaim('a');
      history.pass(10).cancel('a').pass(10).retry('a').pass(10).run('a', OTHER);
      expect(history.violations).toEqual([]);
    });
  });

  describe('I15, a cancelled job has one end and says which, names', () => {
    it('a job that was cancelled while it waited, and runs all the same', () => {
      history.enqueue('a').pass(10).cancel('a').pass(10).run('a', ONE);
      expect(history.violations).toEqual(
        expect.arrayContaining([
          'I15 a: was cancelled, and then started under lease 1',
          'I15 a: was cancelled, and ended as DONE',
        ]),
      );
    });

    it.each(['FAILED', 'PENDING'] as const)('a job that was to stop, and ended as %s', (status) => {
      running('a').cancel('a');
      endAs('a', status);
      expect(history.violations).toEqual(
        expect.arrayContaining([
          `I15 a: was asked to stop, and its lease 1 ended as ${status}`,
          `I15 a: was to stop, and ended as ${status}`,
        ]),
      );
    });

    it('a job that was to stop, and was started again', () => {
      running('a').cancel('a');
      endAs('a', 'PENDING').change('a', { isStopping: false }).pass(10).run('a', OTHER);
      expect(history.violations).toContain('I15 a: was to stop under lease 1, and started under lease 2');
    });

    it('a job that was to stop and was given back to run again, though no call had an answer', () => {
      running('a').cancel('a', 'unknown').pass(50).end('a', ONE).release('a');
      history.change('a', { isStopping: false }).run('a', OTHER);
      expect(history.violations).toContain('I15 a: was asked to stop, and its lease 1 ended as PENDING');
    });

    it.each([
      ['cancelled', 'was answered to be cancelled, and no change says so'],
      ['stopping', 'was answered to be stopping, and no change says so'],
      ['nothing', 'was to be cancelled, and was answered to have ended, which it had not'],
    ] as const)('the answer "%s" that the row does not bear out', (how, message) => {
      history.enqueue('a').pass(1_500).control('a', 'cancel', how).pass(10).run('a', ONE);
      expect(history.violations).toEqual([`I15 a: ${message}`]);
    });

    it('a retry that did not make its job ready', () => {
      history.enqueue('a').pass(10).cancel('a').pass(100).control('a', 'retry', 'retried');
      expect(history.violations).toEqual(['I15 a: was retried, and no change made it ready']);
    });
  });

  describe('other invariants name', () => {
    it('I1: a job that is cancelled, and nobody had asked for that', () => {
      running('a');
      endAs('a', 'CANCELLED');
      expect(history.violations).toEqual([expect.stringMatching(/^I1 a: fast \(0 ms\) ended as CANCELLED/)]);
    });

    it('I3: a job that became ready twice by one retry', () => {
      history.enqueue('a').pass(10).cancel('a').pass(10).retry('a').pass(10).cancel('a').pass(1);
      history.change('a', { status: 'PENDING', isStopping: false }).pass(10).run('a', ONE);
      expect(history.violations).toContain('I3 a: was CANCELLED, and then changed to PENDING (lease 0)');
    });

    it('I3: a job that had succeeded and was made ready by a retry', () => {
      history.enqueue('a').run('a', ONE).pass(10).retry('a').pass(10).run('a', ONE);
      expect(history.violations).toContain('I3 a: was DONE, and then changed to PENDING (lease 1)');
    });

    it('I5: a lease that was ended for a job to stop, before it had run out', () => {
      running('a').cancel('a').pass(10);
      history.change('a', { status: 'CANCELLED', attempts: 1, worker: null, until: null });
      expect(history.violations).toContainEqual(
        expect.stringMatching(/^I5 a: lease 1 was taken back \d+ ms before its end$/),
      );
    });
  });
});
