import type { TraceContext } from '../job/carriage.js';
import { runOnceWithin, runWithinAll, type Around } from './run-within.js';

/** Jobs that a schedule is about to make, by one process. */
export interface Firing {
  readonly schedule: string;
  readonly kind: string;
  /** One for each of its ticks that are due, in their order. */
  readonly jobIds: readonly string[];
}

/** Stands around a firing. Neither `made` nor `failed` is called where another process was faster, or the tick is skipped. */
export interface FiringWatch extends Around {
  /** What the jobs take along; undefined for nothing. */
  readonly traceContext: TraceContext | undefined;
  /** Calls what makes the payloads. @returns what `work` returns */
  run<Result>(work: () => Result): Result;
  /** The jobs are written. */
  made(): void;
  /** A payload could not be made, or the storage refuses the jobs. */
  failed(error: unknown): void;
}

/** One that stands for several, the first outermost. */
export class FiringWatches implements FiringWatch {
  constructor(private readonly watches: readonly FiringWatch[]) {}

  get traceContext(): TraceContext | undefined {
    return this.watches
      .map(({ traceContext }) => traceContext)
      .reduce((outer, inner) => (outer === undefined ? inner : { ...outer, ...inner }), undefined);
  }

  run<Result>(work: () => Result): Result {
    return runWithinAll(this.watches, work);
  }

  made(): void {
    for (const one of this.watches.toReversed()) one.made();
  }

  failed(error: unknown): void {
    for (const one of this.watches.toReversed()) one.failed(error);
  }
}

/** One of somebody else, which may have faults. */
export class GuardedFiring implements FiringWatch {
  constructor(
    private readonly watch: FiringWatch,
    private readonly tell: (error: unknown) => void,
  ) {}

  get traceContext(): TraceContext | undefined {
    return this.guarded(() => this.watch.traceContext);
  }

  run<Result>(work: () => Result): Result {
    return runOnceWithin(this.watch, work, this.tell);
  }

  made(): void {
    this.guarded(() => this.watch.made());
  }

  failed(error: unknown): void {
    this.guarded(() => this.watch.failed(error));
  }

  private guarded<Result>(call: () => Result): Result | undefined {
    try {
      return call();
    } catch (error) {
      this.tell(error);
      return undefined;
    }
  }
}
