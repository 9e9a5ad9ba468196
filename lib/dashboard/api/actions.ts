/*
 * What the pages of the dashboard ask its controller to do, as JSON; see screens.ts for the rest.
 */
import type { Shown } from './job-screens.js';

/** POST api/act/<name>, with a body of this type; the answer's type is beside it. */
export interface Actions {
  // Jobs: by ids, at most 500, or all that fit a filter (the query of api/jobs).
  readonly retry: [Selection, Changed];
  readonly cancel: [Selection & { readonly reason?: string }, Changed];
  readonly delete: [Selection, Changed];
  readonly 'run-now': [Selection, Changed];
  readonly update: [
    {
      readonly id: string;
      /** JSON. */
      readonly payload?: string;
      readonly runAt?: number;
      readonly priority?: number;
      readonly maxAttempts?: number;
      readonly tags?: readonly string[];
    },
    { readonly id: string },
  ];
  readonly clone: [{ readonly id: string; readonly payload?: string }, { readonly id: string }];
  readonly enqueue: [
    {
      readonly kind: string;
      readonly payload?: string;
      readonly runAt?: number;
      readonly priority?: number;
      readonly maxAttempts?: number;
      readonly tags?: readonly string[];
    },
    { readonly id: string },
  ];
  readonly reveal: [{ readonly id: string }, Readonly<Record<'payload' | 'result' | 'carried', Shown>>];
  // Groups of errors
  readonly 'retry-group': [
    { readonly fingerprint: string; readonly kinds: readonly string[]; readonly dryRun?: boolean },
    Changed,
  ];
  // Kinds
  readonly pause: [
    {
      readonly kind: string;
      readonly reason?: string;
      readonly until?: number;
      readonly stopRunning?: boolean;
    },
    Done,
  ];
  readonly resume: [{ readonly kind: string }, Done];
  // Schedules
  readonly 'pause-schedule': [{ readonly name: string; readonly reason?: string }, Done];
  readonly 'resume-schedule': [{ readonly name: string }, Done];
  readonly 'run-schedule': [{ readonly name: string }, { readonly id: string }];
  readonly backfill: [
    {
      readonly name: string;
      readonly from: number;
      readonly to: number;
      readonly limit?: number;
      readonly dryRun?: boolean;
    },
    Backfilled,
  ];
}

/** Jobs by id, or by a filter: the query of api/jobs. With `dryRun` it is only counted how many would be changed. */
export interface Selection {
  readonly ids?: readonly string[];
  readonly filter?: string;
  readonly dryRun?: boolean;
}

export interface Changed {
  /** With `dryRun`: how many would be changed, not counted beyond 10,000. */
  readonly matched: number;
  readonly changed: number;
  /** With `dryRun`: there are more than `matched`, or there may be. */
  readonly capped?: boolean;
  /** It has taken over ten seconds and goes on without the request; the audit tells when it has ended, and how. */
  readonly goesOn?: boolean;
  /** Of those that were not: why, by id; the first 100. */
  readonly problems: readonly { readonly id: string; readonly problem: string }[];
}

export interface Backfilled {
  /** How many jobs were made; with `dryRun`, how many would be. */
  readonly created: number;
  /** How many ticks had a job already. */
  readonly existing: number;
}

export type Done = Readonly<Record<string, never>>;
