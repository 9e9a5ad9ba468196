import type { NewJob } from '../../lib/job/job.js';
import { nest } from './arbitraries.js';
import { revoked, throws, withTrap } from './traps.js';

/** A part of a job that no database can hold, and what it is: the enqueue is to be refused. */
export type RefusedPart = readonly [what: string, part: () => unknown];

const cycle: Record<string, unknown> = {};
cycle.self = [cycle];
const noPrototype = () => Object.create(null) as object;
const NAMES: readonly RefusedPart[] = [
  ['an empty text', () => ''],
  ['blanks', () => ' \t\n\u00a0\ufeff'],
  ['a NUL', () => 'a\0b'],
  ['half a surrogate pair', () => 'a\ud83d'],
  ['256 characters', () => 'x'.repeat(256)],
  ['256 emoji', () => '\u{1F600}'.repeat(256)],
  ['a number', () => 1],
  ['null', () => null],
  ['a symbol', () => Symbol('id')],
  ['an object with a toString', () => ({ toString: () => 'id' })],
  ['an object without a prototype', noPrototype],
  ['an invalid date', () => new Date(NaN)],
  ['a revoked proxy', () => revoked({})],
];
const NUMBERS: readonly RefusedPart[] = [
  ['NaN', () => NaN],
  ['Infinity', () => Infinity],
  ['a text', () => '1'],
  ['null', () => null],
  ['a BigInt', () => 1n],
  ['a symbol', () => Symbol('1')],
  ['an object without a prototype', noPrototype],
  ['a list', () => [1]],
  ['a revoked proxy', () => revoked({})],
];
const INTEGERS: readonly RefusedPart[] = [
  ...NUMBERS,
  ['a fraction', () => 1.5],
  ['2³¹', () => 2 ** 31],
  ['less than -2³¹', () => -(2 ** 31) - 1],
];
const PAYLOADS: readonly RefusedPart[] = [
  ['NaN', () => NaN],
  ['Infinity deep inside', () => ({ a: [{ b: Infinity }] })],
  ['a BigInt', () => [1n]],
  ['a function', () => () => 1],
  ['a symbol', () => ({ a: Symbol('a') })],
  ['undefined in a list', () => [undefined]],
  ['a Map', () => new Map([['a', 1]])],
  ['a Promise', () => Promise.resolve(1)],
  ['an Error', () => new Error('x')],
  ['an invalid date', () => ({ at: new Date(NaN) })],
  ['bytes inside JSON', () => ({ bytes: Uint8Array.of(1) })],
  ['a cycle', () => cycle],
  ['more bytes than allowed', () => new Uint8Array(1024 * 1024 + 1)],
  ['more text than allowed', () => 'x'.repeat(1024 * 1024)],
  ['100,000 levels', () => nest(100_000, true)],
  ['a revoked proxy', () => revoked({})],
  ['a revoked proxy of a list', () => [revoked([])]],
  ['a getter that throws', () => withTrap({}, 'a')],
  ['a toJSON that throws', () => ({ toJSON: throws(() => new Error('x')) })],
  ['a toJSON that throws a symbol', () => ({ toJSON: throws(() => Symbol('x')) })],
  ['a toJSON that throws an object without a prototype', () => ({ toJSON: throws(() => noPrototype()) })],
  ['a toJSON that throws a revoked proxy', () => ({ toJSON: throws(() => revoked({})) })],
  ['a toStringTag that throws', () => withTrap({}, Symbol.toStringTag)],
];

/** An option with a key, and another part of it. */
const keyed = (part: object, wrong: Readonly<Record<string, unknown>>): RefusedPart[] => [
  ['null', () => null],
  ['a text', () => 'key'],
  ['a list', () => [part]],
  ['no key', () => ({ ...part, key: undefined })],
  ['an empty key', () => ({ ...part, key: ' ' })],
  ['a key with a NUL', () => ({ ...part, key: 'a\0' })],
  ['a key of 256 characters', () => ({ ...part, key: 'x'.repeat(256) })],
  ['a number as its key', () => ({ ...part, key: 1 })],
  ['a field that is not known', () => ({ ...part, id: 1 })],
  ['a getter that throws', () => withTrap({ ...part }, 'key')],
  ['a revoked proxy', () => revoked({})],
  ...Object.entries(wrong).map(([what, fields]): RefusedPart => [
    what,
    () => ({ ...part, ...(fields as object) }),
  ]),
];

/** By the name of the field. */
export const REFUSED_FIELDS: Readonly<Record<Exclude<keyof NewJob, 'definition'>, readonly RefusedPart[]>> = {
  id: NAMES,
  kind: [...NAMES, ['undefined', () => undefined]],
  payload: PAYLOADS,
  priority: INTEGERS,
  maxAttempts: [...INTEGERS, ['0', () => 0]],
  backoff: [
    ...['null', 'a text', 'a list'].map((what, n): RefusedPart => [what, () => [null, 'fixed', []][n]]),
    ['a function', () => () => 1_000],
    ['no delay', () => ({ type: 'fixed' })],
    ['another type', () => ({ type: 'linear', delayMs: 1 })],
    ['a delay of NaN', () => ({ type: 'exponential', delayMs: NaN })],
    ['a field that is not known', () => ({ type: 'fixed', delayMs: 1, delay: 1 })],
    ['an object without a prototype', noPrototype],
    ['a getter that throws', () => withTrap({ type: 'fixed' }, 'delayMs')],
    ['a revoked proxy', () => revoked({})],
  ],
  tags: [
    ['null', () => null],
    ['a text', () => 'blue'],
    ['an object', () => ({ 0: 'blue', length: 1 })],
    ['eleven', () => Array.from({ length: 11 }, (_, n) => `tag ${n}`)],
    ['undefined', () => Array.from({ length: 1 })],
    ['the same twice', () => ['a', ' a ']],
    ['101 characters', () => ['x'.repeat(101)]],
    ['a NUL', () => ['a\0']],
    ['a symbol', () => [Symbol('a')]],
    ['a getter that throws', () => withTrap(['a'], '0')],
    ['a revoked proxy', () => revoked([])],
  ],
  ifExists: [
    ['join without an id', () => 'join'],
    ['null', () => null],
    ['another word', () => 'ignore'],
    ['a symbol', () => Symbol('join')],
  ],
  unique: keyed(
    { key: 'a' },
    {
      'another time': { while: 'running' },
      'a time of NaN': { while: { forMs: NaN } },
      'a time of 0': { while: { forMs: 0 } },
      'no time': { while: {} },
      'two times': { while: { forMs: 1, perMs: 1 } },
      'another conflict': { onConflict: 'ignore' },
    },
  ),
  debounce: keyed(
    { key: 'a', waitMs: 10 },
    {
      'no wait': { waitMs: undefined },
      'a wait of 0': { waitMs: 0 },
      'less than the wait': { maxWaitMs: 9 },
      'an endless wait': { maxWaitMs: Infinity },
    },
  ),
  throttle: keyed(
    { key: 'a', perMs: 10 },
    { 'no time': { perMs: undefined }, 'a text as its time': { perMs: '1' } },
  ),
  delayMs: [...NUMBERS, ['less than 0', () => -1], ['more than a hundred years', () => 1e13]],
  runAt: [
    ['an invalid date', () => new Date(NaN)],
    ['the year 0', () => new Date('0000-12-31T23:59:59.999Z')],
    ['the year 10000', () => new Date('+010000-01-01T00:00:00.000Z')],
    ['a text', () => '2026-01-01'],
    ['a number', () => 0],
    ['null', () => null],
    ['an object that says it is a date', () => ({ [Symbol.toStringTag]: 'Date', valueOf: () => 'soon' })],
    ['an object without a prototype', noPrototype],
    ['a revoked proxy', () => revoked(new Date(0))],
  ],
};

/** What stands in a list of jobs and is none. */
export const REFUSED_JOBS: readonly RefusedPart[] = [
  ['null', () => null],
  ['undefined', () => undefined],
  ['a number', () => 1],
  ['a text', () => 'mail'],
  ['a list', () => []],
  ['a field that is not known', () => ({ kind: 'mail', attempts: 3 })],
  ['delayMs and runAt', () => ({ kind: 'mail', delayMs: 1, runAt: new Date(0) })],
];
