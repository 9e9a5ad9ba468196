export type JobLogLevel = 'debug' | 'info' | 'warn' | 'error';

export const JOB_LOG_LEVELS: readonly JobLogLevel[] = ['debug', 'info', 'warn', 'error'];

/** How far a handler has come: a share from 0 to 1, or an object of at most 4 kB of JSON. */
export type JobProgress = number | Readonly<Record<string, unknown>>;

/** A place in the log of a job. */
export interface LogPosition {
  /** The number of the attempt, 1 on the first. */
  readonly attempt: number;
  /** The number of the line within the attempt, 1 on the first. */
  readonly line: number;
}

/** A line that a handler has logged. It has a text or fields. */
export interface JobLogLine extends LogPosition {
  /** When it was logged, by the clock of the storage. */
  readonly at: Date;
  readonly level: JobLogLevel;
  readonly text?: string;
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** Which lines are wanted, in the order of their positions. */
export interface LogQuery {
  /** The attempts from this one on, and up to that one. */
  readonly fromAttempt: number;
  readonly toAttempt: number;
  /** Only lines after this one. */
  readonly after: LogPosition;
  readonly limit: number;
}

/** How many lines of an attempt are kept, and how many bytes of JSON: the newest. */
export const LINES_KEPT = 1_000;
export const LOG_BYTES_KEPT = 64 * 1024;
