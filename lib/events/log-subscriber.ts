import { onRejection } from '../async/rejections.js';
import { oncePerTurn } from '../async/turn.js';
import type { JobsLogger } from '../job/logger.js';
import { JobsEvents, type JobsEvent } from './jobs-events.js';
import type { LogLevel, LogLine } from './log-line.js';
import { LOG_LINES } from './log-lines.js';

/** Turns events into lines of a log. A logger that throws or rejects loses its line and nothing else. */
export class LogSubscriber {
  /** Not asked anew for each of many jobs. */
  private readonly isDebugging = oncePerTurn(() => this.logger.isDebugEnabled?.() !== false);

  constructor(private readonly logger: JobsLogger) {}

  subscribeTo(events: JobsEvents): void {
    for (const event of Object.keys(LOG_LINES) as JobsEvent[]) this.subscribe(events, event);
  }

  private subscribe(events: JobsEvents, event: JobsEvent): void {
    const lines = Object.entries(LOG_LINES[event]!) as [LogLevel, LogLine<never>][];
    // One listener for all levels: some events come with each job.
    events.on(event, (detail) => {
      for (const [level, line] of lines) this.tell(level, line, detail as never);
    });
  }

  private tell(level: LogLevel, line: LogLine<never>, detail: never): void {
    try {
      if (level === 'debug' && !this.isDebugging()) return;
      const said = line(detail);
      if (said === undefined) return;
      for (const text of typeof said === 'string' ? [said] : said) this.write(level, text);
    } catch {
      // The lines are lost: there is no other place to say so.
    }
  }

  private write(level: LogLevel, text: string): void {
    try {
      const logger: Record<LogLevel, (text: string) => unknown> = this.logger; // an asynchronous one, perhaps
      onRejection(logger[level](text), () => undefined);
    } catch {
      // As above.
    }
  }
}

/** Events that are told to a logger. */
export function loggedEvents(logger: JobsLogger): JobsEvents {
  const events = new JobsEvents();
  new LogSubscriber(logger).subscribeTo(events);
  return events;
}
