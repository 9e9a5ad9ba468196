import type { LogLines } from './log-line.js';
import { nameOf, printable, printableError } from './log-text.js';

/** The lines that tell of what operators do with jobs. */
export const CONTROL_LINES = {
  stopRequested: {
    log: ({ job, reason }) => `Stops ${nameOf(job)}, which is to be cancelled${because(reason)}.`,
  },
  reclaimedCancelled: {
    warn: ({ id, kind, workerId }) =>
      `Job ${printable(id)} (kind ${printable(kind)}) was to be cancelled and lost its worker ${printable(workerId)}: ` +
      `it is CANCELLED.`,
  },
  kindPaused: {
    log: ({ kind, until, reason }) =>
      `${allOr(kind)} paused${until === null ? '' : ` until ${until.toISOString()}`}${because(reason)}.`,
  },
  kindResumed: {
    log: ({ kind }) => `${allOr(kind)} paused no longer.`,
  },
  controlsFailed: {
    error: ({ error, failures }) =>
      failures === 1
        ? `Could not read which kinds are paused, and starts no job after half a minute of this; trying again: ` +
          printableError(error)
        : undefined,
  },
  controlsRecovered: {
    log: ({ failures }) => `Reads again which kinds are paused, after ${failures} failures.`,
  },
  eventsLost: {
    warn: ({ error, failures }) =>
      failures === 1
        ? `Could not write events for listeners of other processes, who are told of a lag: ${printableError(error)}`
        : undefined,
  },
  eventsUnread: {
    warn: ({ error, failures }) =>
      failures === 1
        ? `Could not read events of other processes; trying again until it works: ${printableError(error)}`
        : undefined,
  },
  jobListenerFailed: {
    error: ({ listener, type, error }) =>
      `${printable(listener)} failed for an event (${printable(type)}); no job was affected: ${printableError(error)}`,
  },
} satisfies LogLines;

function allOr(kind: string): string {
  return kind === '*' ? 'All kinds are' : `The kind ${printable(kind)} is`;
}

/** `: the order was cancelled`, or nothing. */
export function because(reason: string | null): string {
  return reason === null ? '' : `: ${printable(reason)}`;
}
