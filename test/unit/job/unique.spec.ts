import { describe, expect, it } from '@jest/globals';
import { defineJob } from '../../../lib/job/definition.js';
import { JobEncoder } from '../../../lib/job/encode-job.js';
import {
  DuplicateJobError,
  InvalidJobError,
  InvalidOptionError,
  JobsError,
} from '../../../lib/job/errors.js';
import { checkHandlerOptions } from '../../../lib/job/handler-options.js';
import type { JobSettings } from '../../../lib/job/job.js';
import { encodeUniqueByPayload } from '../../../lib/job/unique.js';
import { thrownBy } from '../fakes.js';

const encode = (settings: JobSettings) => new JobEncoder(1_000).encode({ kind: 'mail', ...settings });
const refusal = (settings: object) => thrownBy(() => encode(settings));

describe('A unique key', () => {
  it('holds while the job waits, and lets others join, unless it says otherwise', () => {
    expect(encode({ unique: { key: ' a ' } }).unique).toEqual({
      key: 'a',
      while: 'waiting',
      forMs: null,
      onConflict: 'join',
      maxWaitMs: null,
      isIdNew: true,
    });
    const unique = { key: 'a', while: { forMs: 500 }, onConflict: 'reject' } as const;
    expect(encode({ id: 'x', unique }).unique).toMatchObject({
      while: 'window',
      forMs: 500,
      onConflict: 'reject',
      isIdNew: false,
    });
  });

  it('is stored among the settings of the job, beside the others', () => {
    expect(encode({ unique: { key: 'a', while: 'unsettled' }, tags: ['t'] }).settings).toBe(
      '{"tags":["t"],"unique":{"key":"a","while":"unsettled"}}',
    );
    expect(encode({ throttle: { key: 'a', perMs: 5 } }).settings).toBe(
      '{"unique":{"key":"a","while":"window","forMs":5}}',
    );
  });

  it('is no field of a job that has none', () => {
    expect(encode({})).not.toHaveProperty('unique');
    expect(encode({ id: 'x', ifExists: 'reject' })).not.toHaveProperty('ifExists');
    expect(encode({ id: 'x', ifExists: 'join' })).toHaveProperty('ifExists', 'join');
  });

  it.each<[object, string, RegExp]>([
    [{ unique: { key: 7 } }, 'unique.key', /is of type number; it must be a string/],
    [{ unique: {} }, 'unique.key', /is of type undefined/],
    [{ unique: { key: '  ' } }, 'unique.key', /has 0 characters/],
    [{ unique: { key: 'a', while: 'running' } }, 'unique.while', /'waiting', 'unsettled' or { forMs }/],
    [{ unique: { key: 'a', while: { forMs: 0 } } }, 'unique.while.forMs', /milliseconds from 1 to/],
    [{ unique: { key: 'a', while: { forMs: undefined } } }, 'unique.while.forMs', /milliseconds from 1 to/],
    [{ unique: { key: 'a', onConflict: 'ignore' } }, 'unique.onConflict', /'join' or 'replace' or 'reject'/],
    [{ unique: { key: 'a', conflict: 'join' } }, 'unique.conflict', /Did you mean "onConflict"/],
    [{ unique: 'a' }, 'unique', /is of type string; it must be an object/],
    [{ debounce: { key: 'a' } }, 'debounce.waitMs', /milliseconds from 1 to/],
    [{ debounce: { key: 'a', waitMs: 9, maxWaitMs: 8 } }, 'debounce.maxWaitMs', /not be less than waitMs/],
    [{ debounce: { key: 'a', waitMs: 9 }, delayMs: 3 }, 'debounce', /together with delayMs/],
    [{ debounce: { key: 'a', waitMs: 9 }, unique: { key: 'a' } }, 'debounce', /together with unique/],
    [{ throttle: { key: 'a', perMs: 9 }, debounce: { key: 'a', waitMs: 9 } }, 'throttle', /with debounce/],
    [{ throttle: { key: 'a' } }, 'throttle.perMs', /milliseconds from 1 to/],
    [{ id: 'x', ifExists: 'replace' }, 'ifExists', /is "replace"; it must be 'reject' or 'join'/],
    [{ ifExists: 'join' }, 'ifExists', /without an id/],
  ])('%o is refused, and the error says where', (settings, path, problem) => {
    const error = refusal(settings);
    expect(error).toBeInstanceOf(InvalidJobError);
    expect(error).toMatchObject({ path, problem: expect.stringMatching(problem) });
  });
});

describe('A debounce', () => {
  it('replaces the job that waits, and starts it when the time is over', () => {
    const { unique, delayMs } = encode({ debounce: { key: 'a', waitMs: 100, maxWaitMs: 900 } });
    expect(delayMs).toBe(100);
    expect(unique).toMatchObject({ while: 'waiting', onConflict: 'replace', maxWaitMs: 900 });
  });
});

describe('The unique key of a handler', () => {
  it.each<[unknown, string]>([
    ['a', 'unique'],
    [{}, 'unique.key'],
    [{ key: 'a' }, 'unique.key'],
    [{ key: String, while: 'always' }, 'unique.while'],
    [{ key: String, onConflict: 'skip' }, 'unique.onConflict'],
    [{ key: String, by: 1 }, 'unique.by'],
  ])('is refused at the start where it is %o', (unique, path) => {
    const error = thrownBy(() => checkHandlerOptions({ unique } as object, 'Mails.send: '));
    expect(error).toBeInstanceOf(InvalidOptionError);
    expect(error).toMatchObject({ option: `Mails.send: ${path}` });
    const ofDefinition = thrownBy(() => defineJob('mail', { unique } as never));
    expect(ofDefinition).toMatchObject({ option: `defineJob("mail"): ${path}` });
  });

  it('is what its function makes of the payload', () => {
    const unique = { key: ({ id }: { id: string }) => ` ${id}`, while: 'unsettled' } as const;
    expect(encodeUniqueByPayload(unique, { id: 'x' }, true)).toMatchObject({ key: 'x', while: 'unsettled' });
  });

  it('refuses the job where the function throws, and tells why', () => {
    const fault = new Error('no id');
    const error = thrownBy(() =>
      encodeUniqueByPayload(
        {
          key: () => {
            throw fault;
          },
        },
        1,
        true,
      ),
    );
    expect(error).toBeInstanceOf(InvalidJobError);
    expect(error).toMatchObject({ path: 'unique.key', cause: fault });
  });

  it.each([[undefined], [7], [null], [Promise.resolve('a')], [''], ['a\0']])(
    'refuses the job where the function returns %o',
    (key) => {
      const error = thrownBy(() => encodeUniqueByPayload({ key: () => key as string }, 1, true));
      expect(error).toBeInstanceOf(InvalidJobError);
      expect(error).toMatchObject({ path: 'unique.key' });
    },
  );
});

describe('DuplicateJobError', () => {
  it('tells the other job, and by what it is the same', () => {
    const byKey = new DuplicateJobError('job 1', { kind: 'mail', key: 'a' });
    expect(byKey).toMatchObject({ name: 'DuplicateJobError', id: 'job 1', kind: 'mail', key: 'a' });
    expect(byKey.message).toMatch(
      /^The job "job 1" of kind "mail" holds the unique key "a"; nothing was written/,
    );
    const cause = new Error('23505');
    const byId = new DuplicateJobError('job 1', { cause });
    expect(byId).toMatchObject({ id: 'job 1', cause });
    expect(byId).toBeInstanceOf(JobsError);
    expect(byId.key).toBeUndefined();
  });
});
