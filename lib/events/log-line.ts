import type { JobsEvent, JobsEventMap } from './jobs-events.js';

export type LogLevel = 'error' | 'warn' | 'log' | 'debug';

/** What an event says at one level: a line, several, or nothing. */
export type LogLine<Event extends JobsEvent> = (
  detail: JobsEventMap[Event],
) => string | readonly string[] | undefined;

export type LogLines = {
  readonly [Event in JobsEvent]?: { readonly [Level in LogLevel]?: LogLine<Event> };
};
