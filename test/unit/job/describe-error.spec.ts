import { describe, expect, it } from '@jest/globals';
import { describeError, isError, MAX_ERROR_LENGTH, storableText } from '../../../lib/job/describe-error.js';
import { PermanentError } from '../../../lib/job/errors.js';

const revoked = (): object => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
};

describe('describeError', () => {
  it('tells name, message and stack', () => {
    const text = describeError(new RangeError('too far'));
    expect(text).toMatch(/^RangeError: too far\n\s+at .*describe-error\.spec/);
    expect(text.match(/too far/g)).toHaveLength(1);
  });

  it('tells a name that was given after the stack was made', () => {
    expect(describeError(new PermanentError('no such user'))).toMatch(/^PermanentError: no such user\n/);
    const error = new Error('before');
    error.message = 'after';
    expect(describeError(error)).toMatch(/^Error: after\n/);
  });

  it('tells an error without a message by its name, and one without a stack by its title', () => {
    const bare = new Error('');
    bare.stack = '';
    expect(describeError(bare)).toBe('Error');
    const titled = new TypeError('no stack');
    delete titled.stack;
    expect(describeError(titled)).toBe('TypeError: no stack');
  });

  it('tells the causes below an error, five at most', () => {
    const chain = (depth: number): Error => {
      const error = new Error(`level ${String(depth)}`, depth === 0 ? {} : { cause: chain(depth - 1) });
      error.stack = '';
      return error;
    };
    expect(describeError(chain(2))).toBe(
      'Error: level 2\ncaused by: Error: level 1\ncaused by: Error: level 0',
    );
    expect(describeError(chain(9)).split('\n')).toHaveLength(6);
    expect(describeError(chain(9))).toMatch(/^Error: level 9\n.*\n.*\n.*\n.*\ncaused by: Error: level 4$/);
  });

  it('tells a cause that is no error', () => {
    expect(describeError(new Error('outer', { cause: { code: 7 } }))).toMatch(
      /\ncaused by: an object \(code 7\)$/,
    );
  });

  it('comes to an end where an error is its own cause, or a cause of its cause', () => {
    const own = new Error('own');
    own.cause = own;
    expect(describeError(own).match(/Error: own/g)).toHaveLength(1);
    const outer = new Error('outer');
    const inner = new Error('inner', { cause: outer });
    outer.cause = inner;
    expect(describeError(outer).match(/caused by: /g)).toHaveLength(1);
  });

  it('goes around getters that throw', () => {
    const error = new Error('hidden');
    for (const key of ['stack', 'cause', 'message', 'name']) {
      Object.defineProperty(error, key, {
        get: () => {
          throw new Error('not yours');
        },
      });
    }
    expect(describeError(error)).toBe('Error');
  });

  it('passes over names, messages and stacks that are no text', () => {
    const error = Object.assign(new Error('x'), { name: 7, message: Symbol('m'), stack: {} });
    expect(describeError(error)).toBe('Error');
  });

  it.each<[unknown, string]>([
    ['plain text', 'plain text'],
    [null, 'null'],
    [42, '42'],
    [undefined, 'undefined'],
    [{ status: 503 }, 'an object (status 503)'],
    [{ name: 'Failure', message: 'no', code: 'E7' }, 'Failure: no (an object, code E7)'],
    [{ message: 'no such user' }, 'no such user (an object)'],
    [new Map([['token', 'secret']]), 'an object of the class Map'],
    [['secret', 'secret'], 'an array of 2'],
    [Object.create(null), 'an object'],
    [() => 'secret', 'a function'],
    [Symbol('s'), 'Symbol(s)'],
  ])('prints %p, which is no error', (thrown, text) => {
    expect(describeError(thrown)).toBe(text);
  });

  it('keeps to itself what else is in a thrown value, which may be a secret', () => {
    const response = { status: 401, config: { headers: { Authorization: 'Bearer 4711' } }, token: '4711' };
    expect(describeError(response)).toBe('an object (status 401)');
    expect(describeError(new Error('outer', { cause: response }))).not.toContain('4711');
    expect(describeError(new AggregateError([response, ['4711']]))).not.toContain('4711');
  });

  it('calls nothing of a thrown value that would print it', () => {
    const custom = { [Symbol.for('nodejs.util.inspect.custom')]: () => 'secret', toString: () => 'secret' };
    expect(describeError(custom)).toBe('an object');
  });

  it('prints values that resist', () => {
    expect(typeof describeError(revoked())).toBe('string');
    const hostile = new Proxy(
      {},
      {
        get: () => {
          throw new Error('no');
        },
        getPrototypeOf: () => {
          throw new Error('no');
        },
      },
    );
    expect(typeof describeError(hostile)).toBe('string');
  });

  it('replaces NUL and halves of surrogate pairs, which databases refuse', () => {
    const text = describeError('a\0b \ud800 c \udc00 😀');
    expect(text).toBe('a\ufffdb \ufffd c \ufffd 😀');
  });

  it('keeps 8192 characters, and no half of a pair at the cut', () => {
    expect(MAX_ERROR_LENGTH).toBe(8192);
    expect(describeError('x'.repeat(8192))).toHaveLength(8192);
    expect(describeError('x'.repeat(100_000))).toHaveLength(8192);
    const cut = describeError(`${'x'.repeat(8191)}😀`);
    expect(cut.isWellFormed()).toBe(true);
    expect(cut.length).toBeLessThanOrEqual(8192);
    expect(describeError(`${'x'.repeat(8190)}😀`)).toBe(`${'x'.repeat(8190)}😀`);
  });
});

describe('describeError of an AggregateError', () => {
  const lines = (error: Error): string[] =>
    describeError(error)
      .split('\n')
      .filter((line) => !line.startsWith('    at '));

  it('names the errors that it gathers, a line each', () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { name: 'ConnectError' });
    expect(
      lines(new AggregateError([refused, new TypeError('no\nmore'), 'text'], 'All promises were rejected')),
    ).toEqual([
      'AggregateError: All promises were rejected',
      '- ConnectError: connect ECONNREFUSED 127.0.0.1:1',
      '- TypeError: no',
      '- text',
    ]);
  });

  it('names five of many, and counts the others', () => {
    const errors = Array.from({ length: 12 }, (_, n) => new Error(`no ${n}`));
    expect(lines(new AggregateError(errors)).slice(-2)).toEqual(['- Error: no 4', '- and 7 more']);
  });

  it('names those of its causes as well, and survives a list that cannot be read', () => {
    const cause = new AggregateError([new Error('below')]);
    expect(describeError(new Error('above', { cause }))).toContain('\n- Error: below');
    const { proxy, revoke } = Proxy.revocable([], {});
    revoke();
    expect(describeError(Object.assign(new Error('odd'), { errors: proxy }))).toContain('Error: odd');
  });
});

describe('storableText', () => {
  it('leaves a text as it is that every database takes', () => {
    expect(storableText('line\n\ttab ü 😀')).toBe('line\n\ttab ü 😀');
  });
});

describe('isError', () => {
  it('knows errors of other realms and DOMExceptions', async () => {
    const { runInNewContext } = await import('node:vm');
    expect(isError(runInNewContext('new TypeError("far away")'))).toBe(true);
    expect(isError(AbortSignal.abort().reason)).toBe(true);
  });

  it('takes nothing else for one', () => {
    for (const value of ['Error', { name: 'Error', message: 'x', stack: 'x' }, null, undefined, revoked()])
      expect(isError(value)).toBe(false);
  });
});
