import { types } from 'node:util';
import { EARLIEST_RUN_AT, LATEST_RUN_AT } from '../job/encode-job.js';
import { millisOf } from '../job/names.js';

/** A job can be run from here to `LATEST_MS`, in milliseconds since 1970. */
export const EARLIEST_MS = EARLIEST_RUN_AT.getTime();
export const LATEST_MS = LATEST_RUN_AT.getTime();

/** A Date of whichever realm, at which a job can be run. */
export function isInstant(value: unknown): value is Date {
  if (!types.isDate(value)) return false;
  const millis = millisOf(value);
  return millis >= EARLIEST_MS && millis <= LATEST_MS;
}
