import { PermanentError, RetryableError } from '../../lib/job/errors.js';
import { FAILS, type HostileHandler } from './hostile-handler.js';
import { allTraps, revoked, throws, withTrap } from './traps.js';

class TrappedRetry extends RetryableError {
  // @ts-expect-error -- a getter where there was a property
  override get retryAfterMs(): number {
    throw new Error('retryAfterMs cannot be read');
  }
  override set retryAfterMs(_ms: number | undefined) {
    // The constructor of the base class sets it.
  }
}
const endlessCauses = (): Error => {
  const error = new Error('a cause of itself');
  return Object.assign(error, { cause: error });
};

/** Handlers that throw. */
export const THROWN: readonly HostileHandler[] = [
  ['throws undefined', throws(() => undefined), ['PANIC']],
  ['throws null', throws(() => null), ['PANIC']],
  ['throws a symbol', throws(() => Symbol('x')), ['PANIC']],
  ['throws a BigInt', throws(() => 1n), ['PANIC']],
  ['throws an object without a prototype', throws(() => Object.create(null)), ['PANIC']],
  ['throws a revoked proxy', throws(() => revoked({})), ['PANIC']],
  ['throws a revoked proxy of an error', throws(() => revoked(new Error('x'))), FAILS],
  ['throws a revoked proxy of a function', throws(() => revoked(() => 1)), ['PANIC']],
  ['throws a proxy all of whose traps throw', throws(allTraps), FAILS],
  ...['name', 'message', 'stack', 'cause', 'code', 'errors', 'constructor', Symbol.toStringTag].map(
    (name): HostileHandler => [
      `throws an error whose ${String(name)} throws`,
      throws(() => withTrap(new Error('x'), name)),
      FAILS,
    ],
  ),
  ['throws an error without a prototype', throws(() => Object.setPrototypeOf(new Error('x'), null)), FAILS],
  [
    'throws an error whose texts are none',
    throws(() => Object.assign(new Error('x'), { name: 1, message: {}, stack: [] })),
    FAILS,
  ],
  [
    'throws an error whose prototype is revoked',
    throws(() => Object.setPrototypeOf(new Error('x'), revoked({}))),
    FAILS,
  ],
  [
    'throws an AggregateError whose errors throw',
    throws(() => withTrap(new AggregateError([1], 'x'), 'errors')),
    FAILS,
  ],
  [
    'throws an AggregateError of a list that throws',
    throws(() => Object.assign(new AggregateError([], 'x'), { errors: revoked([]) })),
    FAILS,
  ],
  [
    'throws an AggregateError whose errors cannot be read',
    throws(() => new AggregateError([revoked({}), allTraps()], 'x')),
    FAILS,
  ],
  [
    'throws an AggregateError of itself',
    throws(() => {
      const error = new AggregateError([], 'x');
      error.errors.push(error);
      return error;
    }),
    FAILS,
  ],
  ['throws an error that causes itself', throws(endlessCauses), FAILS],
  ['throws a message of 20 MB', throws(() => new Error('x'.repeat(20_000_000))), FAILS],
  ['throws a text of 20 MB', throws(() => 'x'.repeat(20_000_000)), ['PANIC']],
  [
    'throws a message of halves of surrogate pairs and NULs',
    throws(() => new Error('\ud83d\0\udfff')),
    FAILS,
  ],
  [
    'throws an object that cannot be inspected',
    throws(() => ({ [Symbol.for('nodejs.util.inspect.custom')]: throws(() => 1) })),
    ['PANIC'],
  ],
  ['rejects with a revoked proxy', () => Promise.reject(revoked(new Error('x'))), FAILS],
  [
    'throws a PermanentError whose message throws',
    throws(() => withTrap(new PermanentError('x'), 'message')),
    ['FAILED'],
  ],
  [
    'throws a RetryableError whose retryAfterMs throws',
    throws(() => new TrappedRetry('x')),
    ['PENDING', 'FAILED', 'PANIC'],
  ],
  [
    'throws a RetryableError that waits for NaN',
    throws(() => new RetryableError('x', { retryAfterMs: NaN })),
    ['FAILED'],
    { maxAttempts: 1 },
  ],
  [
    'throws a RetryableError that waits for a BigInt',
    throws(() => new RetryableError('x', { retryAfterMs: 1n as never })),
    ['FAILED'],
    { maxAttempts: 1 },
  ],
];
