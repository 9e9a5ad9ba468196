import { describe, expect, it, jest } from '@jest/globals';
import { InvalidJobError } from '../../../lib/job/errors.js';
import { JobEncoder } from '../../../lib/job/encode-job.js';
import { requireName } from '../../../lib/job/names.js';
import { MAX_DELAY_MS } from '../../../lib/job/retry.js';
import { thrownBy } from '../fakes.js';

const prepare = (job: object) => new JobEncoder(1_000).encode({ kind: 'mail', ...job });
const refusal = (job: object): InvalidJobError => {
  const error = thrownBy(() => prepare(job));
  expect(error).toBeInstanceOf(InvalidJobError);
  return error as InvalidJobError;
};

describe('JobEncoder', () => {
  it('fills in what is left out', () => {
    const { id, ...rest } = prepare({});
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    expect(rest).toEqual({
      kind: 'mail',
      payload: { json: null, bytes: null },
      payloadVersion: 1,
      carried: null,
      runAtMs: null,
      delayMs: 0,
      priority: 0,
      maxAttempts: null,
      settings: null,
    });
  });

  it('keeps what is given', () => {
    const runAt = new Date('2030-01-02T03:04:05.678Z');
    const given = { id: 'order-7', payload: { a: 1 }, runAt, priority: -5, maxAttempts: 3 };
    expect(prepare(given)).toEqual({
      id: 'order-7',
      kind: 'mail',
      payload: { json: '{"a":1}', bytes: null },
      payloadVersion: 1,
      carried: null,
      runAtMs: runAt.getTime(),
      delayMs: 0,
      priority: -5,
      maxAttempts: 3,
      settings: null,
    });
    expect(prepare({ delayMs: 1_500 }).delayMs).toBe(1_500);
  });

  it('stores tags, trimmed, among the settings', () => {
    expect(prepare({ tags: [' blue ', 'order:7'] }).settings).toBe('{"tags":["blue","order:7"]}');
    expect(prepare({ tags: [] }).settings).toBeNull();
    expect(
      prepare({ tags: Array.from({ length: 10 }, (_, n) => `${n}`.repeat(100)) }).settings,
    ).not.toBeNull();
  });

  it.each<[unknown, string, RegExp]>([
    ['blue', 'tags', /is of type string; it must be a list/],
    [null, 'tags', /is null/],
    [['1', '2', '3', '4', '5', '6', '7', '8', '9', '10', '11'], 'tags', /has 11 entries.*at most 10/],
    [['a', ''], 'tags[1]', /has 0 characters; it must have 1 to 100/],
    [['x'.repeat(101)], 'tags[0]', /has 101 characters/],
    [['x'.repeat(5_000)], 'tags[0]', /more than 100/],
    [[7], 'tags[0]', /is of type number/],
    [['a\0b'], 'tags[0]', /NUL/],
    [['a\ud800'], 'tags[0]', /surrogate/],
    [['a', ' a'], 'tags[1]', /is "a" again/],
  ])('refuses %p as tags', (tags, path, problem) => {
    expect(refusal({ tags })).toMatchObject({ path, problem: expect.stringMatching(problem) });
  });

  it('stores a backoff among the settings', () => {
    const backoff = { type: 'exponential', delayMs: 100, jitter: 0 };
    expect(prepare({ backoff }).settings).toBe(JSON.stringify({ backoff }));
  });

  it.each<[unknown, string, RegExp]>([
    [() => 5, 'backoff', /is a function, which cannot be stored/],
    [{ type: 'linear' }, 'backoff', /it must be a function, \{ type/],
    [{ type: 'fixed' }, 'backoff.delayMs', /is undefined; it must be a number of milliseconds/],
    [{ type: 'exponential', delay: 5 }, 'backoff.delay', /Did you mean "delayMs"/],
    [Proxy.revocable({}, {}).proxy, 'backoff', /it must be/],
  ])('refuses %p as backoff', (backoff, path, problem) => {
    expect(refusal({ backoff })).toMatchObject({ path, problem: expect.stringMatching(problem) });
  });

  it('makes ids that rise from job to job', () => {
    const encoder = new JobEncoder(1_000);
    const ids = Array.from({ length: 1_000 }, () => encoder.encode({ kind: 'mail' }).id);
    expect(ids.toSorted()).toEqual(ids);
  });

  it('passes on what is wrong with a payload', () => {
    expect(refusal({ payload: { items: [{ price: NaN }] } }).path).toBe('payload.items[0].price');
    expect(refusal({ payload: 'x'.repeat(999) }).problem).toMatch(/maxPayloadBytes allows 1000/);
  });

  it('refuses runAt together with delayMs', () => {
    expect(refusal({ runAt: new Date(), delayMs: 0 }).path).toBe('delayMs');
  });

  it.each([new Date('0001-01-01T00:00:00.000Z'), new Date('9999-12-31T23:59:59.999Z'), new Date(0)])(
    'takes %p as runAt',
    (runAt) => {
      expect(prepare({ runAt }).runAtMs).toBe(runAt.getTime());
    },
  );

  it.each([
    new Date('0000-12-31T23:59:59.999Z'),
    new Date('+010000-01-01T00:00:00.000Z'),
    new Date(NaN),
    '2030-01-01',
    1_900_000_000_000,
    null,
  ])('refuses %p as runAt', (runAt) => {
    expect(refusal({ runAt })).toMatchObject({ path: 'runAt' });
  });

  it('takes delays from none to a hundred years and no other', () => {
    for (const delayMs of [0, 0.5, MAX_DELAY_MS]) expect(prepare({ delayMs }).delayMs).toBe(delayMs);
    for (const delayMs of [-1, NaN, Infinity, MAX_DELAY_MS + 1, '5', null])
      expect(refusal({ delayMs }).path).toBe('delayMs');
  });

  it('takes priorities of 32 bits and no other', () => {
    for (const priority of [-(2 ** 31), 0, 2 ** 31 - 1])
      expect(prepare({ priority }).priority).toBe(priority);
    for (const priority of [-(2 ** 31) - 1, 2 ** 31, 1.5, NaN, '1', null])
      expect(refusal({ priority }).path).toBe('priority');
  });

  it('takes maxAttempts from one and no other', () => {
    for (const maxAttempts of [1, 2 ** 31 - 1])
      expect(prepare({ maxAttempts }).maxAttempts).toBe(maxAttempts);
    for (const maxAttempts of [0, -1, 1.5, 2 ** 31, Infinity, '3', null])
      expect(refusal({ maxAttempts }).path).toBe('maxAttempts');
  });

  it('checks id and kind alike', () => {
    expect(prepare({ id: '  a ', kind: '\tmail\n' })).toMatchObject({ id: 'a', kind: 'mail' });
    expect(refusal({ id: '' }).path).toBe('id');
    expect(refusal({ id: null }).path).toBe('id');
    expect(refusal({ kind: ' ' }).path).toBe('kind');
    expect(refusal({ kind: undefined }).path).toBe('kind');
  });
});

describe('JobEncoder, of a name that it does not know', () => {
  it.each([
    ['attempts', 'maxAttempts'],
    ['maxAttemps', 'maxAttempts'],
    ['delay', 'delayMs'],
    ['jobId', 'id'],
    ['Priority', 'priority'],
  ])('refuses %s, and suggests %s', (name, meant) => {
    const error = thrownBy(() => new JobEncoder(100).encode({ kind: 'k', [name]: 3 }));
    expect(error).toBeInstanceOf(InvalidJobError);
    expect(error).toMatchObject({ path: name, problem: expect.stringContaining(`Did you mean ${meant}?`) });
  });

  it('refuses one that resembles none, and lists those there are', () => {
    const error = thrownBy(() => new JobEncoder(100).encode({ kind: 'k', removeOnComplete: true } as never));
    expect((error as Error).message).toMatch(
      /^removeOnComplete is not known\. A job takes id, kind, payload,/,
    );
  });
});

describe('requireName', () => {
  it('counts no characters of a name that is too long in any case', () => {
    const counted = jest.spyOn(Array, 'from');
    const name = '😀'.repeat(1_000_000);
    const error = thrownBy(() => requireName(name, 'id')) as InvalidJobError;
    expect(counted).not.toHaveBeenCalled();
    counted.mockRestore();
    expect(error.message).toBe('id has more than 255 characters; it must have 1 to 255.');
  });

  it('trims, and keeps case and what is inside', () => {
    expect(requireName('  Mail Über 😀  ', 'kind')).toBe('Mail Über 😀');
  });

  it('takes 255 characters after trimming, pairs counted once, and not one more', () => {
    expect(requireName(` ${'x'.repeat(255)} `, 'id')).toHaveLength(255);
    expect(requireName('😀'.repeat(255), 'id')).toHaveLength(510);
    for (const name of ['x'.repeat(256), '😀'.repeat(256)]) {
      const error = thrownBy(() => requireName(name, 'id')) as InvalidJobError;
      expect(error.message).toBe('id has 256 characters; it must have 1 to 255.');
    }
  });

  it('refuses what is no string, is empty, or holds what databases refuse', () => {
    for (const name of [7, null, undefined, {}, '', '   ', 'a\0b', 'a\ud800'])
      expect(thrownBy(() => requireName(name, 'kind'))).toMatchObject({ path: 'kind' });
  });
});
