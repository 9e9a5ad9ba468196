import type { DataSource } from 'typeorm';
import type { DequeueSettings } from '../../execution/dequeue.js';
import type { AttemptHistory } from '../../job/job-attempt.js';
import type { AmbientTransactions } from '../../queue/transactions.js';

/** What `new MemoryJobQueue()` takes. */
export interface MemoryJobQueueSettings extends DequeueSettings {
  /** Whose transactions `transaction` opens. Default: those of no database, which only enqueued jobs depend on. */
  readonly dataSource: DataSource;
  /** Which attempts are recorded. Default `'failures'`. */
  readonly attempts?: AttemptHistory;
  /** The library that the application uses for transactions. Default: none. */
  readonly transactions?: AmbientTransactions;
}

/** As the module has them. */
export const DEFAULTS: Omit<DequeueSettings, 'events'> = {
  workerId: 'memory',
  leaseMs: 30_000,
  heartbeatMs: 10_000,
  minRetryDelayMs: 5_000,
  maxCrashes: 3,
  maxPayloadBytes: 1024 * 1024,
};
