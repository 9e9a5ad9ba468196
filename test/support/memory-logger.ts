import { loggedEvents } from '../../lib/events/log-subscriber.js';
import type { JobsLogger } from '../../lib/job/logger.js';

/** Keeps what is logged, each line with its level before it. */
export class MemoryLogger implements JobsLogger {
  readonly lines: string[] = [];
  /** Events that are told to it. */
  readonly events = loggedEvents(this);
  private readonly hasDebug: boolean;

  /** @param settings whether it asks for what is told job by job. Default: true */
  constructor({ isDebugEnabled = true }: { readonly isDebugEnabled?: boolean } = {}) {
    this.hasDebug = isDebugEnabled;
  }

  isDebugEnabled(): boolean {
    return this.hasDebug;
  }

  debug(message: string): void {
    this.lines.push(`debug ${message}`);
  }

  log(message: string): void {
    this.lines.push(`log ${message}`);
  }

  warn(message: string): void {
    this.lines.push(`warn ${message}`);
  }

  error(message: string): void {
    this.lines.push(`error ${message}`);
  }
}
