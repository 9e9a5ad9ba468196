import { RetryableError } from '../../lib/job/errors.js';
import { FAILS, type HostileHandler } from './hostile-handler.js';
import { RETURNED } from './hostile-returns.js';
import { THROWN } from './hostile-throws.js';
import { revoked, throws } from './traps.js';

/** Handlers that do something to what they were given. */
const MEDDLING: readonly HostileHandler[] = [
  [
    'deletes all that is in its job',
    (job) => {
      for (const name of Object.keys(job)) Reflect.deleteProperty(job, name);
    },
    ['DONE'],
  ],
  [
    'puts revoked proxies into its job and throws',
    (job) => {
      for (const name of [...Object.keys(job), 'maxAttempts']) Reflect.set(job, name, revoked({}));
      throw new Error('x');
    },
    ['PENDING', ...FAILS],
  ],
  [
    'gives its job another id and lease token',
    (job) => {
      Object.assign(job, { id: 'another', leaseToken: 99, kind: 'another' });
    },
    ['DONE'],
  ],
  [
    'freezes its job',
    (job) => {
      Object.freeze(job);
    },
    ['DONE'],
  ],
  [
    'freezes its context',
    (_job, context) => {
      Object.freeze(context);
      return context.signal.aborted;
    },
    ['DONE'],
  ],
  ['reads the manager that it has not', (_job, context) => context.manager, FAILS],
  [
    'has a backoff that throws',
    throws(() => new RetryableError('x')),
    ['PENDING'],
    { maxAttempts: 2, backoff: throws(() => new Error('backoff')) },
  ],
];

export const HOSTILE_HANDLERS: readonly HostileHandler[] = [...THROWN, ...RETURNED, ...MEDDLING];
