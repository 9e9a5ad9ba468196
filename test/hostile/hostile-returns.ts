import { Observable, throwError } from 'rxjs';
import type { JobHandlerOptions } from '../../lib/job/handler-options.js';
import { nest } from './arbitraries.js';
import { ENDS, FAILS, type HostileHandler } from './hostile-handler.js';
import { allTraps, revoked, throws, withTrap } from './traps.js';

const transferred = (): Uint8Array => {
  const bytes = Uint8Array.of(1, 2, 3);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  return bytes;
};
const TIME_LIMIT: JobHandlerOptions = { timeoutMs: 50 };
const never = () => undefined;

/** Handlers that return what cannot be stored. */
export const RETURNED: readonly HostileHandler[] = [
  ['returns a function', () => () => 1, ['FAILED']],
  ['returns a symbol', () => Symbol('x'), ['FAILED']],
  ['returns NaN', () => NaN, ['FAILED']],
  ['returns a BigInt', () => 1n, ['FAILED']],
  ['returns a revoked proxy', () => revoked({}), FAILS],
  ['returns a proxy all of whose traps throw', allTraps, FAILS],
  ['returns an object whose property throws', () => withTrap({}, 'a'), FAILS],
  ['returns an object whose then throws', () => withTrap({}, 'then'), FAILS],
  ['returns an object whose toJSON throws', () => ({ toJSON: throws(() => new Error('x')) }), ['FAILED']],
  [
    'returns an object whose toJSON throws a revoked proxy',
    () => ({ toJSON: throws(() => revoked({})) }),
    FAILS,
  ],
  [
    'returns an object whose toJSON throws an object without a prototype',
    () => ({ toJSON: throws(() => Object.create(null)) }),
    FAILS,
  ],
  [
    'returns an object whose toJSON returns itself',
    () => {
      const value = { toJSON: (): unknown => value };
      return value;
    },
    ENDS,
  ],
  [
    'returns a cycle',
    () => {
      const value: unknown[] = [];
      value.push(value);
      return value;
    },
    ['FAILED'],
  ],
  ['returns 100,000 levels', () => nest(100_000, true), ['FAILED']],
  ['returns more than is allowed', () => 'x'.repeat(2_000_000), ['FAILED']],
  ['returns bytes that were transferred', transferred, ENDS],
  [
    'returns bytes and transfers them at once',
    () => {
      const bytes = Uint8Array.of(1);
      queueMicrotask(() => structuredClone(bytes.buffer, { transfer: [bytes.buffer] }));
      return bytes;
    },
    ENDS,
  ],
  [
    'returns a generator',
    function* () {
      yield 1;
    },
    ['FAILED'],
  ],
  [
    'returns an Observable',
    () =>
      new Observable((observer) => {
        observer.next(1);
        observer.complete();
      }),
    ENDS,
  ],
  ['returns an Observable that fails', () => throwError(() => new Error('x')), FAILS],
  ['returns an Observable that never ends', () => new Observable(never), ENDS, TIME_LIMIT],
  ['returns an object whose subscribe throws', () => ({ subscribe: throws(() => new Error('x')) }), ENDS],
  ['returns a thenable that never settles', () => ({ then: never }), ['FAILED'], TIME_LIMIT],
  ['returns a promise that never settles', () => new Promise(never), ['FAILED'], TIME_LIMIT],
  [
    'returns a thenable that settles twice',
    () => ({
      then: (resolve: (value: unknown) => void, reject: (error: unknown) => void) => {
        resolve(1);
        reject(new Error('x'));
        throw new Error('y');
      },
    }),
    ['DONE'],
  ],
  [
    'returns a thenable that rejects with a revoked proxy',
    () => ({ then: (_: unknown, reject: (error: unknown) => void) => reject(revoked({})) }),
    ['PANIC'],
  ],
  [
    'rejects after its time',
    (_job, { signal }) =>
      new Promise((_, reject) =>
        signal.addEventListener('abort', () => setImmediate(() => reject(new Error('late')))),
      ),
    ['FAILED'],
    TIME_LIMIT,
  ],
  [
    'throws in a listener of its signal',
    (_job, { signal }) =>
      new Promise((resolve) =>
        signal.addEventListener('abort', () => {
          resolve(1);
        }),
      ),
    ['FAILED'],
    TIME_LIMIT,
  ],
];
