/*
 * What the processes of a scenario write down. Instants are milliseconds since 1970 by this machine's clock.
 */

/** One line of an enqueuer's file. `send` is written before the call, `answer` after it. */
export type EnqueuerRecord = { readonly id: string; readonly at: number } & (
  | { readonly type: 'send' }
  | { readonly type: 'answer'; readonly how: 'ok' | 'refused'; readonly error?: string }
  /** What `get` said of the job right after its enqueue was acknowledged. */
  | { readonly type: 'read'; readonly isThere: boolean }
  | { readonly type: 'read failed'; readonly error: string }
);

/** One line of a worker's file. */
export type WorkerRecord = { readonly worker: string; readonly at: number } & (
  | { readonly type: 'claim'; readonly leases: readonly Lease[] }
  | ({ readonly type: 'start' } & Lease)
  /** What one settle of one job was told; `failed` where it got no answer. */
  | ({ readonly type: 'settle'; readonly answer: 'written' | 'lost' | 'busy' | 'stale' | 'failed' } & Lease)
  /** A renewal was told that the lease is lost. */
  | ({ readonly type: 'lost' } & Lease)
  /** The lease is about to be given back. */
  | ({ readonly type: 'release' } & Lease)
);

export interface Lease {
  readonly id: string;
  readonly token: number;
}

/** A row of the jobs table at the end. */
export interface Row {
  readonly id: string;
  readonly status: string;
  readonly token: number;
  readonly crashes: number;
  /** The lease token of the attempt whose result was stored; undefined where there is no result. */
  readonly resultToken: number | undefined;
}

/** This machine's clock, in milliseconds since 1970. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}
