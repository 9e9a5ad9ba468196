import assert from 'node:assert';
import { describe, expect, it } from '@jest/globals';
import { InvalidJobError, JobTimeoutError, PermanentError, RetryableError } from '../../../lib/job/errors.js';
import { isPanicByDefault } from '../../../lib/job/panic.js';
import { thrownBy } from '../fakes.js';

const raised = (call: () => unknown): unknown => thrownBy(call);
const untyped = (value: unknown): { missing: { name: string }; call: () => void } => value as never;

describe('isPanicByDefault', () => {
  it.each<[string, unknown]>([
    ['a property of undefined', raised(() => untyped({}).missing.name)],
    ['a call of what is no function', raised(() => untyped({}).call())],
    ['a name that does not exist', raised(() => new Function('return noSuchName')())], // eslint-disable-line @typescript-eslint/no-implied-eval, @typescript-eslint/no-unsafe-call
    [
      'an endless recursion',
      raised(function again(): number {
        return 1 + again();
      }),
    ],
    ['an array length that cannot be', raised(() => ([].length = -1))],
    ['an EvalError', new EvalError('no')],
    ['a failed assertion', raised(() => assert.equal(1, 2))],
    ['a text', 'no'],
    ['a number', 42],
    ['undefined', undefined],
    ['null', null],
    ['an object that only looks like an error', { name: 'Error', message: 'x' }],
  ])('says yes to %s', (_name, thrown) => {
    expect(isPanicByDefault(thrown)).toBe(true);
  });

  class MyTypeError extends TypeError {}
  it.each<[string, unknown]>([
    ['a plain Error', new Error('smtp is down')],
    ['an Error with a code', Object.assign(new Error('x'), { code: 'ECONNREFUSED' })],
    [
      '"fetch failed", a TypeError with a cause',
      new TypeError('fetch failed', { cause: new Error('ECONNREFUSED') }),
    ],
    ['a TypeError with a code, as Node throws for arguments', raised(() => Buffer.from(7 as never))],
    ['a RangeError with a code', Object.assign(new RangeError('x'), { code: 'ERR_OUT_OF_RANGE' })],
    ['a class of the user that extends TypeError', new MyTypeError('mine')],
    ['a SyntaxError, as JSON.parse throws it', raised(() => JSON.parse('{'))],
    ['an AggregateError', new AggregateError([new TypeError('x')])],
    ['an abort', AbortSignal.abort().reason],
    ['RetryableError', new RetryableError()],
    ['PermanentError', new PermanentError()],
    ['JobTimeoutError', new JobTimeoutError(5)],
    ['InvalidJobError', new InvalidJobError('result', 'is NaN')],
  ])('says no to %s', (_name, thrown) => {
    expect(isPanicByDefault(thrown)).toBe(false);
  });

  it('knows the engine errors of another realm by their names', async () => {
    const { runInNewContext } = await import('node:vm');
    expect(isPanicByDefault(raised(() => runInNewContext('undefined.x')))).toBe(true);
  });

  it('says yes to an error that cannot even be read', () => {
    const error = Object.defineProperty(new Error('x'), 'code', {
      get: () => {
        throw new Error('no');
      },
    });
    expect(isPanicByDefault(error)).toBe(true);
  });
});
