import { HttpException } from '@nestjs/common';
import { ApplicationClosedError } from '../../job/application-errors.js';
import { JobNotWaitingError, JobRunningError } from '../../job/control-errors.js';
import {
  DuplicateJobError,
  InvalidJobError,
  InvalidPayloadError,
  InvalidScheduleError,
  JobsError,
  UnknownKindError,
} from '../../job/errors.js';
import { UnknownScheduleError } from '../../job/schedule-errors.js';
import {
  ConnectionTimeoutError,
  DatabaseNotReadyError,
  DatabaseTimeoutError,
} from '../../job/storage-errors.js';
import type { Refusal } from '../api/screens.js';

export type RefusalCode =
  | 'invalid'
  | 'forbidden'
  | 'cross-site'
  | 'read-only'
  | 'not-found'
  | 'conflict'
  | 'refused'
  | 'too-slow'
  | 'too-many'
  | 'database'
  | 'closing'
  | 'internal';

const STATUS: Readonly<Record<RefusalCode, number>> = {
  invalid: 400,
  forbidden: 403,
  'cross-site': 403,
  'read-only': 403,
  'not-found': 404,
  conflict: 409,
  refused: 422,
  'too-slow': 503,
  'too-many': 503,
  database: 503,
  closing: 503,
  internal: 500,
};

/** What the dashboard answers where it does not do what it was asked. */
export class DashboardRefusal extends HttpException {
  constructor(
    readonly code: RefusalCode,
    message: string,
    options?: { readonly cause?: unknown },
  ) {
    super({ error: { code, message } } satisfies Refusal, STATUS[code], options);
    this.message = message;
  }
}

/** The same for any error. The text of an error that is not ours stays in the log: it may tell of more than jobs. */
export function refusalOf(error: unknown): DashboardRefusal {
  if (error instanceof DashboardRefusal) return error;
  const code = codeOf(error);
  const text =
    code === 'internal' ? 'The server could not do it; its log says why.' : (error as Error).message;
  return new DashboardRefusal(code, text, { cause: error });
}

function codeOf(error: unknown): RefusalCode {
  if (error instanceof UnknownScheduleError) return 'not-found';
  if (isOneOf(error, [JobNotWaitingError, JobRunningError, DuplicateJobError])) return 'conflict';
  if (isOneOf(error, [InvalidJobError, InvalidPayloadError, InvalidScheduleError, UnknownKindError]))
    return 'invalid';
  if (error instanceof ApplicationClosedError) return 'closing';
  if (isOneOf(error, [ConnectionTimeoutError, DatabaseNotReadyError, DatabaseTimeoutError]))
    return 'database';
  return error instanceof JobsError ? 'refused' : 'internal';
}

function isOneOf(error: unknown, types: readonly (abstract new (...args: never[]) => Error)[]): boolean {
  return types.some((type) => error instanceof type);
}
