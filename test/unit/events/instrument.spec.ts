import { describe, expect, it } from '@jest/globals';
import type { AttemptEnd, JobsInstrument } from '../../../lib/events/instrument.js';
import { JobsEvents } from '../../../lib/events/jobs-events.js';
import type { Job } from '../../../lib/job/job.js';
import { claimedJob } from '../fakes.js';

const SENDING = { kinds: ['mail'], isJoined: false };
const DONE: AttemptEnd = { type: 'done' };
const JOBS: readonly Job[] = [claimedJob()];

/** An instrument that writes down what happens. */
function noting(notes: string[], name: string, trace?: Record<string, string>): JobsInstrument {
  return {
    async send(_sending, write) {
      notes.push(`${name} begins`);
      await write().finally(() => notes.push(`${name} ends`));
    },
    traceContext: () => trace,
    process: ({ id }) => ({
      run: (work) => {
        notes.push(`${name} begins ${id}`);
        return work();
      },
      ended: ({ type }) => void notes.push(`${name} ends: ${type}`),
    }),
  };
}

const error = new Error('a fault');
const raise = () => {
  throw error;
};

/** Calls the instruments of the events as an executor does. @returns what was run, `undefined` where nothing stands around it */
function attempt(events: JobsEvents, work: () => unknown): unknown {
  const watch = events.instrument!.process(claimedJob());
  const made = watch?.run(work);
  watch?.ended(DONE);
  return made;
}

const send = (events: JobsEvents, write: () => Promise<readonly Job[]>) =>
  events.instrument!.send(SENDING, write);

/** Events with an instrument outside of this one, and what is told of faults. */
function watched(instrument: JobsInstrument) {
  const events = new JobsEvents();
  const told: unknown[] = [];
  events.on('instrumentFailed', (detail) => told.push(detail));
  events.instrumentWith(noting([], 'a'));
  events.instrumentWith(instrument);
  return { events, told };
}

describe('The instruments of events', () => {
  it('are none until one is put there, and after its end', () => {
    const events = new JobsEvents();
    expect(events.instrument).toBeUndefined();
    const end = events.instrumentWith(noting([], 'a'));
    expect(events.instrument).toBeDefined();
    end();
    expect(events.instrument).toBeUndefined();
  });

  it('stand around each other, the first outermost', async () => {
    const events = new JobsEvents();
    const notes: string[] = [];
    for (const name of ['a', 'b', 'c']) events.instrumentWith(noting(notes, name));
    expect(attempt(events, () => 'made')).toBe('made');
    const { id } = claimedJob();
    const begun = ['a', 'b', 'c'].map((name) => `${name} begins ${id}`);
    expect(notes).toEqual([...begun, 'c ends: done', 'b ends: done', 'a ends: done']);
    await expect(send(events, () => Promise.resolve(JOBS))).resolves.toBe(JOBS);
  });

  it('pass on why nothing could be enqueued, which is no fault of theirs', async () => {
    const events = new JobsEvents();
    const failures: unknown[] = [];
    events.on('instrumentFailed', ({ error }) => failures.push(error));
    for (const name of ['a', 'b']) events.instrumentWith(noting([], name));
    const failure = new Error('no database');
    await expect(send(events, () => Promise.reject(failure))).rejects.toBe(failure);
    expect(failures).toEqual([]);
  });

  it('may see the end of an attempt alone, or nothing of it', () => {
    const events = new JobsEvents();
    const notes: string[] = [];
    const others = { send: () => Promise.resolve(), traceContext: () => undefined };
    events.instrumentWith(others);
    expect(events.instrument!.process(claimedJob())).toBeUndefined();
    events.instrumentWith({ ...others, process: () => undefined });
    expect(events.instrument!.process(claimedJob())).toBeUndefined();
    events.instrumentWith({ ...others, process: () => ({ ended: ({ type }) => void notes.push(type) }) });
    expect(attempt(events, () => 'made')).toBe('made');
    expect(notes).toEqual(['done']);
  });

  it('bring their traces together', () => {
    const events = new JobsEvents();
    expect(events.instrumentWith(noting([], 'a', { traceparent: 'x' }))).toBeDefined();
    events.instrumentWith(noting([], 'b'));
    expect(events.instrument!.traceContext()).toEqual({ traceparent: 'x' });
    events.instrumentWith(noting([], 'c', { b3: 'y' }));
    expect(events.instrument!.traceContext()).toEqual({ traceparent: 'x', b3: 'y' });
  });

  const faultsOfSend: readonly (readonly [when: string, send: JobsInstrument['send']])[] = [
    ['before they call', () => Promise.reject(error)],
    ['after the call', (_sending, write) => write().then(raise)],
    ['after a second call', (_sending, write) => Promise.all([write(), write()]).then(raise)],
  ];

  it.each(faultsOfSend)('change nothing of an enqueue by what they throw %s', async (_when, faulty) => {
    const { events, told } = watched({ ...noting([], 'b'), send: faulty });
    let calls = 0;
    const write = () => {
      calls += 1;
      return Promise.resolve(JOBS);
    };
    await expect(send(events, write)).resolves.toBe(JOBS);
    expect(calls).toBe(1);
    expect(told).toEqual([{ error, failures: 1 }]);
  });

  const ended = () => undefined;
  const faultsOfProcess: readonly (readonly [when: string, process: JobsInstrument['process']])[] = [
    ['at its beginning', raise],
    ['before they call', () => ({ ended, run: raise })],
    [
      'after the call',
      () => ({
        ended,
        run: (work) => {
          work();
          return raise();
        },
      }),
    ],
    ['at its end', () => ({ ended: raise })],
  ];

  it.each(faultsOfProcess)('change nothing of an attempt by what they throw %s', (_when, faulty) => {
    const notes: string[] = [];
    const { events, told } = watched({ ...noting([], 'b'), process: faulty });
    events.instrumentWith(noting(notes, 'c'));
    let calls = 0;
    expect(attempt(events, () => (calls += 1))).toBe(1);
    expect(calls).toBe(1);
    expect(notes).toEqual([`c begins ${claimedJob().id}`, 'c ends: done']);
    expect(told).toEqual([{ error, failures: 1 }]);
  });

  it('pass on what an attempt throws, which is no fault of theirs', () => {
    const { events, told } = watched(noting([], 'b'));
    expect(() => attempt(events, raise)).toThrow(error);
    expect(told).toEqual([]);
  });

  it('run an attempt once, however often they call', () => {
    const run = <Result>(work: () => Result) => [work(), work()][1]!;
    const { events, told } = watched({ ...noting([], 'b'), process: () => ({ ended, run }) });
    let calls = 0;
    attempt(events, () => (calls += 1));
    expect(calls).toBe(1);
    expect(told).toEqual([]);
  });

  it('need not call what they stand around', async () => {
    const { events, told } = watched({
      send: () => Promise.resolve(),
      traceContext: () => undefined,
      process: () => ({ ended, run: () => undefined as never }),
    });
    expect(attempt(events, () => 'made')).toBe('made');
    await expect(send(events, () => Promise.resolve(JOBS))).resolves.toBe(JOBS);
    expect(told).toEqual([]);
  });

  it('carry nothing where they cannot tell the trace', () => {
    const events = new JobsEvents();
    const told: unknown[] = [];
    events.on('instrumentFailed', (detail) => told.push(detail));
    events.instrumentWith({ ...noting([], 'a'), traceContext: raise });
    expect(events.instrument!.traceContext()).toBeUndefined();
    expect(told).toEqual([{ error, failures: 1 }]);
  });

  describe('around the jobs of ticks', () => {
    const FIRING = { schedule: 'nightly', kind: 'mail', jobIds: ['nightly@1'] };
    const others = { send: () => Promise.resolve(), traceContext: () => undefined };
    const around = (notes: string[], name: string): JobsInstrument => ({
      ...others,
      fire: ({ schedule }) => ({
        traceContext: { [name]: schedule },
        run: (work) => {
          notes.push(`${name} runs`);
          return work();
        },
        made: () => void notes.push(`${name} made`),
        failed: () => void notes.push(`${name} failed`),
      }),
    });

    it('are none where no instrument stands there', () => {
      const events = new JobsEvents();
      events.instrumentWith(others);
      expect(events.instrument!.fire(FIRING)).toBeUndefined();
    });

    it('stand around each other, the first outermost, and bring their traces together', () => {
      const events = new JobsEvents();
      const notes: string[] = [];
      for (const name of ['a', 'b']) events.instrumentWith(around(notes, name));
      const watch = events.instrument!.fire(FIRING)!;
      expect(watch.traceContext).toEqual({ a: 'nightly', b: 'nightly' });
      expect(watch.run(() => 'done')).toBe('done');
      watch.made();
      watch.failed(error);
      expect(notes).toEqual(['a runs', 'b runs', 'b made', 'a made', 'b failed', 'a failed']);
    });

    it('change nothing by what they throw', () => {
      const events = new JobsEvents();
      const told: unknown[] = [];
      events.on('instrumentFailed', (detail) => told.push(detail));
      events.instrumentWith({ ...others, fire: raise });
      events.instrumentWith({
        ...others,
        fire: () => ({ traceContext: undefined, run: raise, made: raise, failed: raise }),
      });
      const watch = events.instrument!.fire(FIRING)!;
      let calls = 0;
      expect(watch.run(() => (calls += 1))).toBe(1);
      watch.made();
      watch.failed(error);
      expect(calls).toBe(1);
      expect(told).toHaveLength(4);
    });

    it('pass on what is thrown where payloads are made', () => {
      const events = new JobsEvents();
      const told: unknown[] = [];
      events.on('instrumentFailed', (detail) => told.push(detail));
      events.instrumentWith(around([], 'a'));
      let calls = 0;
      const work = () => {
        calls += 1;
        return raise();
      };
      expect(() => events.instrument!.fire(FIRING)!.run(work)).toThrow(error);
      expect({ calls, told }).toEqual({ calls: 1, told: [] });
    });
  });
});
