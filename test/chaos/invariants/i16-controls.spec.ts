import { beforeEach, describe, expect, it } from '@jest/globals';
import { HistoryBuilder, ONE, OTHER } from './history-builder.js';

describe('The checker of the chaos suite, on updates, pauses and histories', () => {
  let history: HistoryBuilder;

  beforeEach(() => {
    // Enough correct jobs for the run to count.
    history = new HistoryBuilder();
    for (const id of ['x', 'y', 'z']) history.enqueue(id).run(id, ONE);
  });

  /** An attempt that is claimed, runs and succeeds. @param change what its handler sees */
  const run = (id: string, change?: string) =>
    history
      .pass(200)
      .claim(id, ONE)
      .start(id, ONE, undefined, undefined, change)
      .pass(200)
      .end(id, ONE)
      .send(id, ONE)
      .settle(id);

  describe('I16, updates are seen whole, accepts', () => {
    it('an update that is seen, one that is refused, and one without an answer', () => {
      history.enqueue('a').pass(10);
      run('a', history.update('a'));
      history.enqueue('b').claim('b', ONE).start('b', ONE).pass(100);
      history.update('b', 'not waiting');
      history.pass(100).end('b', ONE).send('b', ONE).settle('b');
      history.enqueue('c').pass(10).update('c', 'unknown');
      run('c');
      expect(history.violations).toEqual([]);
    });

    it('the later one of two', () => {
      history.enqueue('a').pass(10).update('a');
      const later = history.pass(100).update('a');
      run('a', later);
      expect(history.violations).toEqual([]);
    });
  });

  describe('I16, updates are seen whole, names', () => {
    it('an update that is not seen', () => {
      history.enqueue('a').pass(10).update('a');
      run('a');
      expect(history.violations).toEqual([
        'I16 a: was updated by control 0, and the attempt of lease 1 did not see it',
      ]);
    });

    it('the earlier one of two that is seen', () => {
      const earlier = history.enqueue('a').pass(10).update('a');
      history.pass(100).update('a');
      run('a', earlier);
      expect(history.violations).toEqual([
        'I16 a: was updated by control 1, and the attempt of lease 1 did not see it',
      ]);
    });

    it('an update that was refused and is seen', () => {
      run('a', history.enqueue('a').pass(10).update('a', 'not waiting'));
      expect(history.violations).toEqual(['I16 a: saw control 0, which was refused, under lease 1']);
    });

    it('an update of a job that ran', () => {
      history.enqueue('a').claim('a', ONE).start('a', ONE).pass(200).update('a');
      history.pass(200).end('a', ONE).send('a', ONE).settle('a');
      expect(history.violations).toEqual(['I16 a: was updated by control 0 while it was held under lease 1']);
    });

    it('an update that was seen before it was sent', () => {
      history.enqueue('a').claim('a', ONE).pass(200);
      const change = history.update('a', 'unknown');
      history.start('a', ONE, undefined, undefined, change).end('a', ONE).send('a', ONE).settle('a');
      expect(history.violations).toEqual([
        'I16 a: saw control 0 under lease 1, which was claimed before that was sent',
      ]);
    });

    it('what no call has written', () => {
      history.enqueue('a').update('a', 'unknown');
      run('a', 'of nobody');
      expect(history.violations).toEqual(['I16 a: saw of nobody, which nobody sent, under lease 1']);
    });
  });

  describe('I17, nothing starts under a pause, names', () => {
    it('a job that starts under a pause of its kind, and none of another kind or time', () => {
      history.enqueue('a').run('a', ONE).pass(100).pause('fast', 1_000).pass(300);
      history.enqueue('b', { kind: 'failing' }).claim('b', ONE).start('b', ONE);
      history.end('b', ONE).send('b', ONE).settle('b', { status: 'FAILED' });
      history.enqueue('c').run('c', OTHER).pass(2_000).enqueue('d').run('d', ONE);
      expect(history.violations).toEqual([
        `I17 c: started at ${OTHER} 300 ms after all had obeyed the pause`,
      ]);
    });

    it('a run in which no pause was obeyed', () => {
      history.pauses.length = 0;
      expect(history.violations).toEqual([
        'I17 no pause was obeyed by all workers: such a run shows nothing',
      ]);
    });
  });

  describe('I18, histories have all attempts, names', () => {
    it.each([
      ['that lacks one', [1]],
      ['that has one too many', [1, 2, 3]],
      ['that has one twice', [1, 1]],
    ])('a history %s', (_, attempts) => {
      history.enqueue('a', { kind: 'failing' }).claim('a', ONE).start('a', ONE).pass(10).end('a', ONE);
      history.send('a', ONE).settle('a', { status: 'PENDING' }).pass(10).claim('a', ONE).start('a', ONE);
      history.pass(10).end('a', ONE).send('a', ONE).settle('a', { status: 'FAILED' });
      history.rows.set('a', { ...history.rows.get('a')!, history: attempts });
      expect(history.violations).toContain(
        `I18 a: is FAILED after 2 attempts, and its history has [${attempts.join(', ')}] of them`,
      );
    });
  });
});
