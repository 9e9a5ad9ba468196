import type { CountsLook, DueKind, HistoryLook, KindBacklog, StoredCounts } from './kind-counts.js';
import type { EnqueueTarget } from './transactions.js';

/** Stands for all kinds where one is paused or resumed. */
export const ALL_KINDS = '*';

/** How a kind is to be paused. */
export interface PauseTerms {
  /** When it ends by itself, by the storage's clock; null for never. */
  readonly until: Date | null;
  readonly reason: string | null;
  /** Whether jobs that run are given back. */
  readonly stopsRunning: boolean;
}

/** A pause that is in force. */
export interface StoredPause extends PauseTerms {
  /** `'*'` for all kinds. */
  readonly kind: string;
  readonly since: Date;
  /** How long until it ends by itself, in milliseconds by the storage's clock; null for never. */
  readonly leftMs: number | null;
}

/** What operators have said, as it is at one moment. */
export interface Controls {
  /** The storage's clock, in milliseconds since 1970. */
  readonly now: number;
  /** The number of the last change. All changes up to this one are in here. */
  readonly changed: number;
  readonly pauses: readonly StoredPause[];
}

/** The pause that keeps a kind from running: its own, or else that of all kinds. */
export function pauseOf({ pauses }: Pick<Controls, 'pauses'>, kind: string): StoredPause | undefined {
  const named = (name: string) => pauses.find((pause) => pause.kind === name);
  return named(kind) ?? named(ALL_KINDS);
}

/** What a worker tells of itself. */
export interface WorkerReport {
  readonly workerId: string;
  /** The number of the last change that it has seen and obeys; 0 for none. */
  readonly controlsSeen: number;
  /** JSON that the storage does not look into. */
  readonly about: string;
  /** What it has counted. Counts of the same kind, span and minute replace those of an earlier report. */
  readonly counts: readonly StoredCounts[];
}

/** A worker as it was last heard of. Instants are by the storage's clock. */
export interface StoredWorker extends Omit<WorkerReport, 'counts'> {
  readonly startedAt: Date;
  readonly seenAt: Date;
}

/**
 * A worker that was last heard of longer ago does not count any more, by the storage's clock. Workers fence themselves
 * sooner; see `ControlGate`.
 */
export const WORKER_LIVE_MS = 45_000;
/** How many workers one call lists. */
export const WORKERS_LISTED = 1_000;

/**
 * What operators say of kinds, and which workers there are. Every implementation passes test/contract/kinds.contract.ts.
 *
 * - Each change has a number, higher than all before. Changes are committed in the order of their numbers: who sees one
 *   sees all before it.
 * - The storage's clock decides whether a pause is in force, and whether a worker is live.
 * - Writing methods of operators take a target, as an enqueue does. A change in a transaction holds up other changes until
 *   that has ended.
 */
export abstract class KindStore {
  /** Pauses a kind, or `'*'`. A pause that is in force keeps its beginning. @returns the number of the change */
  abstract pause(kind: string, terms: PauseTerms, target?: EnqueueTarget): Promise<number>;

  /** Ends a pause. That of `'*'` and those of kinds end each by itself. @returns whether there was one in force */
  abstract resume(kind: string, target?: EnqueueTarget): Promise<boolean>;

  abstract controls(): Promise<Controls>;

  /**
   * Writes that a worker is live. The answer may be of the moment before: a worker that was not live until then must read
   * the controls once more.
   */
  abstract beat(report: WorkerReport): Promise<Controls>;

  /** A worker has ended, and starts nothing any more. */
  abstract forget(workerId: string): Promise<void>;

  /** Live workers by id, at most `WORKERS_LISTED`. */
  abstract workers(): Promise<StoredWorker[]>;

  /** The ids of live workers that have not seen a change, at most `WORKERS_LISTED`. */
  abstract behind(changed: number): Promise<string[]>;

  /** What workers have counted lately. @param kind only of this one; null for all */
  abstract counts(kind: string | null): Promise<CountsLook>;

  /** What all workers together have counted in the last hour and the last day. @param kind only of this one; null for all */
  abstract history(kind: string | null): Promise<HistoryLook>;

  /** What workers have counted of these kinds in the last hour, by minutes: at most `COUNTS_READ`, in any order. */
  abstract hour(kinds: readonly string[]): Promise<StoredCounts[]>;

  /**
   * The kinds of which jobs could start now, also those that nobody serves and that are paused: at most `DUE_KINDS_LISTED`, in
   * order. A scheduled job counts from its `runAt` on, also where no worker has marked it due. It reads parts of indexes alone.
   */
  abstract dueKinds(): Promise<DueKind[]>;

  /** What waits of these kinds. It reads parts of indexes alone, whatever there is. */
  abstract backlog(kinds: readonly string[]): Promise<KindBacklog[]>;

  /**
   * Deletes what nobody needs any more of counts, workers and pauses: of each at most `REGISTER_SWEPT`.
   * @returns how many rows there were
   */
  abstract sweep(): Promise<number>;

  /** Whether no job of a kind is ready or running. */
  abstract isDrained(kind: string): Promise<boolean>;

  /** Whether listeners hear at this moment of what other processes change, as far as is known. */
  abstract get isTold(): boolean;

  /**
   * Calls the listener when controls may have changed, by this process or, where the storage can tell it, by another one.
   * This is a hint, and may be missed. @returns a function that ends it
   */
  abstract watch(listener: () => void): () => void;
}
