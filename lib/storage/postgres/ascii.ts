import type { EncodedJob } from '../../job/encode-job.js';
import type { Outcome } from '../../job/outcome.js';
import type { JobsDialect } from '../sql/jobs-dialect.js';

/**
 * Sends documents and messages in ASCII, for a database whose encoding has not every character. JSON with escapes is the
 * same JSON.
 */
export function inAscii(jobs: JobsDialect): JobsDialect {
  return {
    ...jobs,
    insert: (sql, given, isJoined) => jobs.insert(sql, given.map(asciiJob), isJoined),
    settle: (sql, settlements, isJoined) => {
      const ascii = settlements.map((settlement) => ({
        ...settlement,
        outcome: asciiOutcome(settlement.outcome),
      }));
      return jobs.settle(sql, ascii, isJoined);
    },
  };
}

/** A job whose documents are in ASCII. */
export function asciiJob(job: EncodedJob): EncodedJob {
  const { payload, carried, settings } = job;
  const json = asciiText(payload.json);
  return {
    ...job,
    payload: { ...payload, json },
    carried: asciiText(carried),
    settings: asciiText(settings),
  };
}

function asciiOutcome(outcome: Outcome): Outcome {
  if (outcome.type === 'done')
    return { ...outcome, result: { ...outcome.result, json: asciiText(outcome.result.json) } };
  if (outcome.type === 'snoozed') return outcome;
  if (outcome.type === 'cancelled') return { ...outcome, reason: asciiText(outcome.reason) };
  return { ...outcome, lastError: asciiText(outcome.lastError) };
}

/** JSON has characters beyond ASCII in its texts alone, where an escape means the same. */
export function asciiText<T extends string | null>(text: T): T {
  return (text === null ? null : text.replace(/[^\0-\x7f]/g, escaped)) as T;
}

/** `\u20ac`, for each UTF-16 unit. */
function escaped(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
