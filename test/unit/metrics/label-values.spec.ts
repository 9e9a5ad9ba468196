import { describe, expect, it } from '@jest/globals';
import { PermanentError } from '../../../lib/job/errors.js';
import { errorTypeOf, LabelValues } from '../../../lib/metrics/label-values.js';

class NoSuchUserError extends Error {}

describe('The type of an error', () => {
  it.each([
    [new Error('x'), 'Error'],
    [new TypeError('x'), 'TypeError'],
    [new NoSuchUserError('x'), 'NoSuchUserError'],
    [new PermanentError('x'), 'PermanentError'],
    [Object.assign(new Error('x'), { name: 'QueryFailedError' }), 'QueryFailedError'],
    [Object.assign(new Error('x'), { name: 'order 4711 failed' }), 'Error'],
    [Object.assign(new Error('x'), { name: 'a'.repeat(101) }), 'Error'],
    ['thrown', 'string'],
    [undefined, 'undefined'],
    [null, 'null'],
    [{}, 'Object'],
    [Object.create(null), '_OTHER'],
    [
      new Proxy(new Error('x'), {
        get: () => {
          throw new Error('hostile');
        },
      }),
      '_OTHER',
    ],
  ] as const)('is found, whatever was thrown: %#', (...[error, type]) => {
    expect(errorTypeOf(error)).toBe(type);
  });
});

describe('The values of labels', () => {
  it('are a thousand kinds and a hundred types of errors at most', () => {
    const values = new LabelValues();
    const kinds = Array.from({ length: 1_200 }, (_, n) => values.kind(`k${n}`));
    expect(new Set(kinds).size).toBe(1_001);
    expect([values.kind('k0'), values.kind('k1199')]).toEqual(['k0', '_OTHER']);
    const named = (name: string) => Object.assign(new Error('x'), { name });
    const types = Array.from({ length: 120 }, (_, n) => values.errorType(named(`E${n}`)));
    expect(new Set(types).size).toBe(101);
    expect(types.at(-1)).toBe('_OTHER');
  });
});
