import { beforeEach, describe, expect, it } from '@jest/globals';
import { ONE, OTHER, Story } from './story.js';

/** Each test tells the checker one lie, and the checker must name it; what is right must pass. */
describe('The checker of the chaos suite', () => {
  let story: Story;

  beforeEach(() => {
    // Enough that is right for a run to count.
    story = new Story();
    for (const id of ['x', 'y', 'z']) story.enqueue(id).run(id, ONE);
  });

  /** A worker is killed under a job. */
  const killedUnder = (id: string) =>
    story
      .claim(id, ONE)
      .start(id, ONE)
      .pass(100)
      .exit(ONE, { signal: 'SIGKILL', wanted: true })
      .pass(2_500)
      .reclaim(id);

  it('accepts a history in which everything is as it should be', () => {
    story.enqueue('a', { kind: 'retrying', failures: 1 });
    story.claim('a', ONE).start('a', ONE).pass(800).renew('a').end('a', ONE).send('a', ONE);
    story.settle('a', { status: 'PENDING' }).pass(200).run('a', OTHER);
    story.enqueue('b').claim('b', ONE).release('b').run('b', OTHER);
    story.enqueue('c');
    killedUnder('c').run('c', OTHER);
    story.say(['d', 'e'], { how: 'unknown', shape: 'many' });
    expect(story.violations).toEqual([]);
  });

  describe('I1, every acknowledged job is terminal, names', () => {
    it('a job that is lost', () => {
      story.say(['a'], { how: 'ok' });
      expect(story.violations).toEqual(['I1 a: was acknowledged and is lost']);
    });

    it('a job that is still pending', () => {
      story.enqueue('a');
      expect(story.violations).toEqual(['I1 a: was acknowledged and is still PENDING']);
    });

    it('a job whose second enqueue met a duplicate, and that is lost nevertheless', () => {
      story.say(['a'], { how: 'unknown' }).say(['a'], { how: 'duplicate', again: 'call 3' });
      expect(story.violations).toEqual(['I1 a: was acknowledged and is lost']);
    });

    it('a status that the job cannot end in', () => {
      story
        .enqueue('a')
        .claim('a', ONE)
        .start('a', ONE)
        .end('a', ONE)
        .send('a', ONE)
        .settle('a', { status: 'FAILED' });
      expect(story.violations).toEqual([expect.stringMatching(/^I1 a: fast \(0 ms\) ended as FAILED/)]);
    });

    it('a run of which hardly anything was acknowledged', () => {
      const silent = new Story().say(['a', 'b'], { how: 'unknown', shape: 'many' });
      expect(silent.violations).toEqual(['I1 0 of 2 jobs were acknowledged: such a run shows nothing']);
    });
  });

  describe('I2, every row was enqueued once, names', () => {
    it('a row that nobody enqueued', () => {
      story.insert('ghost').run('ghost', ONE);
      expect(story.violations).toContain('I2 ghost: is there and was never enqueued');
    });

    it('a row that was inserted twice', () => {
      story.enqueue('a').insert('a').run('a', ONE);
      expect(story.violations).toContain('I2 a: was inserted 2 times');
    });

    it('half of a call', () => {
      story.say(['a', 'b'], { how: 'unknown', shape: 'many' }).insert('a').run('a', ONE);
      expect(story.violations).toEqual([
        'I2 a: call call 3 (many, 2 jobs, unknown): 1 of its jobs are there',
      ]);
    });

    it('a job that was refused and is there', () => {
      story.say(['a'], { how: 'failed' }).insert('a').run('a', ONE);
      expect(story.violations).toEqual(['I2 a: call call 3 (one, 1 jobs, failed): failed, and is there']);
    });

    it('a duplicate where nobody had used the id', () => {
      story.say(['a'], { how: 'duplicate' });
      expect(story.violations).toEqual([expect.stringContaining('and nobody had used them')]);
    });

    it('a job that is there without the row of its transaction', () => {
      story.enqueue('a', { shape: 'transaction' }).run('a', ONE);
      expect(story.violations).toEqual([
        expect.stringContaining("the application's row is not there, the job is"),
      ]);
    });

    it('a job of a transaction that was rolled back', () => {
      story.say(['a'], { how: 'failed', shape: 'rolled back' }).insert('a').run('a', ONE);
      expect(story.violations).toContain('I2 a: call call 3 (rolled back, 1 jobs, failed): is there');
    });
  });

  describe('I3, one terminal transition that is never left, names', () => {
    it('a job that was settled twice', () => {
      story.enqueue('a').run('a', ONE).run('a', ONE);
      expect(story.violations).toContain('I3 a: was DONE, and then changed to DONE (lease 2)');
    });

    it('a settled job that became pending again', () => {
      story.enqueue('a').run('a', ONE).change('a', { status: 'PENDING' }).run('a', ONE);
      expect(story.violations).toContain('I3 a: was DONE, and then changed to PENDING (lease 1)');
    });
  });

  describe('I4, lease tokens rise and settles have the current one, names', () => {
    it('a claim that did not raise the token', () => {
      story
        .enqueue('a')
        .claim('a', ONE)
        .release('a')
        .claim('a', ONE, { token: 1 })
        .send('a', ONE, 1)
        .settle('a');
      expect(story.violations).toContain('I4 a: the lease token went from 1 to 1');
    });

    it('a settle by somebody whose lease had been taken back', () => {
      story
        .enqueue('a')
        .claim('a', ONE)
        .start('a', ONE)
        .fault('stop', ['w1'], 6_000)
        .pass(2_500)
        .reclaim('a');
      story.claim('a', OTHER).start('a', OTHER).pass(100).end('a', ONE, 1).send('a', ONE, 1).settle('a');
      expect(story.violations).toEqual([
        `I4 a: lease 2 of ${OTHER} was settled as DONE, and its holder had sent nothing`,
      ]);
    });
  });

  describe('I5, attempts overlap only where the lease had run out, names', () => {
    it('a lease that was taken back before its end', () => {
      story
        .enqueue('a')
        .claim('a', ONE)
        .start('a', ONE)
        .fault('stop', ['w1'], 6_000)
        .pass(1_000)
        .reclaim('a')
        .run('a', OTHER);
      expect(story.violations).toEqual(['I5 a: lease 1 was taken back 1000 ms before its end']);
    });

    it('a lease that began while another stood', () => {
      story.enqueue('a').claim('a', ONE).release('a');
      story.audit.pop();
      story.run('a', OTHER);
      expect(story.violations).toContain('I5 a: lease 2 began while lease 1 stood');
    });

    it('a lease that passed to another worker', () => {
      story
        .enqueue('a')
        .claim('a', ONE)
        .start('a', ONE)
        .renew('a', { worker: OTHER })
        .send('a', ONE)
        .settle('a');
      expect(story.violations).toContain(`I5 a: lease 1 passed from ${ONE} to ${OTHER}`);
    });

    it('a job that was given back while its handler ran', () => {
      story
        .enqueue('a')
        .claim('a', ONE)
        .start('a', ONE)
        .pass(100)
        .release('a')
        .run('a', OTHER)
        .end('a', ONE, 1);
      expect(story.violations).toEqual(['I5 a: lease 1 was given back while its handler ran']);
    });

    it('a duplicate attempt that no fault explains', () => {
      story.enqueue('a').claim('a', ONE).start('a', ONE).pass(2_500).reclaim('a').run('a', OTHER);
      expect(story.violations).toContainEqual(
        expect.stringMatching(/^I5 a: lease 1 of .* no fault explains it$/),
      );
    });

    it('a duplicate attempt after no more than a terminated connection', () => {
      story.enqueue('a').claim('a', ONE).start('a', ONE).pass(100).fault('terminate', ['database']);
      story.pass(2_400).reclaim('a').run('a', OTHER);
      expect(story.violations).toContainEqual(
        expect.stringMatching(/^I5 a: lease 1 of .* no fault explains it$/),
      );
    });

    it.each<[string, (told: Story) => Story]>([
      ['the death of the worker', (told) => told.exit(ONE, { signal: 'SIGKILL', wanted: true })],
      ['a frozen worker', (told) => told.fault('stop', ['w1'], 5_000)],
      ['a worker cut off', (told) => told.fault('cut', ['link of w1'], 2_000)],
      ['a database that was down', (told) => told.fault('restart', ['database'], 1_500)],
      ['a locked row', (told) => told.fault('lock', [], 2_000, ['a'])],
      [
        'a blocked event loop',
        (told) => told.note({ type: 'lag', ms: 1_500, pid: 101, at: told.time + 1_500 }),
      ],
    ])('nothing where a duplicate attempt is explained by %s', (_what, hurt) => {
      hurt(story.enqueue('a').claim('a', ONE).start('a', ONE).pass(100))
        .pass(2_400)
        .reclaim('a')
        .run('a', OTHER);
      expect(story.violations).toEqual([]);
    });
  });

  describe('I6, crashes are counted, names', () => {
    it('a start under a lease that nobody claimed', () => {
      story.enqueue('a').start('a', ONE, 7).run('a', ONE);
      expect(story.violations).toContain('I6 a: was started under lease 7, which nobody claimed');
    });

    it('two starts under one lease', () => {
      story.enqueue('a').claim('a', ONE).start('a', ONE).start('a', ONE).send('a', ONE).settle('a');
      expect(story.violations).toContain('I6 a: was started twice under one lease');
    });

    it('the death of a worker that was not counted', () => {
      story
        .enqueue('a')
        .claim('a', ONE)
        .start('a', ONE)
        .exit(ONE, { signal: 'SIGKILL', wanted: true })
        .pass(2_500);
      story.reclaim('a', { crashes: 0 }).run('a', OTHER);
      expect(story.violations).toContain(
        'I6 a: lease 1 ran out and was taken back, and no crash was counted',
      );
    });

    it('a job that was convicted and had not been started', () => {
      story.enqueue('a');
      for (let crash = 1; crash <= 2; crash++) story.claim('a', ONE).pass(2_500).reclaim('a');
      story.claim('a', ONE).renew('a', { alone: true }).fault('cut', ['link of w1'], 3_000);
      story.pass(2_500).reclaim('a', { status: 'PANIC' });
      const problem = 'was convicted (link to the database) without having been started under lease 3';
      expect(story.violations).toContain(`I6 a: ${problem}`);
    });

    it('not a job whose worker was killed in the moment in which it was marked to run alone', () => {
      for (const [id, worker, ms] of [
        ['in the moment', ONE, 200],
        ['later', OTHER, 1_000],
      ] as const) {
        story.enqueue(id);
        for (let crash = 1; crash <= 2; crash++) story.claim(id, worker).pass(2_500).reclaim(id);
        story.claim(id, worker).renew(id, { alone: true }).pass(ms);
        story.exit(worker, { signal: 'SIGKILL', wanted: true }).pass(2_500).reclaim(id, { status: 'PANIC' });
      }
      const named = story.violations.filter((violation) => violation.includes('without having been started'));
      expect(named).toEqual([expect.stringContaining('I6 later: ')]);
    });

    it('a job that was convicted though another ran beside it', () => {
      story.enqueue('a').enqueue('b');
      for (let crash = 1; crash <= 2; crash++) story.claim('a', ONE).pass(2_500).reclaim('a');
      story
        .claim('b', ONE)
        .start('b', ONE)
        .claim('a', ONE)
        .start('a', ONE)
        .pass(100)
        .renew('a', { alone: true });
      story.exit(ONE, { signal: 'SIGKILL', wanted: true }).pass(2_500).reclaim('a', { status: 'PANIC' });
      story.reclaim('b').run('b', OTHER);
      expect(story.violations).toContain(
        'I6 a: was convicted (worker killed by the nemesis), and b ran beside it',
      );
    });

    it('a job that lives on after its last crash, though it ran alone', () => {
      story.enqueue('a');
      for (let crash = 1; crash <= 3; crash++) {
        story
          .claim('a', ONE)
          .renew('a', { alone: true })
          .exit(ONE, { signal: 'SIGKILL', wanted: true })
          .pass(2_500)
          .reclaim('a');
      }
      story.run('a', OTHER);
      expect(story.violations).toContain('I6 a: died alone at its crash 3 or later, and is not PANIC');
    });
  });

  describe('I7, the result is of the settling attempt, names', () => {
    it('the result of another attempt', () => {
      story.enqueue('a').run('a', ONE);
      story.rows.set('a', { ...story.rows.get('a')!, result: { token: 4, worker: OTHER } });
      expect(story.violations).toEqual([
        `I7 a: has the result of lease 4 of ${OTHER}; lease 1 of ${ONE} was settled`,
      ]);
    });

    it('an effect that is missing', () => {
      story.enqueue('a', { effect: true }).run('a', ONE);
      expect(story.violations).toEqual(['I7 a: is DONE by lease 1, whose effect is missing']);
      story.effects.push({ id: 'a', token: 1 });
      expect(story.violations).toEqual([]);
    });

    it('a result of a handler that returned nothing', () => {
      story.enqueue('a', { silent: true }).run('a', ONE);
      expect(story.violations).toEqual(['I7 a: has a result, and its handler returned nothing']);
    });

    it('a result of a job that is not done', () => {
      story
        .enqueue('a', { kind: 'failing' })
        .claim('a', ONE)
        .send('a', ONE)
        .settle('a', { status: 'FAILED' });
      story.rows.set('a', { ...story.rows.get('a')!, result: {} });
      expect(story.violations).toEqual(['I7 a: is FAILED and has a result']);
    });
  });

  describe('I8, leases are taken back and the drain ends, names', () => {
    it('a lease that stands after it has run out', () => {
      story.pass(70_000).note({ type: 'claim', ms: 1, count: 0, pid: 202, at: story.time });
      story
        .enqueue('a')
        .claim('a', ONE)
        .exit(ONE, { signal: 'SIGKILL', wanted: true })
        .pass(9_000)
        .reclaim('a')
        .run('a', OTHER);
      expect(story.violations).toEqual(['I8 a: lease 1 stood for 7000 ms after it had run out']);
    });

    it('a drain that did not end, and one that took too long', () => {
      story.drainedAt = undefined;
      expect(story.violations).toEqual(['I8 the drain did not end in 40.0 s; its bound is 60 s']);
      story.drainedAt = story.history.healedAt + 61_000;
      expect(story.violations).toEqual(['I8 the drain took 61.0 s; its bound is 60 s']);
    });
  });

  describe('I9, nothing starts early, names', () => {
    it('a claim before run_at', () => {
      story.enqueue('a', { delayMs: 1_000 }).pass(400).run('a', ONE);
      expect(story.violations).toEqual(['I9 a: was claimed 600 ms before its time']);
    });

    it('a run_at sooner than the enqueuer asked for', () => {
      story
        .say(['a'], { how: 'ok', delayMs: 1_000 })
        .insert('a', story.time - 500)
        .pass(2_000)
        .run('a', ONE);
      expect(story.violations).toEqual(['I9 a: may run 1500 ms sooner than was asked for']);
    });
  });

  describe('I10, processes stay well, names', () => {
    it('a process that ended and that nobody killed', () => {
      story.exit(OTHER, { code: 1, signal: null });
      expect(story.violations).toEqual(['I10 w2 (pid 202) ended with code 1, and nobody killed it']);
    });

    it('nothing where a job ended its process', () => {
      story
        .note({ type: 'exit', id: 'x', token: 1, pid: 202, at: story.time })
        .exit(OTHER, { code: 86, signal: null });
      expect(story.violations).toEqual([]);
    });

    it('more connections than the pool has', () => {
      story.note({ type: 'sample', sockets: 40, heapMb: 30, rssMb: 90, pid: 101, at: story.time });
      expect(story.violations).toEqual(['I10 w1 had 40 connections; 14 are its limit']);
    });

    it('memory that grows', () => {
      for (let second = 0; second <= 120; second++) {
        const heapMb = 30 + second * 2;
        story.note({
          type: 'sample',
          sockets: 5,
          heapMb,
          rssMb: 90,
          pid: 101,
          at: story.time + second * 1_000,
        });
      }
      expect(story.violations).toEqual([expect.stringMatching(/^I10 w1 grew by \d+ MB$/)]);
    });
  });

  it('I11 names a job that took two attempts though no fault touched it', () => {
    story
      .enqueue('a')
      .claim('a', ONE)
      .start('a', ONE)
      .end('a', ONE)
      .send('a', ONE)
      .settle('a', { status: 'PENDING' });
    story.run('a', ONE);
    expect(story.violations).toEqual([
      'I11 a: ended as DONE after 2 attempts, no fault touched it, and 1 would have done',
    ]);
  });

  it('I12 names deadlocks', () => {
    story.deadlocks = 2;
    expect(story.violations).toEqual(['I12 the database resolved 2 deadlocks']);
  });
});
