import type { TraceContext } from '../job/carriage.js';
import type { ClaimedJob, Job } from '../job/job.js';
import { AttemptWatches, GuardedAttempt, type AttemptEnd, type AttemptWatch } from './attempt-watch.js';
import { FiringWatches, GuardedFiring, type Firing, type FiringWatch } from './firing.js';

export type { AttemptEnd, AttemptWatch, Firing, FiringWatch };

/** Jobs that are about to be enqueued by one call. */
export interface Sending {
  /** The kind of each job, in their order. */
  readonly kinds: readonly string[];
  /** Whether the call joins a transaction, whose end decides whether there will be jobs. */
  readonly isJoined: boolean;
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
  /** Called as an attempt begins. Nothing of it is asynchronous, so that it costs little. @returns what stands around it */
  process?(job: ClaimedJob): AttemptWatch | undefined;
  /** Called before the jobs of ticks are made. @returns what stands around that */
  fire?(firing: Firing): FiringWatch | undefined;
}

/**
 * All instruments of a module, the first outermost. Never throws of its own, and calls what it stands around once in any
 * case.
 */
export class Instruments {
  private readonly all: readonly Guarded[];
  private readonly processing: readonly Guarded[];

  /** @param failed called with what an instrument throws */
  constructor(instruments: readonly JobsInstrument[], failed: (error: unknown) => void) {
    this.all = instruments.map((instrument) => new Guarded(instrument, failed));
    this.processing = this.all.filter(({ instrument }) => instrument.process !== undefined);
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

  /** @returns what stands around an attempt; undefined where nothing does */
  process(job: ClaimedJob): Required<AttemptWatch> | undefined {
    const watches: GuardedAttempt[] = []; // filled by a loop: flatMap() takes as long as the watches themselves
    for (const one of this.processing) {
      const watch = one.process(job);
      if (watch !== undefined) watches.push(watch);
    }
    return watches.length < 2 ? watches[0] : new AttemptWatches(watches);
  }

  /** @returns undefined where nothing stands around firings */
  fire(firing: Firing): FiringWatch | undefined {
    const watches = this.all.flatMap((one) => one.fire(firing) ?? []);
    return watches.length < 2 ? watches[0] : new FiringWatches(watches);
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

  process(job: ClaimedJob): GuardedAttempt | undefined {
    try {
      const watch = this.instrument.process!(job);
      return watch === undefined ? undefined : new GuardedAttempt(watch, this.failed);
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
