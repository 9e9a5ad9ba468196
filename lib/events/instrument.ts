import type { TraceContext } from '../job/carriage.js';
import type { ClaimedJob, Job } from '../job/job.js';
import type { Outcome } from '../job/outcome.js';
import { FiringWatches, GuardedFiring, type Firing, type FiringWatch } from './firing.js';

export type { Firing, FiringWatch };

/** Jobs that are about to be enqueued by one call. */
export interface Sending {
  /** The kind of each job, in their order. */
  readonly kinds: readonly string[];
  /** Whether the call joins a transaction, whose end decides whether there will be jobs. */
  readonly isJoined: boolean;
}

/** What an attempt ended in, as far as its process knows: whether that can be written is still to be seen. */
export interface AttemptEnd {
  /**
   * As in `Outcome`; or `'lost'` where the lease was lost, and `'released'` where the job was given back meanwhile. Then
   * another attempt follows, whatever the handler did.
   */
  readonly type: Outcome['type'] | 'lost' | 'released';
  /** What was thrown, where something was. */
  readonly error?: unknown;
  /** The lease was lost, but the handler has done its work, so its outcome is offered to the storage nevertheless. */
  readonly isLeaseLost?: boolean;
}

/**
 * What stands around enqueues and attempts. Events tell of what has happened; a span has to be active while it does. What an
 * instrument throws is the event `instrumentFailed`, and changes nothing for the job.
 */
export interface JobsInstrument {
  /** Stands around an enqueue. It calls `write` once; what that rejects with it may pass on. */
  send(sending: Sending, write: () => Promise<readonly Job[]>): Promise<unknown>;
  /** What a job that is being enqueued takes along; undefined for nothing. Called within `send`. */
  traceContext(): TraceContext | undefined;
  /** Stands around an attempt, its transaction included. It calls `run`, which never rejects, once. */
  process?(job: ClaimedJob, run: () => Promise<AttemptEnd>): Promise<unknown>;
  /**
   * Called as an attempt begins, within all that stands around it. It costs less than `process`, because nothing of it is
   * asynchronous.
   *
   * @returns what is called with the end of the attempt
   */
  watch?(job: ClaimedJob): AttemptWatch | undefined;
  /** Called before the jobs of ticks are made. @returns what stands around that */
  fire?(firing: Firing): FiringWatch | undefined;
}

/** Called with the end of an attempt. */
export type AttemptWatch = (end: AttemptEnd) => void;

/**
 * All instruments of a module, the first outermost. Never throws of its own, and calls what it stands around once in any
 * case.
 */
export class Instruments {
  private readonly all: readonly Guarded[];
  private readonly around: readonly Guarded[];
  private readonly watching: readonly Guarded[];

  /** @param failed called with what an instrument throws */
  constructor(instruments: readonly JobsInstrument[], failed: (error: unknown) => void) {
    this.all = instruments.map((instrument) => new Guarded(instrument, failed));
    this.around = this.all.filter(({ instrument }) => instrument.process !== undefined);
    this.watching = this.all.filter(({ instrument }) => instrument.watch !== undefined);
  }

  /** @returns what `write` resolves to; rejects as it does */
  send<Sent extends readonly Job[]>(sending: Sending, write: () => Promise<Sent>): Promise<Sent> {
    return this.all.reduceRight((inner, one) => () => one.send(sending, inner), write)();
  }

  traceContext(): TraceContext | undefined {
    return this.all
      .map((one) => one.traceContext())
      .reduce((outer, inner) => (outer === undefined ? inner : { ...outer, ...inner }), undefined);
  }

  /** Whether something stands around attempts. Else they are only watched, which takes no promise. */
  get standsAround(): boolean {
    return this.around.length > 0;
  }

  /** Tells those that watch that an attempt begins. @returns what is called with its end; undefined where none watches */
  watch(job: ClaimedJob): AttemptWatch | undefined {
    const { watching } = this;
    if (watching.length === 0) return undefined;
    const watches = watching.map((one) => one.watch(job));
    return (end) => {
      for (const [index, one] of watching.entries()) one.tell(watches[index], end);
    };
  }

  /** @returns what `run` resolves to */
  process(job: ClaimedJob, run: () => Promise<AttemptEnd>): Promise<AttemptEnd> {
    const watched = this.watching.length === 0 ? run : () => this.watched(job, run);
    return this.around.reduceRight((inner, one) => () => one.process(job, inner), watched)();
  }

  /** @returns undefined where nothing stands around firings */
  fire(firing: Firing): FiringWatch | undefined {
    const watches = this.all.flatMap((one) => one.fire(firing) ?? []);
    return watches.length < 2 ? watches[0] : new FiringWatches(watches);
  }

  private async watched(job: ClaimedJob, run: () => Promise<AttemptEnd>): Promise<AttemptEnd> {
    const ended = this.watch(job);
    const end = await run();
    ended?.(end);
    return end;
  }
}

/** Calls an instrument of somebody else, which may have faults. */
class Guarded {
  constructor(
    readonly instrument: JobsInstrument,
    private readonly failed: (error: unknown) => void,
  ) {}

  send<Sent extends readonly Job[]>(sending: Sending, write: () => Promise<Sent>): Promise<Sent> {
    return this.around((once) => this.instrument.send(sending, once), write);
  }

  traceContext(): TraceContext | undefined {
    try {
      return this.instrument.traceContext();
    } catch (error) {
      this.failed(error);
      return undefined;
    }
  }

  process(job: ClaimedJob, run: () => Promise<AttemptEnd>): Promise<AttemptEnd> {
    return this.around((once) => this.instrument.process!(job, once), run);
  }

  watch(job: ClaimedJob): AttemptWatch | undefined {
    try {
      return this.instrument.watch!(job);
    } catch (error) {
      this.failed(error);
      return undefined;
    }
  }

  fire(firing: Firing): FiringWatch | undefined {
    try {
      const watch = this.instrument.fire?.(firing);
      return watch === undefined ? undefined : new GuardedFiring(watch, this.failed);
    } catch (error) {
      this.failed(error);
      return undefined;
    }
  }

  tell(watch: AttemptWatch | undefined, end: AttemptEnd): void {
    try {
      watch?.(end);
    } catch (error) {
      this.failed(error);
    }
  }

  private async around<Result>(
    around: (once: () => Promise<Result>) => Promise<unknown>,
    run: () => Promise<Result>,
  ): Promise<Result> {
    let running: Promise<Result> | undefined;
    try {
      await around(() => (running ??= run()));
    } catch (error) {
      if (running === undefined || (await errorOf(running)) !== error) this.failed(error);
    }
    return await (running ?? run());
  }
}

function errorOf(running: Promise<unknown>): Promise<unknown> {
  return running.then(
    () => undefined,
    (error: unknown) => error,
  );
}
