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
    async process(_job, run) {
      notes.push(`${name} begins`);
      notes.push(`${name} ends: ${(await run()).type}`);
    },
  };
}

const error = new Error('a fault');
const raise = () => {
  throw error;
};

/** Calls the instrument of the events as an executor does. */
const process = (events: JobsEvents, run: () => Promise<AttemptEnd>) =>
  events.instrument!.process(claimedJob(), run);

const send = (events: JobsEvents, write: () => Promise<readonly Job[]>) =>
  events.instrument!.send(SENDING, write);

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
    await expect(process(events, () => Promise.resolve(DONE))).resolves.toBe(DONE);
    expect(notes).toEqual([
      'a begins',
      'b begins',
      'c begins',
      'c ends: done',
      'b ends: done',
      'a ends: done',
    ]);
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

  it('watch attempts within what stands around them, wherever they were put', async () => {
    const events = new JobsEvents();
    const notes: string[] = [];
    const watching = (name: string) => ({
      ...{ send: () => Promise.resolve(), traceContext: () => undefined },
      watch: ({ id }: { readonly id: string }) => {
        notes.push(`${name} sees ${id}`);
        return ({ type }: AttemptEnd) => void notes.push(`${name} sees its end: ${type}`);
      },
    });
    events.instrumentWith(watching('a'));
    events.instrumentWith(noting(notes, 'b'));
    events.instrumentWith(watching('c'));
    const run = () => {
      notes.push('it runs');
      return Promise.resolve(DONE);
    };
    await expect(process(events, run)).resolves.toBe(DONE);
    const { id } = claimedJob();
    expect(notes).toEqual([
      'b begins',
      `a sees ${id}`,
      `c sees ${id}`,
      'it runs',
      'a sees its end: done',
      'c sees its end: done',
      'b ends: done',
    ]);
  });

  it.each([
    ['at the beginning', () => raise()],
    ['at the end', () => () => raise()],
  ])('that watch change nothing by what they throw %s', async (_when, watch) => {
    const events = new JobsEvents();
    const told: unknown[] = [];
    const seen: AttemptEnd[] = [];
    events.on('instrumentFailed', (detail) => told.push(detail));
    const watching = { send: () => Promise.resolve(), traceContext: () => undefined };
    events.instrumentWith({ ...watching, watch });
    events.instrumentWith({ ...watching, watch: () => (end) => void seen.push(end) });
    await expect(process(events, () => Promise.resolve(DONE))).resolves.toBe(DONE);
    expect(told).toEqual([{ error, failures: 1 }]);
    expect(seen).toEqual([DONE]);
  });

  it('bring their traces together', () => {
    const events = new JobsEvents();
    expect(events.instrumentWith(noting([], 'a', { traceparent: 'x' }))).toBeDefined();
    events.instrumentWith(noting([], 'b'));
    expect(events.instrument!.traceContext()).toEqual({ traceparent: 'x' });
    events.instrumentWith(noting([], 'c', { b3: 'y' }));
    expect(events.instrument!.traceContext()).toEqual({ traceparent: 'x', b3: 'y' });
  });

  const faults: readonly (readonly [when: string, instrument: JobsInstrument])[] = [
    [
      'before they call',
      {
        send: () => Promise.reject(error),
        traceContext: () => undefined,
        process: () => {
          throw error;
        },
      },
    ],
    [
      'after the call',
      {
        send: async (_sending, write) => {
          await write();
          throw error;
        },
        traceContext: () => undefined,
        process: async (_job, run) => {
          await run();
          throw error;
        },
      },
    ],
    [
      'after a second call',
      {
        send: async (_sending, write) => {
          await Promise.all([write(), write()]);
          throw error;
        },
        traceContext: () => undefined,
        process: async (_job, run) => {
          await Promise.all([run(), run()]);
          throw error;
        },
      },
    ],
  ];

  it.each(faults)('change nothing by what they throw %s', async (_when, instrument) => {
    const events = new JobsEvents();
    const told: unknown[] = [];
    events.on('instrumentFailed', (detail) => told.push(detail));
    events.instrumentWith(noting([], 'a'));
    events.instrumentWith(instrument);
    let calls = 0;
    const count = <Value>(value: Value) => {
      calls += 1;
      return Promise.resolve(value);
    };
    await expect(process(events, () => count(DONE))).resolves.toBe(DONE);
    await expect(send(events, () => count(JOBS))).resolves.toBe(JOBS);
    expect(calls).toBe(2);
    expect(told).toEqual([
      { error, failures: 1 },
      { error, failures: 2 },
    ]);
  });

  it('run a job once, however often they call', async () => {
    const events = new JobsEvents();
    const process: JobsInstrument['process'] = (_job, run) => Promise.all([run(), run()]);
    events.instrumentWith({ ...noting([], 'a'), process });
    let calls = 0;
    await events.instrument!.process(claimedJob(), () => {
      calls += 1;
      return Promise.resolve(DONE);
    });
    expect(calls).toBe(1);
  });

  it('need not call what they stand around', async () => {
    const events = new JobsEvents();
    events.instrumentWith({
      send: () => Promise.resolve(),
      traceContext: () => undefined,
      process: () => Promise.resolve(),
    });
    await expect(process(events, () => Promise.resolve(DONE))).resolves.toBe(DONE);
    await expect(send(events, () => Promise.resolve(JOBS))).resolves.toBe(JOBS);
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
