import type { TraceContext } from '../job/carriage.js';
import type { ClaimedJob, Job } from '../job/job.js';
import type { Outcome } from '../job/outcome.js';

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
  process(job: ClaimedJob, run: () => Promise<AttemptEnd>): Promise<unknown>;
}

/**
 * One instrument that stands for several, the first outermost; undefined for none. It never throws of its own, and calls what
 * it stands around in any case.
 */
export function nested(
  instruments: readonly JobsInstrument[],
  failed: (error: unknown) => void,
): JobsInstrument | undefined {
  return instruments
    .map((instrument) => new Guarded(instrument, failed))
    .reduceRight<JobsInstrument | undefined>(
      (inner, outer) => (inner === undefined ? outer : new Pair(outer, inner)),
      undefined,
    );
}

class Pair implements JobsInstrument {
  constructor(
    private readonly outer: JobsInstrument,
    private readonly inner: JobsInstrument,
  ) {}

  async send(sending: Sending, write: () => Promise<readonly Job[]>): Promise<void> {
    await this.outer.send(sending, () => resultOf((run) => this.inner.send(sending, run), write));
  }

  traceContext(): TraceContext | undefined {
    const [outer, inner] = [this.outer.traceContext(), this.inner.traceContext()];
    return outer === undefined ? inner : { ...outer, ...inner };
  }

  async process(job: ClaimedJob, run: () => Promise<AttemptEnd>): Promise<void> {
    await this.outer.process(job, () => resultOf((once) => this.inner.process(job, once), run));
  }
}

/** Calls an instrument of somebody else, which may have faults. */
class Guarded implements JobsInstrument {
  constructor(
    private readonly instrument: JobsInstrument,
    private readonly failed: (error: unknown) => void,
  ) {}

  send(sending: Sending, write: () => Promise<readonly Job[]>): Promise<void> {
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

  process(job: ClaimedJob, run: () => Promise<AttemptEnd>): Promise<void> {
    return this.around((once) => this.instrument.process(job, once), run);
  }

  private async around<Result>(
    around: (once: () => Promise<Result>) => Promise<unknown>,
    run: () => Promise<Result>,
  ): Promise<void> {
    let running: Promise<Result> | undefined;
    try {
      await around(() => (running ??= run()));
    } catch (error) {
      if (running === undefined || (await errorOf(running)) !== error) this.failed(error);
    }
    await (running ?? run());
  }
}

/** Runs `run` within what stands around it. @returns what it resolves to, or rejects as it does */
export async function resultOf<Result>(
  around: (run: () => Promise<Result>) => Promise<unknown>,
  run: () => Promise<Result>,
): Promise<Result> {
  let result: Promise<Result> | undefined;
  await around(() => (result ??= run()));
  return result!;
}

function errorOf(running: Promise<unknown>): Promise<unknown> {
  return running.then(
    () => undefined,
    (error: unknown) => error,
  );
}
