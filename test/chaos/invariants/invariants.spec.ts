import { beforeEach, describe, expect, it } from '@jest/globals';
import { BEAT, CRAWL, type SchedulePlan } from '../schedules.js';
import { HistoryBuilder, ONE, OTHER } from './history-builder.js';

/** Each test puts one error into a history, and the checker must name it. A correct history must pass. */
describe('The checker of the chaos suite', () => {
  let history: HistoryBuilder;

  beforeEach(() => {
    // Enough correct jobs for the run to count.
    history = new HistoryBuilder();
    for (const id of ['x', 'y', 'z']) history.enqueue(id).run(id, ONE);
  });

  /** A worker is killed under a job. */
  const killedUnder = (id: string) =>
    history
      .claim(id, ONE)
      .start(id, ONE)
      .pass(100)
      .exit(ONE, { signal: 'SIGKILL', wanted: true })
      .pass(2_500)
      .reclaim(id);

  it('accepts a correct history', () => {
    history.enqueue('a', { kind: 'retrying', failures: 1 });
    history.claim('a', ONE).start('a', ONE).pass(800).renew('a').end('a', ONE).send('a', ONE);
    history.settle('a', { status: 'PENDING' }).pass(200).run('a', OTHER);
    history.enqueue('b').claim('b', ONE).release('b').run('b', OTHER);
    history.enqueue('c');
    killedUnder('c').run('c', OTHER);
    history.say(['d', 'e'], { how: 'unknown', shape: 'many' });
    expect(history.violations).toEqual([]);
  });

  describe('I1, every acknowledged job is settled, names', () => {
    it('a job that is lost', () => {
      history.say(['a'], { how: 'ok' });
      expect(history.violations).toEqual(['I1 a: was acknowledged and is lost']);
    });

    it('a job that is still pending', () => {
      history.enqueue('a');
      expect(history.violations).toEqual(['I1 a: was acknowledged and is still PENDING']);
    });

    it('a lost job whose repeated enqueue was refused as a duplicate', () => {
      history.say(['a'], { how: 'unknown' }).say(['a'], { how: 'duplicate', again: 'call 3' });
      expect(history.violations).toEqual(['I1 a: was acknowledged and is lost']);
    });

    it('a status that the job cannot end in', () => {
      history
        .enqueue('a')
        .claim('a', ONE)
        .start('a', ONE)
        .end('a', ONE)
        .send('a', ONE)
        .settle('a', { status: 'FAILED' });
      expect(history.violations).toEqual([expect.stringMatching(/^I1 a: fast \(0 ms\) ended as FAILED/)]);
    });

    it('a run in which hardly any job was acknowledged', () => {
      const silent = new HistoryBuilder().say(['a', 'b'], { how: 'unknown', shape: 'many' });
      expect(silent.violations).toEqual(['I1 0 of 2 jobs were acknowledged: such a run shows nothing']);
    });
  });

  describe('I2, every row was enqueued once, names', () => {
    it('a row that was never enqueued', () => {
      history.insert('ghost').run('ghost', ONE);
      expect(history.violations).toContain('I2 ghost: is there and was never enqueued');
    });

    it('a row that was inserted twice', () => {
      history.enqueue('a').insert('a').run('a', ONE);
      expect(history.violations).toContain('I2 a: was inserted 2 times');
    });

    it('a call that was written in part', () => {
      history.say(['a', 'b'], { how: 'unknown', shape: 'many' }).insert('a').run('a', ONE);
      expect(history.violations).toEqual([
        'I2 a: call call 3 (many, 2 jobs, unknown): 1 of its jobs are there',
      ]);
    });

    it('a job that exists although its enqueue failed', () => {
      history.say(['a'], { how: 'failed' }).insert('a').run('a', ONE);
      expect(history.violations).toEqual(['I2 a: call call 3 (one, 1 jobs, failed): failed, and is there']);
    });

    it('a duplicate whose id was never used before', () => {
      history.say(['a'], { how: 'duplicate' });
      expect(history.violations).toEqual([expect.stringContaining('and nobody had used them')]);
    });

    it("a job that exists without its transaction's row", () => {
      history.enqueue('a', { shape: 'transaction' }).run('a', ONE);
      expect(history.violations).toEqual([
        expect.stringContaining("the application's row is not there, the job is"),
      ]);
    });

    it('a job from a transaction that was rolled back', () => {
      history.say(['a'], { how: 'failed', shape: 'rolled back' }).insert('a').run('a', ONE);
      expect(history.violations).toContain('I2 a: call call 3 (rolled back, 1 jobs, failed): is there');
    });
  });

  describe('I3, each job settles once, names', () => {
    it('a job that was settled twice', () => {
      history.enqueue('a').run('a', ONE).run('a', ONE);
      expect(history.violations).toContain('I3 a: was DONE, and then changed to DONE (lease 2)');
    });

    it('a settled job that became pending again', () => {
      history.enqueue('a').run('a', ONE).change('a', { status: 'PENDING' }).run('a', ONE);
      expect(history.violations).toContain('I3 a: was DONE, and then changed to PENDING (lease 1)');
    });
  });

  describe('I4, lease tokens rise and settles carry the current one, names', () => {
    it('a claim that did not raise the token', () => {
      history
        .enqueue('a')
        .claim('a', ONE)
        .release('a')
        .claim('a', ONE, { token: 1 })
        .send('a', ONE, 1)
        .settle('a');
      expect(history.violations).toContain('I4 a: the lease token went from 1 to 1');
    });

    it('a settle by a worker whose lease had been reclaimed', () => {
      history
        .enqueue('a')
        .claim('a', ONE)
        .start('a', ONE)
        .fault('stop', ['w1'], 6_000)
        .pass(2_500)
        .reclaim('a');
      history.claim('a', OTHER).start('a', OTHER).pass(100).end('a', ONE, 1).send('a', ONE, 1).settle('a');
      expect(history.violations).toEqual([
        `I4 a: lease 2 of ${OTHER} was settled as DONE, and its holder had sent nothing`,
      ]);
    });
  });

  describe('I5, attempts overlap only if the lease had run out, names', () => {
    it('a lease that was reclaimed before its end', () => {
      history
        .enqueue('a')
        .claim('a', ONE)
        .start('a', ONE)
        .fault('stop', ['w1'], 6_000)
        .pass(1_000)
        .reclaim('a')
        .run('a', OTHER);
      expect(history.violations).toEqual(['I5 a: lease 1 was taken back 1000 ms before its end']);
    });

    it('a lease that began while another stood', () => {
      history.enqueue('a').claim('a', ONE).release('a');
      history.audit.pop();
      history.run('a', OTHER);
      expect(history.violations).toContain('I5 a: lease 2 began while lease 1 stood');
    });

    it('a lease that passed to another worker', () => {
      history
        .enqueue('a')
        .claim('a', ONE)
        .start('a', ONE)
        .renew('a', { worker: OTHER })
        .send('a', ONE)
        .settle('a');
      expect(history.violations).toContain(`I5 a: lease 1 passed from ${ONE} to ${OTHER}`);
    });

    it('a job that was given back while its handler ran', () => {
      history
        .enqueue('a')
        .claim('a', ONE)
        .start('a', ONE)
        .pass(100)
        .release('a')
        .run('a', OTHER)
        .end('a', ONE, 1);
      expect(history.violations).toEqual(['I5 a: lease 1 was given back while its handler ran']);
    });

    it('a duplicate attempt that no fault explains', () => {
      history.enqueue('a').claim('a', ONE).start('a', ONE).pass(2_500).reclaim('a').run('a', OTHER);
      expect(history.violations).toContainEqual(
        expect.stringMatching(/^I5 a: lease 1 of .* no fault explains it$/),
      );
    });

    it('a duplicate attempt that only a terminated connection could explain', () => {
      history.enqueue('a').claim('a', ONE).start('a', ONE).pass(100).fault('terminate', ['database']);
      history.pass(2_400).reclaim('a').run('a', OTHER);
      expect(history.violations).toContainEqual(
        expect.stringMatching(/^I5 a: lease 1 of .* no fault explains it$/),
      );
    });

    it.each<[string, (builder: HistoryBuilder) => HistoryBuilder]>([
      ['the death of the worker', (builder) => builder.exit(ONE, { signal: 'SIGKILL', wanted: true })],
      ['a frozen worker', (builder) => builder.fault('stop', ['w1'], 5_000)],
      ['a worker that was cut off', (builder) => builder.fault('cut', ['link of w1'], 2_000)],
      ['a database that was down', (builder) => builder.fault('restart', ['database'], 1_500)],
      ['a locked row', (builder) => builder.fault('lock', [], 2_000, ['a'])],
      [
        'a blocked event loop',
        (builder) => builder.note({ type: 'lag', ms: 1_500, pid: 101, at: builder.time + 1_500 }),
      ],
    ])('nothing if %s explains the duplicate attempt', (_what, hurt) => {
      hurt(history.enqueue('a').claim('a', ONE).start('a', ONE).pass(100))
        .pass(2_400)
        .reclaim('a')
        .run('a', OTHER);
      expect(history.violations).toEqual([]);
    });
  });

  describe('I6, crashes are counted, names', () => {
    it('a start under a lease that was never claimed', () => {
      history.enqueue('a').start('a', ONE, 7).run('a', ONE);
      expect(history.violations).toContain('I6 a: was started under lease 7, which nobody claimed');
    });

    it('two starts under one lease', () => {
      history.enqueue('a').claim('a', ONE).start('a', ONE).start('a', ONE).send('a', ONE).settle('a');
      expect(history.violations).toContain('I6 a: was started twice under one lease');
    });

    it("a worker's death that was not counted", () => {
      history
        .enqueue('a')
        .claim('a', ONE)
        .start('a', ONE)
        .exit(ONE, { signal: 'SIGKILL', wanted: true })
        .pass(2_500);
      history.reclaim('a', { crashes: 0 }).run('a', OTHER);
      expect(history.violations).toContain(
        'I6 a: lease 1 ran out and was taken back, and no crash was counted',
      );
    });

    it('a job that was convicted without having been started', () => {
      history.enqueue('a');
      for (let crash = 1; crash <= 2; crash++) history.claim('a', ONE).pass(2_500).reclaim('a');
      history.claim('a', ONE).renew('a', { alone: true }).fault('cut', ['link of w1'], 3_000);
      history.pass(2_500).reclaim('a', { status: 'PANIC' });
      const problem = 'was convicted (link to the database) without having been started under lease 3';
      expect(history.violations).toContain(`I6 a: ${problem}`);
    });

    it('no job whose worker was killed at the moment of the mark that it runs alone', () => {
      for (const [id, worker, ms] of [
        ['in the moment', ONE, 200],
        ['later', OTHER, 1_000],
      ] as const) {
        history.enqueue(id);
        for (let crash = 1; crash <= 2; crash++) history.claim(id, worker).pass(2_500).reclaim(id);
        history.claim(id, worker).renew(id, { alone: true }).pass(ms);
        history
          .exit(worker, { signal: 'SIGKILL', wanted: true })
          .pass(2_500)
          .reclaim(id, { status: 'PANIC' });
      }
      const named = history.violations.filter((violation) =>
        violation.includes('without having been started'),
      );
      expect(named).toEqual([expect.stringContaining('I6 later: ')]);
    });

    it('a job that was convicted although another ran beside it', () => {
      history.enqueue('a').enqueue('b');
      for (let crash = 1; crash <= 2; crash++) history.claim('a', ONE).pass(2_500).reclaim('a');
      history
        .claim('b', ONE)
        .start('b', ONE)
        .claim('a', ONE)
        .start('a', ONE)
        .pass(100)
        .renew('a', { alone: true });
      history.exit(ONE, { signal: 'SIGKILL', wanted: true }).pass(2_500).reclaim('a', { status: 'PANIC' });
      history.reclaim('b').run('b', OTHER);
      expect(history.violations).toContain(
        'I6 a: was convicted (worker killed by the nemesis), and b ran beside it',
      );
    });

    it('a job that lives on after its last crash although it ran alone', () => {
      history.enqueue('a');
      for (let crash = 1; crash <= 3; crash++) {
        history
          .claim('a', ONE)
          .renew('a', { alone: true })
          .exit(ONE, { signal: 'SIGKILL', wanted: true })
          .pass(2_500)
          .reclaim('a');
      }
      history.run('a', OTHER);
      expect(history.violations).toContain('I6 a: died alone at its crash 3 or later, and is not PANIC');
    });
  });

  describe('I7, the result belongs to the settling attempt, names', () => {
    it('the result of another attempt', () => {
      history.enqueue('a').run('a', ONE);
      history.rows.set('a', { ...history.rows.get('a')!, result: { token: 4, worker: OTHER } });
      expect(history.violations).toEqual([
        `I7 a: has the result of lease 4 of ${OTHER}; lease 1 of ${ONE} was settled`,
      ]);
    });

    it('a missing effect', () => {
      history.enqueue('a', { effect: true }).run('a', ONE);
      expect(history.violations).toEqual(['I7 a: is DONE by lease 1, whose effect is missing']);
      history.effects.push({ id: 'a', token: 1 });
      expect(history.violations).toEqual([]);
    });

    it('the result of a handler that returned nothing', () => {
      history.enqueue('a', { silent: true }).run('a', ONE);
      expect(history.violations).toEqual(['I7 a: has a result, and its handler returned nothing']);
    });

    it('the result of a job that is not done', () => {
      history
        .enqueue('a', { kind: 'failing' })
        .claim('a', ONE)
        .send('a', ONE)
        .settle('a', { status: 'FAILED' });
      history.rows.set('a', { ...history.rows.get('a')!, result: {} });
      expect(history.violations).toEqual(['I7 a: is FAILED and has a result']);
    });
  });

  describe('I8, leases are reclaimed and the drain ends, names', () => {
    it('a lease that still stands after it has run out', () => {
      history.pass(70_000).note({ type: 'claim', ms: 1, count: 0, pid: 202, at: history.time });
      history
        .enqueue('a')
        .claim('a', ONE)
        .exit(ONE, { signal: 'SIGKILL', wanted: true })
        .pass(9_000)
        .reclaim('a')
        .run('a', OTHER);
      expect(history.violations).toEqual(['I8 a: lease 1 stood for 7000 ms after it had run out']);
    });

    it('a drain that did not end, and one that took too long', () => {
      history.drainedAt = undefined;
      expect(history.violations).toEqual(['I8 the drain did not end in 40.0 s; its bound is 60 s']);
      history.drainedAt = history.history.healedAt + 61_000;
      expect(history.violations).toEqual(['I8 the drain took 61.0 s; its bound is 60 s']);
    });
  });

  describe('I9, nothing starts early, names', () => {
    it('a claim before run_at', () => {
      history.enqueue('a', { delayMs: 1_000 }).pass(400).run('a', ONE);
      expect(history.violations).toEqual(['I9 a: was claimed 600 ms before its time']);
    });

    it('a run_at sooner than requested', () => {
      history
        .say(['a'], { how: 'ok', delayMs: 1_000 })
        .insert('a', history.time - 500)
        .pass(2_000)
        .run('a', ONE);
      expect(history.violations).toEqual(['I9 a: may run 1500 ms sooner than was asked for']);
    });
  });

  describe('I10, processes stay well, names', () => {
    it('a process that ended without being killed', () => {
      history.exit(OTHER, { code: 1, signal: null });
      expect(history.violations).toEqual(['I10 w2 (pid 202) ended with code 1, and nobody killed it']);
    });

    it('nothing if a job ended its process', () => {
      history
        .note({ type: 'exit', id: 'x', token: 1, pid: 202, at: history.time })
        .exit(OTHER, { code: 86, signal: null });
      expect(history.violations).toEqual([]);
    });

    it('more connections than a process may have', () => {
      history.note({ type: 'sample', sockets: 40, heapMb: 30, rssMb: 90, pid: 101, at: history.time });
      expect(history.violations).toEqual(['I10 w1 had 40 connections; 14 are its limit']);
    });

    it('memory that grows', () => {
      for (let second = 0; second <= 120; second++) {
        const heapMb = 30 + second * 2;
        history.note({
          type: 'sample',
          sockets: 5,
          heapMb,
          rssMb: 90,
          pid: 101,
          at: history.time + second * 1_000,
        });
      }
      expect(history.violations).toEqual([expect.stringMatching(/^I10 w1 grew by \d+ MB$/)]);
    });
  });

  it('I11 names a job that took two attempts although no fault touched it', () => {
    history
      .enqueue('a')
      .claim('a', ONE)
      .start('a', ONE)
      .end('a', ONE)
      .send('a', ONE)
      .settle('a', { status: 'PENDING' });
    history.run('a', ONE);
    expect(history.violations).toEqual([
      'I11 a: ended as DONE after 2 attempts, no fault touched it, and 1 would have done',
    ]);
  });

  it('I12 names deadlocks', () => {
    history.deadlocks = 2;
    expect(history.violations).toEqual(['I12 the database resolved 2 deadlocks']);
  });

  describe('I13, a tick of a schedule has one job, names', () => {
    /** The schedule is written, ticks until the faults end, and has made jobs for these ticks. */
    const made = (schedule: SchedulePlan, ticks: readonly number[], until = 3) => {
      history.schedule(schedule);
      const anchorAt = history.time;
      history.healedAt = anchorAt + until * schedule.everyMs;
      history.drainedAt = history.healedAt + 1_000;
      for (const n of ticks) history.pass(anchorAt + n * schedule.everyMs - history.time).tick(schedule, n);
      return history;
    };

    it('nothing where each tick has its job', () => {
      expect(made(BEAT, [1, 2, 3]).violations).toEqual([]);
    });

    it('nothing where a schedule passes over ticks that may be passed over', () => {
      expect(made(CRAWL, [1, 3]).violations).toEqual([]);
    });

    it('a second job for a tick', () => {
      made(BEAT, [1, 2, 3]).tick(BEAT, 2, { id: 'again' });
      expect(history.violations).toEqual([
        expect.stringMatching(/^I13 again: is for the same tick as beat@\d+$/),
      ]);
    });

    it.each([
      ['in the middle', [1, 3]],
      ['at the beginning', [2, 3]],
      ['at the end', [1, 2]],
    ])('a tick without a job, %s', (_where, ticks) => {
      expect(made(BEAT, ticks).violations).toEqual([
        expect.stringMatching(/^I13 beat: 1 ticks have no job; the first is 1970-/),
      ]);
    });

    it('a tick without a job before the last one that was made, though the faults had ended', () => {
      expect(made(BEAT, [1, 3], 1).violations).toEqual([
        expect.stringMatching(/^I13 beat: 1 ticks have no job/),
      ]);
    });

    it('a job that is for no tick', () => {
      made(BEAT, [1, 2, 3]).tick(BEAT, 0, { tick: history.time - 300 });
      expect(history.violations).toEqual([
        expect.stringMatching(/^I13 beat@\d+: beat: .* is no tick of it$/),
      ]);
    });

    it('a job that is made before its tick', () => {
      made(BEAT, [1, 2, 3]).insert('early', history.time);
      history.run('early', ONE).effects.push({ id: 'early', token: 1 });
      history.rows.set('early', {
        ...history.rows.get('early')!,
        schedule: 'beat',
        tick: history.schedules[0]!.anchorAt + 4_000,
      });
      expect(history.violations).toEqual([
        expect.stringMatching(/^I13 early: beat: was made \d+ ms before its tick$/),
      ]);
    });

    it('jobs of a schedule that is not there', () => {
      history.tick(BEAT, 1, { tick: history.time });
      expect(history.violations).toEqual(['I13 beat: has 1 jobs, and is not there']);
    });
  });
});
