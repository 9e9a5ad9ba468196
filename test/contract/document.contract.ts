import { describe, expect, it } from '@jest/globals';
import { InvalidJobError } from '../../lib/job/errors.js';
import { KIND, LONG, MAX_BYTES, type Store } from '../support/store.js';

const MB = 'x'.repeat(MAX_BYTES - 2); // the maximum size, including its quotes
const ALL_BYTES = Uint8Array.from({ length: 256 }, (_, byte) => byte);
const CYCLE: Record<string, unknown> = { a: { b: [] } };
(CYCLE.a as { b: unknown[] }).b.push(CYCLE);

/** Values that JSON keeps exactly. */
const EXACT: readonly [string, unknown][] = [
  ['null', null],
  ['false', false],
  ['true', true],
  ['zero', 0],
  ['numbers of every size', [1e300, -1e-300, 5e-324, 2 ** 53, 0.1, -7, 1.7976931348623157e308]],
  ['an empty string', ''],
  ['a string', 'hello'],
  ['a string that looks like JSON', '{"a": [1, "null"]}'],
  ['an empty list', []],
  ['an empty object', {}],
  ['an object with an empty key', { '': { '': '' } }],
  ['keys in their order', { z: 1, a: 2, m: { y: 1, b: 2 }, 10: 'ten', 2: 'two' }],
  [
    'keys of many kinds',
    { 'a b': 1, "it's": 2, '"': 3, '\\': 4, é: 5, '\u{1F600}': 6, '\0': 7, '\ud800': 8 },
  ],
  ['NUL and lone surrogates', ['\0', 'a\0b', '\ud83d', '\ude00\ud83d', { '\0': '\udfff' }]],
  ['emoji, accents and right-to-left text', '\u{1F468}\u200D\u{1F469} e\u0301 é שלום \u202E'],
  ['quotes, backslashes, ? and $1', `' '' \\ \\' " \\" ? ?? $1 :name %s \u2028 \u2029`],
  ['control characters', Array.from({ length: 32 }, (_, code) => String.fromCharCode(code)).join('|')],
  ['200 levels of lists', nested(200, (inner) => [inner])],
  ['1,000 levels of objects', nested(1000, (inner) => ({ inner }))],
  ['a key __proto__', JSON.parse('{"__proto__": {"admin": true}, "constructor": 1, "toString": 2}')],
  ['the largest text', MB],
  ['the largest text of three bytes a character', '€'.repeat(Math.floor((MAX_BYTES - 2) / 3))],
];

/** Values that JSON converts. */
const CONVERTED: readonly [string, unknown, unknown][] = [
  ['a Date becomes its ISO string', { at: new Date(0) }, { at: '1970-01-01T00:00:00.000Z' }],
  ['toJSON is applied', { url: new URL('https://a.test/?b=1') }, { url: 'https://a.test/?b=1' }],
  ['a Date alone becomes its ISO string', new Date(1), '1970-01-01T00:00:00.001Z'],
  ['undefined properties are left out', { a: undefined, b: { c: undefined }, d: 1 }, { b: {}, d: 1 }],
  [
    'an object of a class becomes its properties',
    new (class Point {
      x = 1;
      #hidden = 2;
      get sum() {
        return this.#hidden;
      }
    })(),
    { x: 1 },
  ],
  ['minus zero becomes zero', [-0], [0]],
  ['an object that is used twice is written twice', twice({ a: 1 }), [{ a: 1 }, { a: 1 }]],
];

const BYTES: readonly [string, Uint8Array][] = [
  ['none', new Uint8Array()],
  ['all 256', ALL_BYTES],
  ['a Buffer', Buffer.from('\0\u{1F600}\\\'"')],
  ['a view into a larger buffer', new Uint8Array(ALL_BYTES.buffer, 13, 40)],
  ['a Buffer within a larger one', Buffer.from(ALL_BYTES).subarray(200, 203)],
  ['the maximum number', new Uint8Array(MAX_BYTES).fill(0x27)],
];

const REFUSED: readonly [string, unknown, string][] = [
  ['NaN', NaN, ''],
  ['Infinity in a list', { a: [1, Infinity] }, '.a[1]'],
  ['-Infinity', { 'a b': { c: -Infinity } }, '["a b"].c'],
  ['a Number object that is NaN', { a: Object(NaN) as unknown }, '.a'],
  ['a BigInt', { items: [{ price: 1n }] }, '.items[0].price'],
  ['a function', { a: { run: () => 1 } }, '.a.run'],
  ['a function alone', () => 1, ''],
  ['a symbol', { a: Symbol('s') }, '.a'],
  ['a circle', CYCLE, '.a.b[0]'],
  ['undefined in a list', [1, undefined], '[1]'],
  // eslint-disable-next-line no-sparse-arrays -- the hole is the subject
  ['a hole in a list', { a: [1, , 3] }, '.a[1]'],
  ['an invalid Date', { at: new Date(NaN) }, '.at'],
  ['a Map', { a: new Map([[1, 2]]) }, '.a'],
  ['a Set', new Set([1]), ''],
  ['a Promise', { later: Promise.resolve(1) }, '.later'],
  ['a RegExp', { re: /x/ }, '.re'],
  ['an Error', { error: new Error('x') }, '.error'],
  ['bytes within an object', { file: new Uint8Array(2) }, '.file'],
  ['a Buffer within a list', [Buffer.from('x')], '[0]'],
  ['numbers in a typed array', new Float64Array(2), ''],
  ['text of one byte too many', `${MB}x`, ''],
  ['text that is too large in UTF-8 alone', '€'.repeat(MAX_BYTES / 3), ''],
  ['one byte too many', new Uint8Array(MAX_BYTES + 1), ''],
];

/** Promise 13, for payloads and for results. */
export function documentContract(store: Store): void {
  /** Sends a value as a payload, and the same or another value as a result. */
  const roundTrip = async (value: unknown, result = value) => {
    const { id, payload: returned } = await store.client.enqueue(KIND, value);
    let seen: unknown;
    await store.queue.dequeue([KIND], (job) => {
      seen = job.payload;
      return result;
    });
    const job = await store.job(id);
    expect(job.lastError).toBeUndefined();
    return { returned, seen, stored: job.payload, result: job.result };
  };
  const refused = async (result: unknown) => {
    const { id } = await store.client.enqueue(KIND);
    await store.queue.dequeue([KIND], () => result);
    return store.job(id);
  };

  describe('13. Payload and result read back as JSON makes them', () => {
    it.each(EXACT)('%s', async (_name, value) => {
      const text = JSON.stringify(value);
      for (const read of Object.values(await roundTrip(value))) {
        expect(JSON.stringify(read) === text).toBe(true);
      }
    });

    it.each(CONVERTED)('%s', async (_name, value, expected) => {
      for (const read of Object.values(await roundTrip(value))) expect(read).toStrictEqual(expected);
    });

    it('keeps a key __proto__ as an ordinary property', async () => {
      const value: unknown = JSON.parse('{"__proto__": {"admin": true}}');
      for (const read of Object.values(await roundTrip(value))) {
        expect(Object.keys(read as object)).toEqual(['__proto__']);
        expect((read as { admin?: boolean }).admin).toBeUndefined();
      }
    });

    it('distinguishes an absent payload or result from null', async () => {
      const absent = await roundTrip(undefined);
      expect(Object.values(absent)).toEqual([undefined, undefined, undefined, undefined]);
      const nulls = await roundTrip(null);
      expect(Object.values(nulls)).toEqual([null, null, null, null]);
    });

    it('keeps a text payload and a bytes result apart, and the other way around', async () => {
      const bytes = await roundTrip('text', ALL_BYTES);
      expect(bytes).toMatchObject({ stored: 'text', result: ALL_BYTES });
      const text = await roundTrip(ALL_BYTES, 'text');
      expect(text).toMatchObject({ stored: ALL_BYTES, result: 'text' });
    });
  });

  describe('13. Bytes are kept byte for byte', () => {
    it.each(BYTES)('%s', async (_name, bytes) => {
      for (const read of Object.values(await roundTrip(bytes))) {
        expect(read).toBeInstanceOf(Uint8Array);
        expect(Buffer.compare(read as Uint8Array, bytes)).toBe(0);
      }
    });
  });

  it('13. Bytes are copied at the call, so later changes to the array have no effect', async () => {
    const [payload, result] = [new Uint8Array([1, 2]), new Uint8Array([3, 4])];
    const { id } = await store.client.enqueue(KIND, payload);
    payload.fill(9);
    await store.queue.dequeue([KIND], (job) => {
      expect(job.payload).toEqual(new Uint8Array([1, 2]));
      (job.payload as Uint8Array).fill(9);
      return result;
    });
    result.fill(9);
    const job = await store.job(id);
    expect(job).toMatchObject({
      payload: new Uint8Array([1, 2]),
      result: new Uint8Array([3, 4]),
    });
  });

  describe('13. A value that JSON would lose is refused, with its path', () => {
    it.each(REFUSED)('%s as a payload', async (_name, value, path) => {
      const refusal = store.client.enqueue(KIND, value);
      await expect(refusal).rejects.toBeInstanceOf(InvalidJobError);
      await expect(refusal).rejects.toMatchObject({ path: `payload${path}` });
      expect(await store.queue.claim([KIND], 1, LONG)).toEqual([]);
    });

    it.each(REFUSED.filter(([, value]) => !(value instanceof Promise)))(
      '%s as a result fails the attempt',
      async (_name, value, path) => {
        const job = await refused(value);
        expect(job).toMatchObject({ status: 'FAILED', attemptsDone: 1 });
        expect(job.lastError).toMatch(/^InvalidJobError: result/);
        expect(job.lastError!.startsWith(`InvalidJobError: result${path} `)).toBe(true);
        expect(job.result).toBeUndefined();
      },
    );

    it('applies the configured maxPayloadBytes', async () => {
      const client = store.clientOf(store.queue, undefined, 10);
      await client.enqueue(KIND, '12345678');
      await client.enqueue(KIND, new Uint8Array(10));
      await expect(client.enqueue(KIND, '123456789')).rejects.toThrow(/11 bytes.*allows 10/);
      await expect(client.enqueue(KIND, '1234567€')).rejects.toThrow(/12 bytes/);
      await expect(client.enqueue(KIND, new Uint8Array(11))).rejects.toThrow(/11 bytes/);
    });

    it('retries a job with a refused result if attempts are left', async () => {
      const { id } = await store.client.enqueue(KIND);
      await store.work({
        [KIND]: {
          run: (_job, { attempt }) => (attempt === 1 ? NaN : 'fine'),
          options: { maxAttempts: 2, backoff: () => 0 },
        },
      });
      expect(await store.ended(id)).toMatchObject({ status: 'DONE', result: 'fine', attemptsDone: 2 });
      expect((await store.job(id)).lastError).toMatch(/^InvalidJobError: result is NaN/);
    });
  });

  describe('13. No error message is refused', () => {
    const stored = async (thrown: unknown) => {
      const { id } = await store.client.enqueue(KIND);
      await store.queue.dequeue([KIND], () => {
        throw thrown;
      });
      const { lastError, status } = await store.job(id);
      expect(status).not.toBe('PENDING');
      return lastError!;
    };

    it('with NUL or half a surrogate pair', async () => {
      const text = await stored(new Error('a\0b \ud800 c \udc00\ud83d end'));
      expect(text).toMatch(/^Error: a\uFFFDb \uFFFD c \uFFFD\uFFFD end/);
      expect(await stored('\0\ud800')).toBe('panic: \uFFFD\uFFFD');
    });

    it('of any length, even if it is cut within a surrogate pair', async () => {
      for (const pad of ['', '.']) {
        const text = await stored(new Error(pad + '\u{1F600}'.repeat(50_000)));
        expect(text.length).toBeLessThanOrEqual(8192);
        expect(text.startsWith(`Error: ${pad}\u{1F600}\u{1F600}`)).toBe(true);
        expect(text.isWellFormed()).toBe(true);
      }
    });

    it('with quotes, placeholders and emoji', async () => {
      const text = `it's "so" \\ \\' ? $1 %s \u{1F600} \u0001`;
      expect(await stored(new Error(text))).toContain(`Error: ${text}\n`);
    });
  });
}

function nested(depth: number, wrap: (inner: unknown) => unknown): unknown {
  let value: unknown = 'core';
  for (let level = 0; level < depth; level++) value = wrap(value);
  return value;
}

function twice(value: object): object[] {
  return [value, value];
}
