import type { JobsLogger } from '../job/logger.js';
import { JobsEvents, type JobsEvent } from './jobs-events.js';
import { LOG_LINES, type LogLevel, type LogLine } from './log-lines.js';

/** Turns events into lines of a log. A logger that throws loses its line and nothing else. */
export class LogSubscriber {
  constructor(private readonly logger: JobsLogger) {}

  subscribeTo(events: JobsEvents): void {
    for (const event of Object.keys(LOG_LINES) as JobsEvent[]) this.subscribe(events, event);
  }

  private subscribe(events: JobsEvents, event: JobsEvent): void {
    const lines = Object.entries(LOG_LINES[event]!) as [LogLevel, LogLine<never>][];
    for (const [level, line] of lines)
      events.on(event, (detail) => this.write(level, () => line(detail as never)));
  }

  private write(level: LogLevel, lineOf: () => ReturnType<LogLine<never>>): void {
    try {
      if (level === 'debug' && this.logger.isDebugEnabled?.() === false) return;
      const said = (lineOf() ?? []) as string | readonly string[];
      for (const text of typeof said === 'string' ? [said] : said) this.logger[level](text);
    } catch {
      // The line is lost: there is no other place to say so.
    }
  }
}

/** Events that are told to a logger. */
export function loggedEvents(logger: JobsLogger): JobsEvents {
  const events = new JobsEvents();
  new LogSubscriber(logger).subscribeTo(events);
  return events;
}
