import type { JobLogLine } from '../../job/job-log.js';
import type { Job } from '../../job/job.js';
import type { JobReader } from '../../queue/job-reader.js';
import type { JobPage, LogRow } from '../api/job-screens.js';

/** How many lines a page shows. */
const SHOWN = 1_000;
const BEGINNING = { attempt: 0, line: 0 };
const LAST_ATTEMPT = 2 ** 31 - 1;

/** The log of a job: all of it, or where that is too long the log of its newest attempts. */
export async function jobLog(
  reader: Pick<JobReader, 'logs'>,
  { id, attemptsDone }: Job,
): Promise<JobPage['logs']> {
  const all = await linesFrom(reader, id, 0);
  if (all.length <= SHOWN) return { lines: all.map(logRow), lost: lostOf(all) };
  const newest = await linesFrom(reader, id, attemptsDone + 1);
  const lines = newest.length > 0 ? newest : await linesFrom(reader, id, attemptsDone);
  const shown = (lines.length > 0 ? lines : all).slice(-SHOWN);
  return { lines: shown.map(logRow), lost: Math.max(1, lostOf(shown)) };
}

function linesFrom(reader: Pick<JobReader, 'logs'>, id: string, fromAttempt: number): Promise<JobLogLine[]> {
  return reader.logs(id, { fromAttempt, toAttempt: LAST_ATTEMPT, after: BEGINNING, limit: SHOWN + 1 });
}

/** The numbers of the lines of an attempt have no gaps but where lines were dropped. */
function lostOf(lines: readonly JobLogLine[]): number {
  return lines.reduce((lost, { attempt, line }, index) => {
    const before = lines[index - 1];
    return lost + line - 1 - (before?.attempt === attempt ? before.line : 0);
  }, 0);
}

/** Fields stand behind the text, as JSON. */
function logRow({ attempt, line, at, level, text, fields }: JobLogLine): LogRow {
  const all = [text, fields === undefined ? undefined : JSON.stringify(fields)];
  return {
    ...{ attempt, line, at: at.getTime(), level },
    text: all.filter((part) => part !== undefined).join(' '),
  };
}
