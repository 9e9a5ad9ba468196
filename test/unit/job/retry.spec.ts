import { describe, expect, it } from '@jest/globals';
import { InvalidOptionError, JobsError, PermanentError, RetryableError } from '../../../lib/job/errors.js';
import {
  backoffDelayMs,
  checkBackoff,
  DEFAULT_BACKOFF,
  isDelay,
  MAX_DELAY_MS,
  type Backoff,
} from '../../../lib/job/retry.js';
import { thrownBy } from '../fakes.js';

const atShortest = (): number => 0;
const atLongest = (): number => 1 - Number.EPSILON;
const series = (backoff: Backoff, random = atShortest): number[] =>
  [1, 2, 3, 4, 5].map((failures) => backoffDelayMs(backoff, failures, random));

describe('backoffDelayMs', () => {
  it('doubles from five seconds by default', () => {
    expect(series(DEFAULT_BACKOFF)).toEqual([5_000, 10_000, 20_000, 40_000, 80_000]);
  });

  it('grows to an hour by default and no further, also after thousands of failures', () => {
    for (const failures of [11, 50, 1_100, 2 ** 31])
      expect(backoffDelayMs(DEFAULT_BACKOFF, failures, atShortest)).toBe(3_600_000);
  });

  it('doubles from delayMs to maxDelayMs', () => {
    expect(series({ type: 'exponential', delayMs: 100, maxDelayMs: 500 })).toEqual([100, 200, 400, 500, 500]);
  });

  it('adds up to a fifth at random by default', () => {
    expect(series(DEFAULT_BACKOFF, atLongest)).toEqual([6_000, 12_000, 24_000, 48_000, 96_000]);
    const seen = new Set<number>();
    for (let count = 0; count < 200; count++) {
      const delayMs = backoffDelayMs(DEFAULT_BACKOFF, 1);
      expect(delayMs).toBeGreaterThanOrEqual(5_000);
      expect(delayMs).toBeLessThanOrEqual(6_000);
      seen.add(delayMs);
    }
    expect(seen.size).toBeGreaterThan(1);
  });

  it('adds as much as jitter says, none and all included', () => {
    expect(series({ type: 'exponential', delayMs: 100, jitter: 0 }, atLongest)[0]).toBe(100);
    expect(series({ type: 'exponential', delayMs: 100, jitter: 1 }, atLongest)[0]).toBe(200);
    expect(series({ type: 'exponential', delayMs: 100, jitter: 0.5 }, () => 0.5)[0]).toBe(125);
  });

  it('is always the same where it is fixed', () => {
    expect(series({ type: 'fixed', delayMs: 1_234 }, atLongest)).toEqual(Array(5).fill(1_234));
    expect(backoffDelayMs({ type: 'fixed', delayMs: 0 }, 3)).toBe(0);
  });

  it('asks a function with the number of failures so far', () => {
    expect(series((failures) => failures * 1_000)).toEqual([1_000, 2_000, 3_000, 4_000, 5_000]);
  });

  it.each<[string, () => unknown]>([
    ['NaN', () => NaN],
    ['a negative number', () => -1],
    ['Infinity', () => Infinity],
    ['more than a hundred years', () => MAX_DELAY_MS + 1],
    ['a text', () => '5000'],
    ['a promise', () => Promise.resolve(5_000)],
    ['nothing', () => undefined],
    [
      'an error',
      () => {
        throw new Error('bug');
      },
    ],
  ])('falls back to the default where a function gives %s', (_name, backoff) => {
    expect(series(backoff as Backoff)).toEqual([5_000, 10_000, 20_000, 40_000, 80_000]);
  });
});

describe('checkBackoff', () => {
  it.each<[Backoff]>([
    [{ type: 'exponential' }],
    [{ type: 'exponential', delayMs: 0, maxDelayMs: MAX_DELAY_MS, jitter: 1 }],
    [{ type: 'fixed', delayMs: 0 }],
    [() => 1],
  ])('takes %p', (backoff) => {
    expect(() => checkBackoff(backoff, 'backoff')).not.toThrow();
  });

  it.each<[unknown, string]>([
    [{ type: 'linear' }, 'backoff'],
    [{}, 'backoff'],
    [null, 'backoff'],
    ['exponential', 'backoff'],
    [5_000, 'backoff'],
    [{ type: 'fixed' }, 'backoff.delayMs'],
    [{ type: 'fixed', delayMs: -1 }, 'backoff.delayMs'],
    [{ type: 'fixed', delayMs: NaN }, 'backoff.delayMs'],
    [{ type: 'fixed', delayMs: '5' }, 'backoff.delayMs'],
    [{ type: 'exponential', delayMs: Infinity }, 'backoff.delayMs'],
    [{ type: 'exponential', maxDelayMs: MAX_DELAY_MS + 1 }, 'backoff.maxDelayMs'],
    [{ type: 'exponential', jitter: 1.01 }, 'backoff.jitter'],
    [{ type: 'exponential', jitter: -0.1 }, 'backoff.jitter'],
    [{ type: 'exponential', jitter: NaN }, 'backoff.jitter'],
    [{ type: 'exponential', maxDelay: 5 }, 'backoff.maxDelay'],
    [{ type: 'fixed', delayMs: 5, jitter: 0 }, 'backoff.jitter'],
  ])('refuses %p and names %s', (backoff, option) => {
    const error = thrownBy(() => checkBackoff(backoff, 'backoff')) as InvalidOptionError;
    expect(error).toBeInstanceOf(InvalidOptionError);
    expect(error.option).toBe(option);
  });
});

describe('isDelay', () => {
  it('takes milliseconds from none to a hundred years, fractions too', () => {
    for (const value of [0, 0.5, 5_000, MAX_DELAY_MS]) expect(isDelay(value)).toBe(true);
    for (const value of [-1, NaN, Infinity, MAX_DELAY_MS + 1, '5', null, undefined, 5n])
      expect(isDelay(value)).toBe(false);
  });
});

describe('RetryableError and PermanentError', () => {
  it('carry message, cause and delay, and their names', () => {
    const cause = new Error('429');
    const retryable = new RetryableError('slow down', { cause, retryAfterMs: 10_000 });
    expect(retryable).toMatchObject({
      name: 'RetryableError',
      message: 'slow down',
      cause,
      retryAfterMs: 10_000,
    });
    const permanent = new PermanentError('no such user', { cause });
    expect(permanent).toMatchObject({ name: 'PermanentError', message: 'no such user', cause });
    for (const error of [retryable, permanent]) expect(error).toBeInstanceOf(JobsError);
  });

  it('have a message of their own and no cause where none is given', () => {
    expect(new RetryableError().message).toBe('Try again later.');
    expect(new RetryableError().retryAfterMs).toBeUndefined();
    expect('cause' in new RetryableError('x', { retryAfterMs: 1 })).toBe(false);
    expect(new PermanentError().message).toBe('The job failed for good.');
  });
});
