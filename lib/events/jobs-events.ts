import { onRejection } from '../async/rejections.js';
import type { ChoreEventMap } from './chore-events.js';
import type { ControlEventMap } from './control-events.js';
import { Instruments, type JobsInstrument } from './instrument.js';
import type { HandlerEventMap } from './handler-events.js';
import type { ScheduleEventMap } from './schedule-events.js';
import type { EncodedJob } from '../job/encode-job.js';
import type { LeaseLostError } from '../job/errors.js';
import type { ClaimedJob, ReclaimedJob } from '../job/job.js';
import type { Ended, Outcome } from '../job/outcome.js';

/** Everything that happens to jobs and workers in this process, by name, with what a listener is told of it. */
export interface JobsEventMap extends ChoreEventMap, ControlEventMap, HandlerEventMap, ScheduleEventMap {
  /** Jobs have been committed. */
  readonly enqueued: { readonly jobs: readonly EncodedJob[] };
  readonly claimed: { readonly jobs: readonly ClaimedJob[] };
  /** The handler is about to be called. */
  readonly started: { readonly job: ClaimedJob };
  /** An outcome has been written; of a job that was put back, `snoozed` tells. */
  readonly settled: { readonly job: ClaimedJob; readonly outcome: Ended };
  /** The outcome of a transactional handler has been committed with its transaction. */
  readonly settledInTransaction: { readonly job: ClaimedJob };
  /** One try to write outcomes has failed; they are tried again. `settlesFailing` tells of it once for many. */
  readonly settleFailed: { readonly jobs: readonly ClaimedJob[]; readonly error: unknown };
  /**
   * Outcomes cannot be written: told at the first failure, and then at most every ten seconds until all that failed are
   * written. `jobs` are those of the last try, `unwritten` counts all that wait.
   */
  readonly settlesFailing: {
    readonly jobs: readonly ClaimedJob[];
    readonly unwritten: number;
    readonly since: Date;
    readonly error: unknown;
  };
  /** Everything that could not be written is written, or given up, after so many failures and this time. */
  readonly settlesRecovered: { readonly failures: number; readonly ms: number };
  /** The storage refuses the content of an outcome, so another one is written in its place. */
  readonly outcomeReplaced: {
    readonly job: ClaimedJob;
    readonly outcome: Outcome;
    readonly error: unknown;
  };
  /** The storage refuses what stands in the place of an outcome, too. The lease of the job runs out. */
  readonly settleGivenUp: {
    readonly job: ClaimedJob;
    readonly outcome: Outcome;
    readonly error: unknown;
  };
  /** Too many outcomes are unwritten, in number or in bytes, so no jobs are claimed. */
  readonly claimsPaused: {
    readonly unwritten: number;
    readonly bytes: number;
    /** Since when outcomes cannot be written, and why; undefined where they are only slow to be written. */
    readonly since: Date | undefined;
    readonly error: unknown;
  };
  /** Jobs are claimed again, after this time. */
  readonly claimsResumed: { readonly ms: number };
  /** An outcome was not accepted, because its lease is lost. `failures` counts the tries before it. */
  readonly settleRefused: {
    readonly job: ClaimedJob;
    readonly outcome: Outcome;
    readonly failures: number;
  };
  /** The worker stopped before an outcome could be written. */
  readonly settleAbandoned: { readonly job: ClaimedJob; readonly outcome: Outcome };
  /** A handler ended after its lease was lost; what it threw says nothing about the job. */
  readonly outcomeDropped: { readonly job: ClaimedJob };
  /** The lease of a job is lost while this process runs it. */
  readonly lost: { readonly job: ClaimedJob; readonly error: LeaseLostError };
  /** `failures` counts those in a row, this one included. */
  readonly renewFailed: {
    readonly count: number;
    readonly error: unknown;
    readonly failures: number;
  };
  /** All leases are renewed again, after so many failures in a row. */
  readonly renewRecovered: { readonly failures: number };
  /** The database undid the transaction of a handler, or could not begin it; the handler is called again. */
  readonly transactionUndone: { readonly job: ClaimedJob; readonly error: unknown };
  /** The lease was lost before the transaction of a handler was committed, so it was rolled back. */
  readonly transactionLost: { readonly job: ClaimedJob };
  /** Jobs were given back: ready again, no attempt spent. */
  readonly gaveBack: { readonly jobs: readonly ClaimedJob[] };
  readonly giveBackFailed: { readonly jobs: readonly ClaimedJob[]; readonly error: unknown };
  /** The answer to a claim was lost, and the jobs that it had taken were given back. */
  readonly gaveBackUnheld: { readonly count: number };
  /** A job of a worker that died is ready again. */
  readonly reclaimed: ReclaimedJob;
  /** A job of a worker that died ran alone, and is `PANIC`. */
  readonly convicted: ReclaimedJob;
  /** `failures` counts those in a row, this one included. */
  readonly reclaimFailed: { readonly error: unknown; readonly failures: number };
  /** `isNews` is false within half a minute after another outage. */
  readonly claimFailed: { readonly error: unknown; readonly failures: number; readonly isNews: boolean };
  /** Claims work again, after so many failures in a row. */
  readonly claimRecovered: { readonly failures: number; readonly isNews: boolean };
  /** Claims are slow because of a transaction that has been open for a long time. */
  readonly claimsSlow: {
    readonly claimMs: number;
    readonly openMs: number;
    /** Names the session of the transaction, so that a person can find it. */
    readonly description: string;
  };
  /** A job that may have killed its last workers runs with nothing beside it. */
  readonly quarantined: { readonly job: ClaimedJob };
  /** The mark that a job runs alone may not have been written. */
  readonly quarantineFailed: { readonly job: ClaimedJob; readonly error: unknown };
  /** A handler goes on after its signal has aborted. */
  readonly abortIgnored: { readonly job: ClaimedJob };
  /** Code of this process kept the event loop for longer than a heartbeat. */
  readonly eventLoopBlocked: { readonly blockedMs: number; readonly kinds: readonly string[] };
  readonly workerStarted: {
    readonly workerId: string;
    readonly concurrency: number;
    readonly kinds: readonly string[];
  };
  /** A worker has no handlers, so it was not started. */
  readonly workerIdle: { readonly workerId: string };
  /** The option `worker` is `false`: this process only enqueues. */
  readonly workerDisabled: Readonly<Record<string, never>>;
  /** The worker stops, and waits for these jobs for so long at most. */
  readonly shutdownWaits: { readonly jobs: readonly ClaimedJob[]; readonly timeoutMs: number };
  /** Handlers did not end in time at a shutdown; their jobs are given back. */
  readonly shutdownTimedOut: { readonly jobs: readonly ClaimedJob[] };
  readonly workerStopped: { readonly workerId: string };
  /** Another process has held the lock of the schema for some seconds. */
  readonly schemaLockAwaited: { readonly table: string };
  /** The table has lost the comment that tells its version, and was recognized by its columns. */
  readonly schemaRecognized: {
    readonly table: string;
    readonly version: number;
    /** Whether the comment is there again. */
    readonly isMended: boolean;
    /** The SQL that brings it back. */
    readonly statement: string;
  };
  /** Methods with `@JobHandler` whose class no provider of this application brings: `Mails.send`. */
  readonly handlersNotProvided: { readonly handlers: readonly string[] };
  /** Methods whose `@JobHandler` is lost, because another decorator has put another method in their place. */
  readonly handlersReplaced: { readonly handlers: readonly string[] };
  /** A handler some of whose parameters have decorators and some not. Those at `undecorated`, from 0, are never given. */
  readonly parametersUndecorated: { readonly handler: string; readonly undecorated: readonly number[] };
  /**
   * An enqueue is about to be committed by itself, though its caller runs in a transaction of a library that the module was
   * not told of. Told once for each client. With the option `transactions` set to `adapter` it would join.
   */
  readonly transactionNotJoined: {
    readonly library: string;
    readonly adapter: string;
    readonly subPath: string;
  };
  /** The DataSource has `replication` by mysql2, which gives a server up for good once it has been away. */
  readonly replicationUnrestored: Readonly<Record<string, never>>;
  /** mysql2 has given up the server of the DataSource, so nothing works any more in this process. */
  readonly replicationGivenUp: { readonly error: unknown };
  /**
   * With `databaseAtStart: 'optional'`: the database cannot be opened for the moment, and the application runs without it.
   * Told once for an outage, however many tries it lasts.
   */
  readonly databaseUnreachable: { readonly error: unknown };
  /** The same for what a person has to mend: told at once, and then once a minute. */
  readonly databaseUnsuitable: { readonly error: unknown };
  /** The same for a database that has neither been opened nor failed in this time. */
  readonly databaseAwaited: { readonly ms: number };
  /** A database is open that was not when the application started, after so many failures and this time. */
  readonly databaseOpened: { readonly failures: number; readonly ms: number };
  /** What works in the background could not be started once the database was open. */
  readonly startFailed: { readonly error: unknown };
  readonly schemaUpgraded: { readonly table: string; readonly version: number };
  readonly notifyFailed: { readonly error: unknown };
  readonly listenFailed: { readonly error: unknown; readonly failures: number };
  /** Notifications do not arrive over this connection. */
  readonly notificationsMissing: Readonly<Record<string, never>>;
  /** What stands around enqueues and attempts, as telemetry does, has thrown; no job was affected. `failures` counts them. */
  readonly instrumentFailed: { readonly error: unknown; readonly failures: number };
  /** A listener has thrown; nothing else was affected. */
  readonly listenerFailed: { readonly event: keyof JobsEventMap; readonly error: unknown };
}

export type JobsEvent = keyof JobsEventMap;

export type JobsEventListener<Event extends JobsEvent> = (detail: JobsEventMap[Event]) => unknown;

type AnyListener = (detail: never) => unknown;

/**
 * The one seam for everything that wants to know what happens: the log, history, metrics, listeners of the user. Listeners
 * are called synchronously, in the order in which they were added, and after the commit where there is one. A listener that
 * throws, or returns a promise that rejects, changes nothing for the caller and for the other listeners.
 */
export class JobsEvents {
  private readonly instruments = new Set<JobsInstrument>();
  private current: Instruments | undefined;
  private instrumentFailures = 0;
  private readonly listeners = new Map<JobsEvent, readonly AnyListener[]>();

  /** Calls the listener at each event of this name. @returns a function that ends it */
  on<Event extends JobsEvent>(event: Event, listener: JobsEventListener<Event>): () => void {
    const own: AnyListener = (detail: never) => listener(detail); // the same listener may be added twice
    this.listeners.set(event, [...this.listenersOf(event), own]);
    return () => {
      this.listeners.set(
        event,
        this.listenersOf(event).filter((other) => other !== own),
      );
    };
  }

  /** What stands around enqueues and attempts; undefined where nothing does, which costs nothing then. */
  get instrument(): Instruments | undefined {
    return this.current;
  }

  /** Puts something around enqueues and attempts from now on, within what is there. @returns a function that ends it */
  instrumentWith(instrument: JobsInstrument): () => void {
    this.instruments.add(instrument);
    this.nest();
    return () => {
      this.instruments.delete(instrument);
      this.nest();
    };
  }

  /** Tells those who listen. Never throws. */
  emit<Event extends JobsEvent>(event: Event, detail: JobsEventMap[Event]): void {
    const listeners = this.listeners.get(event);
    if (listeners === undefined) return;
    for (const listener of listeners) this.tell(event, listener, detail);
  }

  private tell(event: JobsEvent, listener: AnyListener, detail: unknown): void {
    try {
      const answer = listener(detail as never);
      if (answer !== undefined) this.watch(event, answer); // apart, so that most calls need no closure
    } catch (error) {
      this.failed(event, error);
    }
  }

  private watch(event: JobsEvent, answer: unknown): void {
    onRejection(answer, (error) => this.failed(event, error));
  }

  private failed(event: JobsEvent, error: unknown): void {
    if (event !== 'listenerFailed') this.emit('listenerFailed', { event, error });
  }

  private nest(): void {
    const failed = (error: unknown) => {
      this.instrumentFailures += 1;
      this.emit('instrumentFailed', { error, failures: this.instrumentFailures });
    };
    this.current = this.instruments.size === 0 ? undefined : new Instruments([...this.instruments], failed);
  }

  private listenersOf(event: JobsEvent): readonly AnyListener[] {
    return this.listeners.get(event) ?? [];
  }
}
