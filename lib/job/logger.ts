/** Where the package logs. Nest's `Logger` and every `LoggerService` with these four methods fit. */
export interface JobsLogger {
  /** Job by job. */
  debug(message: string): void;
  /** Whether anybody wants those: where not, they are not even made. Left out: somebody does. */
  isDebugEnabled?(): boolean;
  /** Start and stop. */
  log(message: string): void;
  /** Something failed and is being tried again, or was refused. */
  warn(message: string): void;
  /** Something that a person must act on. */
  error(message: string): void;
}

export const SILENT_LOGGER: JobsLogger = {
  debug: () => undefined,
  isDebugEnabled: () => false,
  log: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
