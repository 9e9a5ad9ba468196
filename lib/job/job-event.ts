import type { JobProgress } from './job-log.js';
import { isObject } from './option-checks.js';

/** What can be told of jobs, schedules, kinds and workers. */
export const JOB_EVENT_TYPES = [
  ...(['enqueued', 'started', 'progressed', 'retrying', 'done', 'failed', 'panicked', 'cancelled'] as const),
  ...(['schedule.skipped', 'kind.paused', 'kind.resumed', 'worker.lost', 'lag'] as const),
] as const;

export type JobEventType = (typeof JOB_EVENT_TYPES)[number];

interface Told<Type extends JobEventType> {
  readonly type: Type;
  /** When: with the scope `process` by the clock of this process, with `all` by that of the database. */
  readonly at: Date;
}

interface ToldOfJob<Type extends JobEventType> extends Told<Type> {
  readonly kind: string;
  readonly jobId: string;
}

interface ToldOfAttempt<Type extends JobEventType> extends ToldOfJob<Type> {
  /** 1 for the first attempt. */
  readonly attempt: number;
}

/** A worker is about to call the handler. */
export interface JobStartedEvent extends ToldOfAttempt<'started'> {
  readonly workerId: string;
}

/** A handler has told its progress; of those told within a second, the last one. */
export interface JobProgressedEvent extends ToldOfAttempt<'progressed'> {
  readonly progress: JobProgress;
}

/** An attempt has failed, and another one follows. */
export interface JobRetryingEvent extends ToldOfAttempt<'retrying'> {
  /** Name, message and stack of the error. */
  readonly error: string;
  /** In how many milliseconds, from the end of the attempt on. */
  readonly delayMs: number;
}

export interface JobFailedEvent extends ToldOfAttempt<'failed'> {
  /** Name, message and stack of the error. */
  readonly error: string;
}

export interface JobPanickedEvent extends ToldOfJob<'panicked'> {
  /** Undefined where the workers of the job have died. */
  readonly attempt?: number;
  readonly error: string;
}

export interface JobCancelledEvent extends ToldOfJob<'cancelled'> {
  /** Undefined where the job was waiting, or where its worker died. */
  readonly attempt?: number;
  readonly reason?: string;
}

/** Ticks of a schedule have made no job. */
export interface ScheduleSkippedEvent extends Told<'schedule.skipped'> {
  readonly kind: string;
  readonly schedule: string;
  /** The first of them. */
  readonly tick: Date;
  /** The last job of the schedule had not ended, or no worker ran at that time. */
  readonly reason: 'overlap' | 'missed';
  readonly count: number;
}

/**
 * A kind is paused. With the scope `all` each call of `JobKinds.pause` is told once, by the process that made it; with
 * `process`, that the worker of this process starts no jobs of the kind any more, also where it was paused before the worker
 * started.
 */
export interface KindPausedEvent extends Told<'kind.paused'> {
  /** `'*'` for all kinds. */
  readonly kind: string;
  readonly reason?: string;
  /** When the pause ends by itself; undefined for never. */
  readonly until?: Date;
}

/**
 * A pause has ended. With the scope `all` each call of `JobKinds.resume` that ended one is told once, and no pause that ends
 * by itself; with `process`, that the worker of this process obeys it no more, for whichever reason.
 */
export interface KindResumedEvent extends Told<'kind.resumed'> {
  /** `'*'` for the pause of all kinds. */
  readonly kind: string;
}

/** The worker of a job has died, or its lease has run out because it could not reach the database. */
export interface WorkerLostEvent extends ToldOfJob<'worker.lost'> {
  readonly workerId: string;
}

/** Events of the time between the two may be missing. */
export interface EventLagEvent extends Told<'lag'> {
  readonly from: Date;
  readonly to: Date;
}

/** Something that has happened, and is committed. */
export type JobEvent =
  | ToldOfJob<'enqueued'>
  | JobStartedEvent
  | JobProgressedEvent
  | JobRetryingEvent
  | ToldOfAttempt<'done'>
  | JobFailedEvent
  | JobPanickedEvent
  | JobCancelledEvent
  | ScheduleSkippedEvent
  | KindPausedEvent
  | KindResumedEvent
  | WorkerLostEvent
  | EventLagEvent;

/** The event of a type. */
export type JobEventOf<Type extends JobEventType> = Extract<JobEvent, { readonly type: Type }>;

/** Which events are wanted; null stands for all. A `lag` is told to every listener. */
export interface WantedEvents {
  readonly kinds: readonly string[] | null;
  readonly types: readonly JobEventType[] | null;
}

/** @param kind `'*'` for what happens to all kinds, which is wanted of each */
export function wants({ kinds, types }: WantedEvents, type: JobEventType, kind: string): boolean {
  const isOfKind = kinds === null || kind === '*' || kinds.includes(kind);
  return isOfKind && (types?.includes(type) ?? true);
}

export function wantsEvent(wanted: WantedEvents, event: JobEvent): boolean {
  return event.type === 'lag' || wants(wanted, event.type, event.kind);
}

/** As JSON. It leaves out when the event happened, which its storage tells. */
export function encodeJobEvent({ at: _at, ...event }: JobEvent): string {
  return JSON.stringify(event);
}

/** @returns null for what is none, or of a type that only another release knows */
export function decodeJobEvent(json: string, at: Date): JobEvent | null {
  const event = parsed(json) as Record<string, unknown>;
  if (!isObject(event) || !JOB_EVENT_TYPES.includes(event.type as JobEventType)) return null;
  const instants = INSTANTS.flatMap((name) =>
    name in event ? [[name, new Date(event[name] as string)]] : [],
  );
  return { ...event, ...(Object.fromEntries(instants) as object), at } as JobEvent;
}

/** The fields of events that are a `Date`. */
const INSTANTS = ['tick', 'until', 'from', 'to'];

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}
