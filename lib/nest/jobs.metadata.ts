import type { JobEventFilter } from '../client/event-arguments.js';
import type { JobDefinition } from '../job/definition.js';
import type { ScheduleOptions, ScheduleTimes } from '../schedules/schedule-options.js';
import type { JobHandlerOptions } from '../job/handler-options.js';
import type { JobEventType } from '../job/job-event.js';

/** What `@JobHandler` says of a method. */
export interface JobHandlerMark {
  readonly kind: string;
  readonly options: JobHandlerOptions;
  readonly definition?: JobDefinition;
}

/** What `@JobSchedule` says of a method. */
export interface JobScheduleMark {
  readonly times: string | ScheduleTimes;
  readonly options: JobScheduleOptions;
}

/** The options of `@JobSchedule(times, options)`. */
export interface JobScheduleOptions extends ScheduleOptions {
  /** The `name` of the `JobsModule` whose schedule this is. Default: that of the method's handler. */
  readonly queue?: string;
}

/** The options of `@OnJobEvent(types, options)`. */
export interface OnJobEventOptions extends Omit<JobEventFilter, 'types'> {
  /** The `name` of the `JobsModule` whose jobs it hears of. Default: the module without a name. */
  readonly queue?: string;
}

/** What `@OnJobEvent` says of a method. */
export interface ListenerMark {
  readonly types: JobEventType | readonly JobEventType[];
  readonly options: OnJobEventOptions;
}

/** The same in every copy of this package, so that one finds what is decorated by another. */
const KEY = 'nestjs-typeorm-jobs:handler';
const SCHEDULE_KEY = 'nestjs-typeorm-jobs:schedule';
const LISTENER_KEY = 'nestjs-typeorm-jobs:listener';

/** Decorators are called from the last one up: the new mark stands before those that are there. */
export function addMark(method: object, mark: JobHandlerMark): void {
  Reflect.defineMetadata(KEY, [mark, ...handlerMarksOf(method)], method);
}

export function addScheduleMark(method: object, mark: JobScheduleMark): void {
  Reflect.defineMetadata(SCHEDULE_KEY, [mark, ...scheduleMarksOf(method)], method);
}

export function addListenerMark(method: object, mark: ListenerMark): void {
  Reflect.defineMetadata(LISTENER_KEY, [mark, ...listenerMarksOf(method)], method);
}

/** What a method listens to, in the order in which it is written above it. */
export function listenerMarksOf(method: object): readonly ListenerMark[] {
  return (Reflect.getMetadata(LISTENER_KEY, method) as ListenerMark[] | undefined) ?? [];
}

/** What a method handles. One that has schedules alone handles the kinds of their jobs. */
export function marksOf(method: object): readonly JobHandlerMark[] {
  const marks = handlerMarksOf(method);
  return marks.length > 0 ? marks : impliedBy(scheduleMarksOf(method));
}

/** The schedules on a method, in the order in which they are written above it. */
export function scheduleMarksOf(method: object): readonly JobScheduleMark[] {
  return (Reflect.getMetadata(SCHEDULE_KEY, method) as JobScheduleMark[] | undefined) ?? [];
}

/** Whether a method has `@JobHandler`. */
export function isHandler(method: object): boolean {
  return handlerMarksOf(method).length > 0;
}

/** In the order in which they are written above the method. */
function handlerMarksOf(method: object): readonly JobHandlerMark[] {
  return (Reflect.getMetadata(KEY, method) as JobHandlerMark[] | undefined) ?? [];
}

function impliedBy(schedules: readonly JobScheduleMark[]): JobHandlerMark[] {
  const marks = schedules.map(({ options: { kind, name, queue } }): JobHandlerMark => ({
    kind: (kind ?? name)!,
    options: queue === undefined ? {} : { queue },
  }));
  const isFirst = ({ kind, options: { queue } }: JobHandlerMark, index: number) =>
    marks.findIndex((other) => other.kind === kind && other.options.queue === queue) === index;
  return marks.filter(isFirst);
}
