/** Where the package logs. Nest's `Logger` and every `LoggerService` with these four methods fit. */
export interface JobsLogger {
  /** What happens to single jobs. */
  debug(message: string): void;
  /** Whether debug messages are wanted. If not, they are not even built. Default: they are. */
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
