import type { JobEvent, JobEventType } from '../job/job-event.js';
import type { JobProgress } from '../job/job-log.js';
import type { ClaimedJob, ReclaimedJob } from '../job/job.js';
import type { Ended } from '../job/outcome.js';
import type { JobsEventMap, JobsEvents } from './jobs-events.js';

/** Who hears what happens in this process, as users see it. */
export interface JobEventListener {
  /**
   * Whether it hears for this process alone, or for all. A pause is obeyed in many processes and made by one: each tells its
   * own that it obeys, and the one that has made it tells all.
   */
  readonly scope: 'process' | 'all';
  /** Whether it wants to hear of this. It is asked first, so that what is not wanted is not even put together. */
  wants(type: JobEventType, kind: string): boolean;
  hear(event: JobEvent): void;
}

/** `make` gets the detail as an argument, and not from a closure: most events are wanted by nobody. */
type Tell = <Detail>(
  type: JobEventType,
  kind: string,
  make: (detail: Detail) => JobEvent,
  detail: Detail,
) => void;

/** Tells a listener what happens from now on. @returns a function that ends it */
export function listenToJobs(events: JobsEvents, listener: JobEventListener): () => void {
  const tell: Tell = (type, kind, make, detail) => {
    if (listener.wants(type, kind)) listener.hear(make(detail));
  };
  const tellOfLost = (job: ReclaimedJob) => tell('worker.lost', job.kind, lost, job);
  const ends = [
    events.on('enqueued', ({ jobs }) => tellOfEnqueued(jobs, listener)),
    events.on('started', ({ job }) => tell('started', job.kind, started, job)),
    events.on('progressed', (detail) => tell('progressed', detail.job.kind, progressed, detail)),
    events.on('settled', (detail) => tell(TYPE_OF[detail.outcome.type], detail.job.kind, settled, detail)),
    events.on('settledInTransaction', ({ job }) => tell('done', job.kind, done, job)),
    events.on('waitingCancelled', ({ jobs, reason }) => {
      for (const job of jobs) tell('cancelled', job.kind, cancelled, { job, reason });
    }),
    events.on('reclaimed', tellOfLost),
    events.on('convicted', (job) => {
      tellOfLost(job);
      tell('panicked', job.kind, convicted, job);
    }),
    events.on('reclaimedCancelled', (job) => {
      tellOfLost(job);
      tell('cancelled', job.kind, cancelled, { job, reason: null });
    }),
    ...tellOfSchedules(events, tell),
    ...(listener.scope === 'all' ? tellOfCommitted(events, tell) : tellOfObeyed(events, tell)),
  ];
  return () => {
    for (const end of ends) end();
  };
}

/** Jobs that are enqueued together are mostly of one kind: the listener is asked once for those that follow each other. */
function tellOfEnqueued(jobs: readonly JobOfKind[], listener: JobEventListener): void {
  let asked: string | undefined;
  let isWanted = false;
  for (const job of jobs) {
    if (job.kind !== asked) {
      asked = job.kind;
      isWanted = listener.wants('enqueued', asked);
    }
    if (isWanted) listener.hear({ type: 'enqueued', ...of(job) });
  }
}

function tellOfSchedules(events: JobsEvents, tell: Tell): (() => void)[] {
  return [events.on('scheduleSkipped', (detail) => tell('schedule.skipped', detail.kind, skipped, detail))];
}

/** The pauses that the worker of this process obeys. */
function tellOfObeyed(events: JobsEvents, tell: Tell): (() => void)[] {
  return [
    events.on('kindPaused', (pause) => tell('kind.paused', pause.kind, paused, pause)),
    events.on('kindResumed', ({ kind }) => tell('kind.resumed', kind, resumed, kind)),
  ];
}

/** The pauses that this process has made and ended. */
function tellOfCommitted(events: JobsEvents, tell: Tell): (() => void)[] {
  return [
    events.on('pauseCommitted', (pause) => tell('kind.paused', pause.kind, paused, pause)),
    events.on('resumeCommitted', ({ kind }) => tell('kind.resumed', kind, resumed, kind)),
  ];
}

function paused({ kind, reason, until }: JobsEventMap['pauseCommitted']): JobEvent {
  return { type: 'kind.paused', at: new Date(), kind, ...because(reason), ...(until !== null && { until }) };
}

function resumed(kind: string): JobEvent {
  return { type: 'kind.resumed', at: new Date(), kind };
}

const TYPE_OF = {
  done: 'done',
  retry: 'retrying',
  failed: 'failed',
  panic: 'panicked',
  cancelled: 'cancelled',
} as const satisfies Record<Ended['type'], JobEventType>;

interface JobOfKind {
  readonly id: string;
  readonly kind: string;
}

function of({ id, kind }: JobOfKind) {
  return { at: new Date(), kind, jobId: id };
}

function ofAttempt(job: ClaimedJob) {
  return { ...of(job), attempt: job.attemptsDone + 1 };
}

function started(job: ClaimedJob): JobEvent {
  return { type: 'started', ...ofAttempt(job), workerId: job.lockedBy };
}

function progressed({ job, progress }: JobsEventMap['progressed']): JobEvent {
  return { type: 'progressed', ...ofAttempt(job), progress: JSON.parse(progress) as JobProgress };
}

function done(job: ClaimedJob): JobEvent {
  return { type: 'done', ...ofAttempt(job) };
}

function settled({ job, outcome }: JobsEventMap['settled']): JobEvent {
  const attempt = ofAttempt(job);
  switch (outcome.type) {
    case 'done':
      return { type: 'done', ...attempt };
    case 'retry':
      return { type: 'retrying', ...attempt, error: outcome.lastError, delayMs: outcome.delayMs };
    case 'cancelled':
      return { type: 'cancelled', ...attempt, ...because(outcome.reason) };
    default:
      return { type: TYPE_OF[outcome.type], ...attempt, error: outcome.lastError };
  }
}

/** A job that no worker ran when it was cancelled. */
function cancelled({ job, reason }: { readonly job: JobOfKind; readonly reason: string | null }): JobEvent {
  return { type: 'cancelled', ...of(job), ...because(reason) };
}

function convicted(job: ReclaimedJob): JobEvent {
  return { type: 'panicked', ...of(job), error: `panic: its workers died, ${job.crashes} of them` };
}

function skipped({ schedule, kind, tick, reason, count }: JobsEventMap['scheduleSkipped']): JobEvent {
  return { type: 'schedule.skipped', at: new Date(), kind, schedule, tick, reason, count };
}

function because(reason: string | null): { readonly reason?: string } {
  return reason === null ? {} : { reason };
}

function lost(job: ReclaimedJob): JobEvent {
  return { type: 'worker.lost', ...of(job), workerId: job.workerId };
}
