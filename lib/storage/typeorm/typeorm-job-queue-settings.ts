import type { DequeueSettings } from '../../execution/dequeue.js';
import type { AmbientTransactions } from '../../queue/transactions.js';
import type { JobsTableOptions } from './dialect-for.js';

export interface TypeOrmJobQueueSettings extends DequeueSettings, JobsTableOptions {
  /** The name of the JobsModule, for messages. Default `'default'`. */
  readonly name?: string;
  readonly migrate: 'auto' | 'manual';
  /** The library whose transactions an enqueue joins. */
  readonly transactions?: AmbientTransactions;
  /** How long the database may take to answer a statement. */
  readonly databaseTimeoutMs: number;
  /** Whether frequent statements are prepared on PostgreSQL. Default true. */
  readonly preparedStatements?: boolean;
  /** With `'optional'`, `open` resolves though the database is down. Default `'required'`. */
  readonly databaseAtStart?: 'required' | 'optional';
}
