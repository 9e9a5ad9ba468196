import type { LogLines } from './log-line.js';
import { nameOf, printableError, seconds, titleOf } from './log-text.js';

/** The lines that tell of what handlers ask of their context. */
export const HANDLER_LINES = {
  snoozed: {
    debug: ({ job, delayMs }) =>
      `${titleOf(job)}: put back by its handler, runs again in ${seconds(delayMs)}.`,
  },
  noteRefused: {
    warn: ({ job, error }) =>
      `A progress or a line of the log of ${nameOf(job)} was dropped, as will be others of this attempt that cannot be ` +
      `stored: ${printableError(error).split('\n', 1)[0]!}`,
  },
  notesFailed: {
    warn: ({ count, error, failures }) =>
      failures === 1
        ? `Could not write progress and logs of ${count} jobs, trying again while they run: ${printableError(error)}`
        : undefined,
  },
} satisfies LogLines;
