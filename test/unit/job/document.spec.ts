import { Readable, Writable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { describeError } from '../../../lib/job/describe-error.js';
import { decodeDocument, encodeDocument } from '../../../lib/job/document.js';
import { InvalidJobError } from '../../../lib/job/errors.js';
import { UnreadableDocumentError } from '../../../lib/job/unreadable-document-error.js';
import { thrownBy } from '../fakes.js';

const LIMIT = 1024 * 1024;

const roundTrip = (value: unknown): unknown => {
  const { json, bytes } = encodeDocument(value, 'payload', LIMIT);
  return decodeDocument(json, bytes);
};

const refusal = (value: unknown, maxBytes = LIMIT): InvalidJobError => {
  const error = thrownBy(() => encodeDocument(value, 'payload', maxBytes));
  expect(error).toBeInstanceOf(InvalidJobError);
  return error as InvalidJobError;
};

describe('encodeDocument and decodeDocument', () => {
  it.each([
    ['null', null],
    ['false', false],
    ['zero', 0],
    ['the empty string', ''],
    ['an empty list', []],
    ['an empty object', {}],
    ['numbers at the edge of doubles', [Number.MAX_SAFE_INTEGER, Number.MIN_VALUE, 1.7976931348623157e308]],
    ['NUL, emoji and half a surrogate pair', 'a\0b 😀 \ud800 \udfff'],
    ['keys in an odd order', { b: 1, a: 2, 'odd key': { '': 3 } }],
    ['nested lists', [[[1], []], [{ a: [null] }]]],
  ])('gives back %s as it was', (_name, value) => {
    expect(roundTrip(value)).toStrictEqual(value);
    expect(JSON.stringify(roundTrip(value))).toBe(JSON.stringify(value));
  });

  it('keeps a key named __proto__ a key', () => {
    const value = JSON.parse('{"__proto__":{"admin":true}}') as object;
    const back = roundTrip(value) as object;
    expect(Object.keys(back)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype);
  });

  it('stores nothing for a value that is undefined', () => {
    expect(encodeDocument(undefined, 'payload', 1)).toEqual({ json: null, bytes: null });
    expect(decodeDocument(null, null)).toBeUndefined();
  });

  it('keeps bytes byte for byte and gives them back as a plain Uint8Array', () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    expect(encodeDocument(bytes, 'payload', LIMIT)).toEqual({ json: null, bytes });
    const back = decodeDocument(null, Buffer.from(bytes)) as Uint8Array;
    expect(Buffer.isBuffer(back)).toBe(false);
    expect([...back]).toEqual([...bytes]);
  });

  it('takes a Buffer and a view of a part of an ArrayBuffer for bytes', () => {
    const part = new Uint8Array(Uint8Array.from([9, 1, 2, 9]).buffer, 1, 2);
    expect(encodeDocument(Buffer.from([1, 2]), 'payload', 2).bytes).toEqual(Buffer.from([1, 2]));
    expect([...(roundTrip(part) as Uint8Array)]).toEqual([1, 2]);
  });

  it('leaves out properties that are undefined, as JSON does', () => {
    expect(encodeDocument({ a: undefined, b: 1 }, 'payload', LIMIT).json).toBe('{"b":1}');
  });

  it('turns a Date into its ISO string, wherever it is', () => {
    const date = new Date('2026-11-24T09:00:00.123Z');
    expect(roundTrip(date)).toBe('2026-11-24T09:00:00.123Z');
    expect(roundTrip({ at: [date] })).toEqual({ at: ['2026-11-24T09:00:00.123Z'] });
  });

  it('calls toJSON once for each place, with its key', () => {
    const calls: unknown[] = [];
    const price = {
      toJSON(key: string) {
        calls.push(key);
        return { cents: 5 };
      },
    };
    expect(roundTrip({ price, list: [price] })).toEqual({ price: { cents: 5 }, list: [{ cents: 5 }] });
    expect(calls).toEqual(['price', '0']);
  });

  it('looks into what toJSON returns', () => {
    const total = { toJSON: () => ({ cents: NaN }) };
    expect(refusal({ total }).path).toBe('payload.total.cents');
  });

  it('takes an object that stands in several places, as long as none contains itself', () => {
    const shared = { city: 'Bern', tags: ['a'] };
    const value = { from: shared, to: shared, stops: [shared, { at: shared }] };
    expect(roundTrip(value)).toEqual(value);
  });

  it('throws where the stored text is no JSON, and tells nothing of the text', () => {
    const error = thrownBy(() => decodeDocument('secret{', null, 'payload'));
    expect(error).toBeInstanceOf(UnreadableDocumentError);
    expect(error).toHaveProperty('document', 'payload');
    expect((error as Error).cause).toBeUndefined();
    expect((error as Error).message).toMatch(/^The stored payload is no JSON/);
    expect(describeError(error)).not.toContain('secret');
  });

  it('copies bytes when it encodes them: what becomes of theirs later changes nothing', () => {
    const bytes = Uint8Array.from([1, 2, 3]);
    const buffer = Buffer.from([4, 5, 6]);
    const documents = [bytes, buffer].map((value) => encodeDocument(value, 'result', LIMIT));
    bytes.fill(0);
    buffer.fill(0);
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
    expect(documents.map((document) => [...document.bytes!])).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ]);
  });

  it('gives bytes memory of their own, and not a window on that of a driver', () => {
    const packet = Buffer.from('other data, 3 bytes, other data');
    const back = decodeDocument(null, packet.subarray(12, 15)) as Uint8Array;
    expect(back.buffer.byteLength).toBe(3);
    expect(Buffer.from(back.buffer).toString()).toBe('3 b');
    packet.fill(0);
    expect(Buffer.from(back).toString()).toBe('3 b');
  });

  it('refuses bytes whose memory was transferred', () => {
    const bytes = Uint8Array.from([1, 2, 3]);
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
    expect(refusal(bytes).problem).toMatch(/is bytes whose memory is gone/);
  });
});

describe('encodeDocument refuses what JSON cannot hold or would change', () => {
  const cyclic: Record<string, unknown> = { items: [{}] };
  (cyclic.items as Record<string, unknown>[])[0]!.parent = cyclic;
  const cyclicList: unknown[] = [1];
  cyclicList.push(cyclicList);

  it.each<[string, unknown, string, RegExp]>([
    ['NaN', NaN, 'payload', /is NaN, which JSON cannot hold/],
    ['Infinity', { items: [0, 1, 2, { price: Infinity }] }, 'payload.items[3].price', /is Infinity/],
    ['-Infinity', [-Infinity], 'payload[0]', /is -Infinity/],
    ['a BigInt', { total: 10n }, 'payload.total', /is a BigInt.*string/],
    ['a function', { run: () => 1 }, 'payload.run', /is a function/],
    ['a symbol', { a: { b: Symbol('s') } }, 'payload.a.b', /is a symbol/],
    ['undefined in a list', [1, undefined], 'payload[1]', /is undefined.*use null/],
    ['a hole in a list', { list: new Array<number>(2) }, 'payload.list[0]', /is undefined/],
    ['a toJSON that returns undefined at the top', { toJSON: () => undefined }, 'payload', /is undefined/],
    ['an invalid Date', { due: new Date(NaN) }, 'payload.due', /is an invalid Date/],
    ['a Map', { map: new Map([[1, 2]]) }, 'payload.map', /is a Map/],
    ['a Set', { set: new Set([1]) }, 'payload.set', /is a Set/],
    ['a WeakMap', { map: new WeakMap() }, 'payload.map', /is a WeakMap/],
    ['a Promise that was not awaited', { user: Promise.resolve(1) }, 'payload.user', /is a Promise/],
    ['a RegExp', { pattern: /x/ }, 'payload.pattern', /is a RegExp/],
    ['an Error', { error: new Error('x') }, 'payload.error', /is a Error/],
    ['an ArrayBuffer', { data: new ArrayBuffer(4) }, 'payload.data', /is a ArrayBuffer/],
    ['a Response that was not read', { response: new Response('x') }, 'payload.response', /is a Response/],
    ['a Request', new Request('http://localhost'), 'payload', /is a Request/],
    ['a stream of the web', [new ReadableStream()], 'payload[0]', /is a ReadableStream/],
    ['a stream of Node that is read', { body: Readable.from(['x']) }, 'payload.body', /is a stream/],
    ['a stream of Node that is written', new Writable(), 'payload', /is a stream/],
    ['bytes inside of an object', { file: new Uint8Array(2) }, 'payload.file', /binary data inside/],
    ['a Buffer inside of a list', [Buffer.from('x')], 'payload[0]', /binary data inside/],
    ['other typed arrays', { samples: new Float32Array(2) }, 'payload.samples', /binary data inside/],
    ['a cycle', cyclic, 'payload.items[0].parent', /refers back to an object that contains it/],
    ['a list that contains itself', cyclicList, 'payload[1]', /refers back/],
  ])('%s', (_name, value, path, problem) => {
    const error = refusal(value);
    expect(error.path).toBe(path);
    expect(error.problem).toMatch(problem);
    expect(error.message).toBe(`${error.path} ${error.problem}`);
  });

  it.each<[unknown, string]>([
    [{ 'odd key': NaN }, 'payload["odd key"]'],
    [{ 'a.b': { c: NaN } }, 'payload["a.b"].c'],
    [{ 'say "hi"': [NaN] }, String.raw`payload["say \"hi\""][0]`],
    [{ '': NaN }, 'payload[""]'],
    [{ 7: NaN }, 'payload["7"]'],
    [{ größe: NaN }, 'payload.größe'],
    [{ $a_1: NaN }, 'payload.$a_1'],
    [[[{ a: [0, NaN] }]], 'payload[0][0].a[1]'],
    [{ first: { deep: { deeper: 1 } }, second: NaN }, 'payload.second'],
    [[{ a: { b: 1 } }, { a: { b: NaN } }], 'payload[1].a.b'],
  ])('%p with the path %s', (value, path) => {
    expect(refusal(value).path).toBe(path);
  });

  it('names the value as its caller does', () => {
    const error = thrownBy(() => encodeDocument({ a: NaN }, 'result', LIMIT)) as InvalidJobError;
    expect(error.path).toBe('result.a');
  });

  it('a getter that throws, with the cause', () => {
    const cause = new Error('no such column');
    const value = {
      get broken() {
        throw cause;
      },
    };
    const error = refusal(value);
    expect(error.path).toBe('payload');
    expect(error.cause).toBe(cause);
  });

  it('a nesting too deep for the stack', () => {
    let value: unknown = 1;
    for (let depth = 0; depth < 100_000; depth++) value = [value];
    expect(refusal(value).problem).toMatch(/cannot be turned into JSON/);
  });
});

describe('encodeDocument counts bytes', () => {
  it('of UTF-8, so that a text of three-byte characters fits exactly or not at all', () => {
    const text = '€'.repeat(10); // 30 bytes, and two quotes
    expect(encodeDocument(text, 'payload', 32).json).toBe(`"${text}"`);
    const error = refusal(text, 31);
    expect(error.path).toBe('payload');
    expect(error.problem).toMatch(/^is 32 bytes; maxPayloadBytes allows 31\./);
  });

  it('of pairs as four bytes, and of plain letters as one', () => {
    expect(encodeDocument('😀', 'payload', 6).json).toBe('"😀"');
    expect(refusal('😀', 5).problem).toMatch(/^is 6 bytes/);
    expect(encodeDocument('a'.repeat(98), 'payload', 100).json).toHaveLength(100);
    expect(refusal('a'.repeat(99), 100).problem).toMatch(/^is 101 bytes/);
  });

  it('of a Uint8Array as they are', () => {
    expect(encodeDocument(new Uint8Array(8), 'payload', 8).bytes).toHaveLength(8);
    expect(refusal(new Uint8Array(9), 8).problem).toMatch(/^is 9 bytes/);
  });
});

describe('encodeDocument looks at no more than it must', () => {
  /** A list of values of which each counts how often it is looked at. */
  function counted(
    value: unknown,
    length: number,
  ): { readonly list: object[]; readonly looks: () => number } {
    let looks = 0;
    const list = Array.from({ length }, () => ({
      get item() {
        looks += 1;
        return value;
      },
    }));
    return { list, looks: () => looks };
  }

  it('refuses what is hopelessly large before it has walked through it', () => {
    const { list, looks } = counted('x'.repeat(1_000), 100_000);
    expect(refusal(list, 10_000).message).toMatch(
      /^payload is more than 20000 bytes; maxPayloadBytes allows 10000/,
    );
    expect(looks()).toBeLessThan(100);
  });

  it('does the same where a value of it has a form of its own', () => {
    const { list, looks } = counted('x'.repeat(1_000), 100_000);
    expect(refusal([new Date(), ...list], 10_000).message).toMatch(/^payload is more than 20000 bytes/);
    expect(looks()).toBeLessThan(100);
  });

  it('judges by what toJSON leaves of a value', () => {
    const large = { rows: 'x'.repeat(100_000), toJSON: () => 'short' };
    expect(encodeDocument([large], 'payload', 1_000).json).toBe('["short"]');
    expect(refusal({ toJSON: () => 'x'.repeat(100_000) }, 1_000).message).toMatch(/^payload is more than/);
  });

  it('says the size of what is a little too large', () => {
    expect(refusal('x'.repeat(99), 100).message).toMatch(/^payload is 101 bytes; maxPayloadBytes allows 100/);
  });

  it('does not search all values above each value for a cycle', () => {
    let deep: unknown = {};
    for (let n = 0; n < 1_000; n++) deep = [deep];
    const { includes } = Array.prototype; // a spy of Jest would call what it spies on
    let compared = 0;
    Array.prototype.includes = function (this: unknown[], ...wanted) {
      compared += this.length;
      return includes.apply(this, wanted);
    };
    try {
      encodeDocument(deep, 'payload', LIMIT);
    } finally {
      Array.prototype.includes = includes;
    }
    expect(compared).toBeLessThan(10_000); // half a million, once
  });
});
