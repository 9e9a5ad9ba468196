import type { Job } from '../job/job.js';

/** An attempt that a test has run. */
export interface RanJob {
  readonly id: string;
  readonly kind: string;
  /** 1 on the first. */
  readonly attempt: number;
  /**
   * - `done`, `retry`, `failed`, `panic`, `cancelled`: what was written
   * - `snoozed`: the handler has put the job back, and the next attempt has the same number
   * - `lost`: nothing was, because another worker had the job by then
   * - `crashed`: nothing was, because the worker died
   */
  readonly outcome: 'done' | 'retry' | 'failed' | 'panic' | 'cancelled' | 'snoozed' | 'lost' | 'crashed';
  /** What the handler threw, as it threw it; undefined where it returned. */
  readonly error?: unknown;
  /** The job as it is stored after the attempt. */
  readonly job: Job;
}
