import type { EntityManager } from 'typeorm';
import type { JobsEvent, JobsEventMap, JobsEvents } from '../../lib/events/jobs-events.js';
import { Attempt, type AttemptPolicy, type HandlerFn } from '../../lib/execution/attempt.js';
import type { ExecutorQueue } from '../../lib/execution/executor.js';
import { HeldJob } from '../../lib/execution/held-job.js';
import type { ClaimedJob } from '../../lib/job/job.js';
import type { Settlement, TransactionalAttempt, TransactionalWork } from '../../lib/queue/job-queue.js';
import type { JobEditor, StopListener } from '../../lib/queue/job-editor.js';
import type { AttemptNote } from '../../lib/queue/note-store.js';
import type { Lease, LeaseAnswer, LeaseRenewal, RenewalAnswer } from '../../lib/queue/lease.js';

/** A job as a claim gives it, on its first attempt. */
export function claimedJob(fields: Partial<ClaimedJob> = {}): ClaimedJob {
  const now = new Date();
  return {
    id: 'job-1',
    kind: 'mail',
    payload: undefined,
    payloadVersion: 1,
    runAt: now,
    status: 'PENDING',
    state: 'running',
    createdAt: now,
    updatedAt: now,
    attemptsDone: 0,
    priority: 0,
    crashes: 0,
    lockedBy: 'worker-1',
    lockedUntil: new Date(now.getTime() + 30_000),
    leaseToken: 1,
    payloadSize: 0,
    ...fields,
  };
}

/** Rules of attempts that say as little as they may. */
export const POLICY: AttemptPolicy = { minRetryDelayMs: 5_000, maxPayloadBytes: 1_000 };

export interface HeldJobGiven {
  /** What its handler does; nothing by default. */
  readonly run?: HandlerFn;
  readonly policy?: Partial<AttemptPolicy>;
  /** From now on; without end by default. */
  readonly leaseMs?: number;
}

/** A job as it is right after its claim. It is in no `HeldJobs` yet. */
export function heldJob(fields: Partial<ClaimedJob> = {}, given: HeldJobGiven = {}): HeldJob {
  const { run = () => undefined, policy, leaseMs = Infinity } = given;
  const attempt = new Attempt(claimedJob(fields), run, { ...POLICY, ...policy });
  return new HeldJob(attempt, performance.now() + leaseMs, false);
}

/** The part of a queue that runs jobs: it accepts everything, unless a test replaces a method. */
export class FakeQueue implements ExecutorQueue {
  readonly renewed: string[] = [];
  readonly settled: Settlement[] = [];
  readonly released: string[] = [];

  renew = (leases: readonly LeaseRenewal[], _leaseMs: number): Promise<RenewalAnswer[]> => {
    this.renewed.push(...leases.map(({ id }) => id));
    return Promise.resolve(leases.map(() => 'written'));
  };

  settle = (settlements: readonly Settlement[]): Promise<LeaseAnswer[]> => {
    this.settled.push(...settlements);
    return Promise.resolve(settlements.map(() => 'written'));
  };

  release = (leases: readonly Lease[]): Promise<void> => {
    this.released.push(...leases.map(({ id }) => id));
    return Promise.resolve();
  };

  runAndSettle = async (
    _attempt: TransactionalAttempt,
    work: TransactionalWork,
  ): Promise<'written' | 'lost'> => {
    await work({} as EntityManager);
    return 'written';
  };

  readonly noted: AttemptNote[] = [];
  readonly notes = {
    write: (notes: readonly AttemptNote[]): Promise<LeaseAnswer[]> => {
      this.noted.push(...notes);
      return Promise.resolve(notes.map(() => 'written'));
    },
  };

  refusesContent = (_error: unknown): boolean => true;

  /** Tells of jobs that are asked to end. */
  hint: StopListener = () => undefined;

  readonly edits = {
    watchStops: (listener: StopListener) => {
      this.hint = listener;
      return () => undefined;
    },
  } as unknown as JobEditor;
}

/** Keeps what listeners of an event are told. */
export function heard<Event extends JobsEvent>(events: JobsEvents, event: Event): JobsEventMap[Event][] {
  const details: JobsEventMap[Event][] = [];
  events.on(event, (detail) => details.push(detail));
  return details;
}

/** An answer that never comes. */
export const never = (): Promise<never> => new Promise(() => undefined);

/** Lets every promise go on that can go on by now. Works with fake timers as well, which leave `setImmediate` alone. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** For `jest.useFakeTimers`: time stands still, promises go on. */
export const FAKE_TIMERS = { doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] } satisfies {
  doNotFake: ('setImmediate' | 'nextTick' | 'queueMicrotask')[];
};

/** What a call throws; fails where it throws nothing. */
export function thrownBy(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error('Nothing was thrown.');
}
