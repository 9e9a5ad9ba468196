import { InvalidJobError } from '../job/errors.js';
import type { JobLogLine, LogPosition, LogQuery } from '../job/job-log.js';
import { describeNumber, describeType, requireName } from '../job/names.js';
import { isObject } from '../job/option-checks.js';
import type { JobReader } from '../queue/job-reader.js';
import { requireOptions } from './enqueue-arguments.js';

/** Which lines of a job's log are wanted. */
export interface JobLogOptions {
  /** Only those of this attempt. Default: of all. */
  readonly attempt?: number;
  /** Only those after this one: the `next` of an answer, or a line. */
  readonly after?: LogPosition;
  /** At most so many, 1 to 1000. Default 100. */
  readonly limit?: number;
}

/** A part of the log of a job. */
export interface JobLog {
  /** In the order in which they were logged. Where earlier lines were dropped, a line of the level `warn` tells how many. */
  readonly lines: readonly JobLogLine[];
  /** What to give as `after` for the lines that follow; null where there are none so far. */
  readonly next: LogPosition | null;
}

const MAX_LIMIT = 1_000;
const MAX_NUMBER = 2 ** 31 - 1;
const BEGINNING: LogPosition = { attempt: 0, line: 0 };

/** @throws InvalidJobError */
export async function readLog(
  reader: Pick<JobReader, 'logs'>,
  id: string,
  options: JobLogOptions | undefined,
): Promise<JobLog> {
  const query = queryOf(requireOptions(options));
  const found = await reader.logs(requireName(id, 'id'), { ...query, limit: query.limit + 1 });
  const lines = found.slice(0, query.limit);
  const next = found.length > lines.length ? positionOf(lines.at(-1)!) : null;
  return { lines: withLosses(lines, query.after), next };
}

function queryOf({ attempt, after = BEGINNING, limit = 100 }: JobLogOptions): LogQuery {
  if (attempt !== undefined) requireWhole('attempt', attempt, 1, MAX_NUMBER);
  requireWhole('limit', limit, 1, MAX_LIMIT);
  if (!isObject(after))
    throw new InvalidJobError(
      'after',
      `is ${describeType(after)}; it must be a line, or the next of an answer.`,
    );
  requireWhole('after.attempt', after.attempt, 0, MAX_NUMBER);
  requireWhole('after.line', after.line, 0, MAX_NUMBER);
  return { fromAttempt: attempt ?? 0, toAttempt: attempt ?? MAX_NUMBER, after: positionOf(after), limit };
}

function requireWhole(path: string, value: unknown, min: number, max: number): void {
  if (Number.isInteger(value) && (value as number) >= min && (value as number) <= max) return;
  throw new InvalidJobError(
    path,
    `is ${describeNumber(value)}; it must be a whole number from ${min} to ${max}.`,
  );
}

function positionOf({ attempt, line }: LogPosition): LogPosition {
  return { attempt, line };
}

/** The numbers of the lines of an attempt have no gaps but where lines were dropped. */
function withLosses(lines: readonly JobLogLine[], after: LogPosition): JobLogLine[] {
  return lines.flatMap((line, index) => {
    const before = index === 0 ? after : lines[index - 1]!;
    const lost = line.line - 1 - (before.attempt === line.attempt ? before.line : 0);
    if (lost <= 0) return [line];
    const { attempt, at } = line;
    const text = `${lost} earlier ${lost === 1 ? 'line was' : 'lines were'} dropped.`;
    return [{ attempt, line: line.line - 1, at, level: 'warn' as const, text }, line];
  });
}
