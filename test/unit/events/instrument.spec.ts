import { describe, expect, it } from '@jest/globals';
import { resultOf, type AttemptEnd, type JobsInstrument } from '../../../lib/events/instrument.js';
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

/** Calls the instrument of the events as an executor does. */
const process = (events: JobsEvents, run: () => Promise<AttemptEnd>) =>
  resultOf((once) => events.instrument!.process(claimedJob(), once), run);

const send = (events: JobsEvents, write: () => Promise<readonly Job[]>) =>
  resultOf((once) => events.instrument!.send(SENDING, once), write);

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
    const error = new Error('no database');
    await expect(send(events, () => Promise.reject(error))).rejects.toBe(error);
    expect(failures).toEqual([]);
  });

  it('bring their traces together', () => {
    const events = new JobsEvents();
    expect(events.instrumentWith(noting([], 'a', { traceparent: 'x' }))).toBeDefined();
    events.instrumentWith(noting([], 'b'));
    expect(events.instrument!.traceContext()).toEqual({ traceparent: 'x' });
    events.instrumentWith(noting([], 'c', { b3: 'y' }));
    expect(events.instrument!.traceContext()).toEqual({ traceparent: 'x', b3: 'y' });
  });

  const error = new Error('a fault');
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
    const traceContext = () => {
      throw error;
    };
    events.instrumentWith({ ...noting([], 'a'), traceContext });
    expect(events.instrument!.traceContext()).toBeUndefined();
    expect(told).toEqual([{ error, failures: 1 }]);
  });
});
