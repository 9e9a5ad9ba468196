import type { LogLines } from './log-line.js';
import { printable, printableError } from './log-text.js';

/** The lines that tell of schedules. */
export const SCHEDULE_LINES = {
  scheduleSkipped: {
    warn: ({ schedule, kind, tick, reason, count, inRow }) => {
      if (reason === 'missed')
        return `${titleOf(schedule, kind)} has missed ${count} ${count === 1 ? 'tick' : 'ticks'} since ${tick.toISOString()}, for which no job is made.`;
      if (inRow > count) return undefined; // told at the first of them
      return (
        `${titleOf(schedule, kind)} skips its tick ${tick.toISOString()}: its last job has not ended. ` +
        `Further ones are counted and not logged until a tick makes a job again.`
      );
    },
  },
  scheduleCancelled: {
    log: ({ schedule, kind, job }) =>
      `${titleOf(schedule, kind)} cancels its last job ${printable(job.id)} for the next one.`,
  },
  scheduleFailed: {
    error: ({ schedule, kind, tick, error, failures }) =>
      failures === 1
        ? `${titleOf(schedule, kind)} could not make the job of ${tick.toISOString()}; trying again: ${printableError(error)}`
        : undefined,
  },
  schedulingFailed: {
    warn: ({ error, failures }) =>
      failures === 1
        ? `Could not look for schedules; trying again until it works: ${printableError(error)}`
        : undefined,
  },
  schedulingRecovered: {
    log: ({ failures }) => `Fires schedules again after ${failures} failures.`,
  },
} satisfies LogLines;

function titleOf(schedule: string, kind: string): string {
  return `Schedule ${printable(schedule)} (kind ${printable(kind)})`;
}
