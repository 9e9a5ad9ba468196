import { QueryFailedError, TypeORMError, type DataSource } from 'typeorm';
import { deferred } from '../../async/deferred.js';
import { Loop } from '../../async/loop.js';
import { ExponentialPause } from '../../async/pauses.js';
import { endsWithin, sleep, unlessAborted } from '../../async/timers.js';
import type { JobsEvents } from '../../events/jobs-events.js';
import { ApplicationClosedError } from '../../job/application-errors.js';
import { InvalidOptionError, type JobsError } from '../../job/errors.js';
import {
  DatabaseNotReadyError,
  SchemaVersionError,
  UnsupportedDatabaseError,
} from '../../job/storage-errors.js';
import type { Opening } from '../../queue/opening.js';
import type { DatabaseErrors } from '../sql/database-errors.js';
import { initialize, reach } from './data-source-start.js';

const FIRST_PAUSE_MS = 200;
const MAX_PAUSE_MS = 5_000;
/** How often it is said again that a person has to mend something. */
const TELL_AGAIN_AFTER_MS = 60_000;
/** How long a stop waits for a DataSource that is being initialized. */
const STOP_MS = 3_000;

/** What TypeORM says of a connection that is gone, or of another one who initializes the DataSource. */
const OF_CONNECTIONS = [
  'QueryRunnerAlreadyReleasedError',
  'ConnectionIsNotSetError',
  'CannotConnectAlreadyConnectedError',
  'CannotExecuteNotConnectedError',
];

export interface LateOpeningSettings {
  /** The name of the JobsModule. Default `'default'`. */
  readonly name?: string;
  /** How long the database may take to answer, and how long the application waits for the first try. */
  readonly answerMs: number;
  readonly errors: DatabaseErrors;
  readonly events: JobsEvents;
}

/**
 * Opens a queue whose database may be down when the application starts: initializes the DataSource if nothing else has, and
 * tries again until it works. An outage is told of once. What a person has to mend ends the start if the first try meets it;
 * later, it is told of once a minute.
 */
export class LateOpening implements Opening {
  isOpen = false;
  private readonly success = deferred();
  /** Ends with the first try. Rejects where that has met something that a person has to mend. */
  private readonly firstTry = deferred();
  private readonly loop = new Loop((signal, succeeded) => this.turn(signal, succeeded), {
    pause: new ExponentialPause(FIRST_PAUSE_MS, MAX_PAUSE_MS),
    onFailure: (error, failures) => this.failed(error, failures),
  });
  private readonly beganAt = performance.now();
  private initializing: Promise<unknown> = Promise.resolve();
  private isStarting = true;
  private isStopped = false;
  private hasInitialized = false;
  private failures = 0;
  private lastError: unknown;
  /** What has been told of the outage that lasts. */
  private told: 'outage' | 'fault' | undefined;
  private toldAt = -Infinity;

  /** @param open examines the server and its table, over the DataSource; breaks off when the signal aborts */
  constructor(
    private readonly dataSource: DataSource,
    private readonly settings: LateOpeningSettings,
    private readonly open: (signal: AbortSignal) => Promise<unknown>,
  ) {}

  get opened(): Promise<void> {
    return this.success.promise;
  }

  /** Why nothing can be sent to the database now. */
  refusal(): JobsError | undefined {
    if (this.isOpen) return undefined;
    if (this.isStopped) return new ApplicationClosedError();
    return new DatabaseNotReadyError(this.settings.name ?? 'default', this.lastError);
  }

  /** Calls `begin` once the queue is open. @returns a function that ends what it has begun, or keeps it from beginning */
  whenOpen(begin: () => () => void): () => void {
    if (this.isOpen) return begin();
    let isEnded = false;
    let end: () => void = () => undefined;
    void this.opened.then(() => {
      if (!isEnded) end = begin();
    });
    return () => {
      isEnded = true;
      end();
    };
  }

  /**
   * Begins, and waits for the first try: while the database works, an application starts as if it had to.
   * @throws what a person has to mend, such as an UnsupportedDatabaseError, if the first try meets it
   */
  async begin(): Promise<void> {
    const { answerMs, events } = this.settings;
    this.loop.start();
    try {
      const hasEnded = await endsWithin(this.firstTry.promise, answerMs);
      if (!hasEnded) events.emit('databaseAwaited', { ms: answerMs });
    } catch (error) {
      await this.stop();
      if (this.hasInitialized) await this.destroy();
      throw error;
    } finally {
      this.isStarting = false;
    }
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    const ended = Promise.allSettled([this.loop.stop(), this.initializing]);
    if (await endsWithin(ended, STOP_MS)) return;
    // Whatever destroys the DataSource at a shutdown finds it uninitialized by now, and leaves it alone.
    this.initializing.then(() => this.destroy()).catch(() => undefined);
  }

  private async turn(signal: AbortSignal, succeeded: () => void): Promise<void> {
    await this.initialize(signal);
    await this.open(signal);
    this.isOpen = true;
    succeeded();
    const { failures } = this;
    if (!this.isStarting) this.settings.events.emit('databaseOpened', { failures, ms: this.ms });
    this.firstTry.resolve();
    this.success.resolve();
    await sleep(Infinity, signal);
  }

  private async initialize(signal: AbortSignal): Promise<void> {
    if (this.dataSource.isInitialized) return;
    await unlessAborted(reach(this.dataSource, this.settings.answerMs), signal);
    this.initializing = initialize(this.dataSource);
    await unlessAborted(this.initializing, signal);
    this.hasInitialized = true;
  }

  private async destroy(): Promise<void> {
    if (this.dataSource.isInitialized) await this.dataSource.destroy();
  }

  private failed(error: unknown, failures: number): void {
    if (this.isStopped) return;
    this.failures = failures;
    this.lastError = error;
    const isFault = this.isFault(error);
    if (isFault && this.isStarting) {
      this.firstTry.reject(error);
      return;
    }
    this.tell(error, isFault ? 'fault' : 'outage');
    this.firstTry.resolve();
  }

  private tell(error: unknown, what: 'outage' | 'fault'): void {
    const now = performance.now();
    const isNews = this.told !== what || (what === 'fault' && now - this.toldAt >= TELL_AGAIN_AFTER_MS);
    if (!isNews) return;
    this.told = what;
    this.toldAt = now;
    this.settings.events.emit(what === 'fault' ? 'databaseUnsuitable' : 'databaseUnreachable', { error });
  }

  private get ms(): number {
    return performance.now() - this.beganAt;
  }

  /** Whether the database can be reached, and a person has to mend something. What is not known to be that is an outage. */
  private isFault(error: unknown): boolean {
    const { errors } = this.settings;
    const isTold = [UnsupportedDatabaseError, SchemaVersionError, InvalidOptionError].some(
      (type) => error instanceof type,
    );
    if (isTold || errors.needsMending(error)) return true;
    const isOfTypeOrm = error instanceof TypeORMError && !(error instanceof QueryFailedError);
    return isOfTypeOrm && !OF_CONNECTIONS.includes(error.name);
  }
}
