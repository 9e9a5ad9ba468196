import { describe, expect, it } from '@jest/globals';
import { deferred } from '../../lib/async/deferred.js';
import type { HandlerFn } from '../../lib/execution/attempt.js';
import { InvalidJobError } from '../../lib/job/errors.js';
import type { ClaimedJob, JobContext } from '../../lib/job/job.js';
import type { JobLogOptions } from '../../lib/client/job-logs.js';
import type { NoteStore } from '../../lib/queue/note-store.js';
import { type AttemptNote, type NotedLine } from '../../lib/queue/note-store.js';
import { until } from '../support/until.js';
import { KIND, LONG, SHORT, withMethods, type Store } from '../support/store.js';

const DONE = { type: 'done', result: { json: '1', bytes: null } } as const;
const MINUTE = 60_000;
const HOSTILE = 'null \0, half \ud800, \u{1F4A5}, é€, \'"\\\n\u2028$1 ?';

/** 7. What handlers tell of themselves while they run: their progress, and a log. */
export function progressContract(store: Store): void {
  const claimedJobs = async (count = 1): Promise<ClaimedJob[]> => {
    const ids = Array.from({ length: count }, (_, index) => `job ${index}`);
    await store.client.enqueueMany(ids.map((id) => ({ kind: KIND, id })));
    const jobs = await store.queue.claim([KIND], count, LONG);
    return jobs.toSorted((one, other) => (one.id < other.id ? -1 : 1));
  };
  const line = (entry: unknown, agoMs = 0): NotedLine => ({
    agoMs,
    level: 'info',
    entry: JSON.stringify(entry),
  });
  const note = (job: ClaimedJob, given: Partial<AttemptNote> = {}): AttemptNote => {
    const { id, leaseToken, lockedBy, attemptsDone } = job;
    const nothing = { progress: null, lines: [], skipped: 0, keep: 1_000 };
    return { id, leaseToken, lockedBy, attempt: attemptsDone + 1, ...nothing, ...given };
  };
  const write = async (...notes: AttemptNote[]) => {
    expect(await store.queue.notes.write(notes)).toEqual(notes.map(() => 'written'));
  };
  const textsOf = async (id: string, options?: JobLogOptions) =>
    (await store.client.logs(id, options)).lines.map(({ attempt, text }) => `${attempt} ${text!}`);
  /** A queue that counts how often notes are written, or does so otherwise. */
  const watched = (instead?: NoteStore['write']) => {
    const calls: (readonly AttemptNote[])[] = [];
    const { notes } = store.queue;
    const write: NoteStore['write'] = (given, answerMs) => {
      calls.push(given);
      return (instead ?? notes.write.bind(notes))(given, answerMs);
    };
    return { calls, queue: withMethods(store.queue, { notes: { write } }) };
  };
  const work = async (run: HandlerFn, { queue = store.queue, options = {}, settings = {} } = {}) => {
    const { id } = await store.client.enqueue(KIND, { secret: 'payload' }, { id: 'job' });
    const worker = await store.work({ [KIND]: { run, options } }, settings, queue);
    return { id, worker };
  };

  describe('7. Notes of running jobs', () => {
    it('are written together, each to its own job, and change nothing else', async () => {
      const [a, b, c] = await claimedJobs(3);
      const before = await store.job(a!.id);
      await write(
        note(c!, { lines: [line('of c')] }),
        note(a!, { progress: '0.25', lines: [line('one'), line({ rows: 2 })] }),
        note(b!, { progress: '{"page":7}' }),
      );
      expect(await store.job(a!.id)).toEqual({ ...before, progress: 0.25 });
      expect(await store.job(b!.id)).toMatchObject({ progress: { page: 7 }, state: 'running' });
      expect((await store.job(c!.id)).progress).toBeUndefined();
      const { lines, next } = await store.client.logs(a!.id);
      expect(lines).toMatchObject([
        { attempt: 1, line: 1, level: 'info', text: 'one' },
        { attempt: 1, line: 2, level: 'info', fields: { rows: 2 } },
      ]);
      expect(next).toBeNull();
      expect(await textsOf(b!.id)).toEqual([]);
      expect(await textsOf(c!.id)).toEqual(['1 of c']);
    });

    it('are logged by the clock of the store', async () => {
      const [job] = await claimedJobs();
      await write(note(job!, { lines: [line('an hour ago', 60 * MINUTE), line('now')] }));
      const [first, last] = (await store.client.logs(job!.id)).lines;
      expect(last!.at.getTime() - first!.at.getTime()).toBe(60 * MINUTE);
      expect(Math.abs(last!.at.getTime() - job!.lockedUntil.getTime() + LONG.leaseMs)).toBeLessThan(30_000);
    });

    it('are refused where the lease is lost, and hold back no others', async () => {
      await store.client.enqueue(KIND, null, { id: 'lost' });
      const lost = await store.claimOne(SHORT);
      await store.reclaimed(1);
      const again = await store.claimOne();
      const [other] = await claimedJobs();
      const given = { progress: '1', lines: [line('x')] };
      expect(await store.queue.notes.write([note(lost, given), note(other!, given)])).toEqual([
        'lost',
        'written',
      ]);
      const stolen = { ...again, lockedBy: 'another' };
      expect(await store.queue.notes.write([note(stolen, given)])).toEqual(['lost']);
      expect((await store.job('lost')).progress).toBeUndefined();
      expect(await textsOf('lost')).toEqual([]);
      await store.queue.settle([{ ...other!, outcome: DONE }]);
      expect(await store.queue.notes.write([note(other!, given)])).toEqual(['lost']);
      expect(await store.queue.notes.write([])).toEqual([]);
    });

    it('go on with the next number, also where the attempt was put back and has begun again', async () => {
      const [job] = await claimedJobs();
      await write(note(job!, { lines: [line('one')] }));
      await write(note(job!, { lines: [line('two'), line('three')] }));
      await store.queue.settle([{ ...job!, outcome: { type: 'snoozed', delayMs: 0 } }]);
      const again = await store.claimOne();
      await write(note(again, { lines: [line('four')] }));
      await store.queue.settle([{ ...again, outcome: { type: 'retry', delayMs: 0, lastError: 'e' } }]);
      await write(note(await store.claimOne(), { lines: [line('five')] }));
      const { lines } = await store.client.logs(job!.id);
      expect(lines.map(({ attempt, line, text }) => `${attempt}.${line} ${text!}`)).toEqual([
        '1.1 one',
        '1.2 two',
        '1.3 three',
        '1.4 four',
        '2.1 five',
      ]);
    });

    it('lose the oldest lines beyond what is kept, and those that were never written', async () => {
      const [job, other] = await claimedJobs(2);
      await write(note(job!, { lines: [line('one'), line('two'), line('three')] }));
      await write(note(job!, { lines: [line('four')], keep: 2 }), note(other!, { lines: [line('other')] }));
      expect(await textsOf(job!.id)).toEqual(['1 2 earlier lines were dropped.', '1 three', '1 four']);
      await write(note(job!, { lines: [line('nine')], skipped: 4, keep: 1 }));
      expect((await store.client.logs(job!.id)).lines).toMatchObject([
        { line: 8, level: 'warn', text: '8 earlier lines were dropped.' },
        { line: 9, level: 'info', text: 'nine' },
      ]);
      expect(await textsOf(job!.id, { after: { attempt: 1, line: 7 } })).toEqual([
        '1 1 earlier line was dropped.',
        '1 nine',
      ]);
      expect(await textsOf(other!.id)).toEqual(['1 other']);
    });

    it('are kept of the last fifty attempts', async () => {
      const [job] = await claimedJobs();
      for (const attempt of [1, 2, 51]) await write(note(job!, { attempt, lines: [line(`in ${attempt}`)] }));
      expect(await textsOf(job!.id)).toEqual(['2 in 2', '51 in 51']);
    });

    it('come back exactly, whatever is in them', async () => {
      const [job] = await claimedJobs();
      const fields = { [HOSTILE]: [HOSTILE, null, { deep: HOSTILE }], number: -0.5 };
      await write(
        note(job!, { progress: JSON.stringify({ at: HOSTILE }), lines: [line(HOSTILE), line(fields)] }),
      );
      expect((await store.job(job!.id)).progress).toEqual({ at: HOSTILE });
      expect((await store.client.logs(job!.id)).lines).toMatchObject([{ text: HOSTILE }, { fields }]);
    });

    it('are thousands at once', async () => {
      const jobs = await claimedJobs(5);
      const lines = Array.from({ length: 1_000 }, (_, index) => line(`line ${index + 1} of many`));
      await write(...jobs.map((job) => note(job, { lines, progress: '0.5' })));
      await write(...jobs.map((job) => note(job, { lines: lines.slice(0, 10), progress: '0.6' })));
      const { lines: found } = await store.client.logs(jobs[4]!.id, { limit: 1_000 });
      expect(found).toHaveLength(1_001); // and the one that tells of the loss
      expect(found[0]).toMatchObject({ text: '10 earlier lines were dropped.' });
      expect(found.at(-1)).toMatchObject({ line: 1_010, text: 'line 10 of many' });
    });

    it('go with their job, and a retry clears the progress', async () => {
      const [job] = await claimedJobs();
      await write(note(job!, { progress: '0.5', lines: [line('x')] }));
      await store.queue.settle([{ ...job!, outcome: { type: 'failed', lastError: 'e' } }]);
      expect(await store.job(job!.id)).toMatchObject({ status: 'FAILED', progress: 0.5 });
      await store.client.retry(job!.id);
      expect((await store.job(job!.id)).progress).toBeUndefined();
      expect(await textsOf(job!.id)).toEqual(['1 x']);
      await store.client.delete(job!.id);
      expect(await textsOf(job!.id)).toEqual([]);
    });
  });

  describe('7. The log of a job', () => {
    it('is read by pages, of one attempt or of all', async () => {
      const [job] = await claimedJobs();
      const lines = ['a', 'b', 'c'].map((text) => line(text));
      await write(note(job!, { attempt: 1, lines }));
      await write(note(job!, { attempt: 2, lines: lines.slice(0, 2) }));
      const seen: string[] = [];
      let next: JobLogOptions['after'] | null = { attempt: 0, line: 0 };
      while (next !== null) {
        const page = await store.client.logs(job!.id, { after: next, limit: 2 });
        expect(page.lines.length).toBeLessThanOrEqual(2);
        seen.push(...page.lines.map(({ attempt, text }) => `${attempt} ${text!}`));
        next = page.next;
      }
      expect(seen).toEqual(['1 a', '1 b', '1 c', '2 a', '2 b']);
      expect(await textsOf(job!.id, { attempt: 2 })).toEqual(['2 a', '2 b']);
      expect(await textsOf(job!.id, { attempt: 1, after: { attempt: 1, line: 2 } })).toEqual(['1 c']);
      expect(await textsOf(job!.id, { attempt: 3 })).toEqual([]);
      expect(await textsOf('none')).toEqual([]);
    });

    it.each([
      ['attempt', { attempt: 0 }],
      ['attempt', { attempt: 1.5 }],
      ['limit', { limit: 0 }],
      ['limit', { limit: 1_001 }],
      ['after', { after: 7 }],
      ['after.attempt', { after: { line: 1 } }],
      ['after.line', { after: { attempt: 1, line: '1' } }],
    ])('is not read with a wrong %s', async (path, options) => {
      const reading = store.client.logs('job', options as JobLogOptions);
      await expect(reading).rejects.toBeInstanceOf(InvalidJobError);
      await expect(store.client.logs('job', options as JobLogOptions)).rejects.toMatchObject({ path });
    });
  });

  describe('7. context.progress and context.log', () => {
    it('are one write for a thousand calls, before the outcome', async () => {
      const { calls, queue } = watched();
      const { id } = await work(
        (_job, { progress, log }) => {
          for (let n = 1; n <= 500; n++) progress(n / 500);
          for (let n = 1; n <= 500; n++) log(`line ${n}`, n === 500 ? 'warn' : undefined);
        },
        { queue },
      );
      expect(await store.ended(id)).toMatchObject({ status: 'DONE', progress: 1 });
      expect(calls).toHaveLength(1);
      const { lines } = await store.client.logs(id, { limit: 500 });
      expect(lines).toHaveLength(500);
      expect(lines.at(-1)).toMatchObject({ attempt: 1, line: 500, level: 'warn', text: 'line 500' });
      expect(JSON.stringify(lines)).not.toContain('secret');
    });

    it('send nothing of handlers that call neither', async () => {
      const { calls, queue } = watched();
      const { id } = await work(() => 1, { queue });
      await store.ended(id);
      expect(calls).toEqual([]);
      expect(await store.client.logs(id)).toEqual({ lines: [], next: null });
    });

    it('are seen while the handler runs, and survive its death', async () => {
      const ends = deferred();
      const { id } = await work(async (_job, { progress, log }) => {
        progress({ page: 3 });
        log({ page: 3 });
        await ends.promise;
      });
      const running = await store.once(id, (job) => job.progress !== undefined, 'the progress is written');
      expect(running).toMatchObject({ progress: { page: 3 }, state: 'running' });
      expect((await store.client.logs(id)).lines).toMatchObject([{ fields: { page: 3 } }]);
      await store.client.delete(id, { force: true });
      ends.resolve();
    });

    it.each<[string, (context: JobContext<never>) => unknown, string]>([
      ['throws', () => Promise.reject(new Error('no')), 'failed'],
      ['snoozes', ({ snooze }) => snooze(MINUTE), 'scheduled'],
    ])('are written where the handler %s at once', async (_what, end, state) => {
      const { id } = await work((_job, context) => {
        context.progress(0.3);
        context.log('the last words');
        return end(context);
      });
      const job = await store.once(id, (stored) => stored.state === state, state);
      expect(job.progress).toBe(0.3);
      expect(await textsOf(id)).toEqual(['1 the last words']);
    });

    it('are kept of each run of an attempt that was put back', async () => {
      let runs = 0;
      const { id } = await work((_job, { log, snooze }) => {
        runs += 1;
        log(`run ${runs}`);
        if (runs < 3) snooze(0);
      });
      await store.ended(id);
      expect(await textsOf(id)).toEqual(['1 run 1', '1 run 2', '1 run 3']);
    });

    it('are written where a shutdown gives the job back', async () => {
      const started = deferred();
      const { id, worker } = await work(
        async (_job, { progress, log, signal }) => {
          progress(0.4);
          log('in the middle');
          started.resolve();
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
        },
        { settings: { shutdownTimeoutMs: 0 } },
      );
      await started.promise;
      await worker.stop();
      expect(await store.job(id)).toMatchObject({ state: 'ready', attemptsDone: 0, progress: 0.4 });
      expect(await textsOf(id)).toEqual(['1 in the middle']);
    });

    it('keep the last progress until the next attempt tells another', async () => {
      const values: unknown[] = [];
      const { id } = await work(
        async (job, { attempt, progress }) => {
          values.push((await store.job((job as { id: string }).id)).progress);
          if (attempt === 2) throw new Error('tells none');
          progress(attempt / 10);
          if (attempt < 3) throw new Error('no');
        },
        { options: { maxAttempts: 3, backoff: { type: 'fixed', delayMs: 0 } } },
      );
      expect(await store.ended(id)).toMatchObject({ status: 'DONE', progress: 0.3 });
      expect(values).toEqual([undefined, 0.1, 0.1]);
    });

    it('never throw: what cannot be stored is dropped, with one warning for the attempt', async () => {
      const told: unknown[] = [];
      const end = store.events.on('noteRefused', ({ error }) => told.push(error));
      const cycle: Record<string, unknown> = {};
      cycle.cycle = cycle;
      const revoked = Proxy.revocable({}, {});
      revoked.revoke();
      const wrong: unknown[] = [NaN, -0.1, 1.1, 'half', null, undefined, [], 10n, new Uint8Array(3), cycle];
      const { id } = await work((_job, { progress, log }) => {
        progress(0.5);
        for (const value of [...wrong, revoked.proxy, { much: 'x'.repeat(4_096) }]) progress(value as never);
        for (const value of [7, null, undefined, cycle, { much: 'x'.repeat(70_000) }, revoked.proxy])
          log(value as never);
        log('no such level', 'loud' as never);
        log('fine');
        log(new Error('an error'), 'error');
        log('long '.repeat(5_000));
      });
      expect(await store.ended(id)).toMatchObject({ status: 'DONE', progress: 0.5 });
      end();
      expect(told).toHaveLength(1);
      expect(told[0]).toBeInstanceOf(InvalidJobError);
      expect(store.logged('warn', 'was dropped')).toBe(true);
      const { lines } = await store.client.logs(id);
      expect(lines.map(({ text }) => text!.slice(0, 15))).toEqual([
        'fine',
        'Error: an error',
        'long long long ',
      ]);
      expect(lines.at(-1)!.text).toHaveLength(8_192);
    });

    it('keep a thousand lines, or 64 kB, of an attempt', async () => {
      const { id } = await work(
        (_job, { attempt, log }) => {
          const [count, size] = attempt === 1 ? [1_500, 10] : [100, 2_000];
          for (let n = 1; n <= count; n++) log(`${n} ${'x'.repeat(size)}`);
          if (attempt === 1) throw new Error('again');
        },
        { options: { maxAttempts: 2, backoff: { type: 'fixed', delayMs: 0 } } },
      );
      await store.ended(id);
      const first = (await store.client.logs(id, { attempt: 1, limit: 1_000 })).lines;
      expect(first).toHaveLength(1_001);
      expect(first[0]!.text).toBe('500 earlier lines were dropped.');
      const second = (await store.client.logs(id, { attempt: 2, limit: 1_000 })).lines;
      expect(second).toHaveLength(33);
      expect(second[0]!.text).toBe('68 earlier lines were dropped.');
      expect(second.at(-1)!.text).toMatch(/^100 x/);
    });

    it.each<[string, NoteStore['write']]>([
      ['never answers', () => new Promise(() => undefined)],
      ['fails', () => Promise.reject(new Error('connection lost'))],
    ])('hold up no outcome for more than a moment where the storage %s', async (_what, instead) => {
      const { queue } = watched(instead);
      const { id } = await work((_job, { progress }) => progress(1), { queue });
      const job = await store.ended(id);
      expect(job.status).toBe('DONE');
      expect(job.progress).toBeUndefined();
    });
  });

  if (!store.hasManyWriters) return;

  describe('7. What a transactional handler notes', () => {
    it('is written beside its transaction, and stays where that is rolled back', async () => {
      const { id } = await work(
        (_job, { attempt, progress, log }) => {
          progress(attempt / 2);
          log(`attempt ${attempt}`);
          if (attempt === 1) throw new Error('no');
        },
        { options: { transactional: true, maxAttempts: 2, backoff: { type: 'fixed', delayMs: 0 } } },
      );
      expect(await store.ended(id)).toMatchObject({ status: 'DONE', progress: 1, attemptsDone: 2 });
      await until(async () => (await textsOf(id)).length === 2, { what: 'the second line' });
      expect(await textsOf(id)).toEqual(['1 attempt 1', '2 attempt 2']);
    });
  });
}
