import type { DataSource } from 'typeorm';
import type { JobQueue } from '../../queue/job-queue.js';
import type { Connections } from '../sql/connections.js';
import type { Dialect } from '../sql/dialect.js';
import type { CommitWatcher } from '../transactions/commit-watcher.js';
import type { TransactionalSettlement } from '../transactions/transactional-settlement.js';
import type { Transactions } from '../transactions/transactions.js';
import { ClaimRetry } from './claim-retry.js';
import { CommittedJobs } from './committed-jobs.js';
import { JobWriter } from './job-writer.js';
import { LeaseWriter } from './lease-writer.js';
import { pooledSettlement } from './pooled-settlement.js';
import { TargetConnections } from './target-connections.js';
import { TypeOrmJobEditor } from './typeorm-job-editor.js';
import type { TypeOrmJobQueueSettings } from './typeorm-job-queue-settings.js';
import { TypeOrmKindStore } from './typeorm-kind-store.js';
import { TypeOrmScheduleStore } from './typeorm-schedule-store.js';
import { TypeOrmUniqueJobStore } from './typeorm-unique-job-store.js';
import { WakeUps } from './wake-ups.js';

/** What works on the table, made for what is known of the server. */
export interface QueueParts {
  readonly dialect: Dialect;
  readonly byTarget: TargetConnections;
  readonly wakeUps: WakeUps;
  readonly committed: CommittedJobs;
  readonly jobs: JobWriter;
  readonly claims: ClaimRetry;
  readonly leases: LeaseWriter;
  readonly transactional: TransactionalSettlement;
  readonly schedules: TypeOrmScheduleStore;
  readonly edits: TypeOrmJobEditor;
  readonly uniqueJobs: TypeOrmUniqueJobStore;
  readonly kinds: TypeOrmKindStore;
}

/** What stays the same, whatever is known of the server. */
export interface QueueGround {
  readonly queue: Pick<JobQueue, 'get'>;
  readonly dataSource: DataSource;
  readonly connections: Connections;
  readonly transactions: Transactions;
  readonly commits: CommitWatcher;
  readonly settings: TypeOrmJobQueueSettings;
}

export function queueParts(dialect: Dialect, ground: QueueGround): QueueParts {
  const { dataSource, connections, commits, settings } = ground;
  const { databaseTimeoutMs, events } = settings;
  const leases = new LeaseWriter(connections, dialect.jobs, databaseTimeoutMs);
  const wakeUps = new WakeUps(dialect.notifier(dataSource, connections, events));
  const committed = new CommittedJobs(dataSource, commits, wakeUps, events);
  const byTarget = new TargetConnections(connections, committed);
  return {
    dialect,
    byTarget,
    wakeUps,
    jobs: new JobWriter(connections, dialect, databaseTimeoutMs),
    claims: new ClaimRetry(connections, dialect, events),
    leases,
    transactional: pooledSettlement(dialect, leases, committed, ground),
    committed,
    schedules: new TypeOrmScheduleStore(byTarget, dialect.schedules, wakeUps, committed),
    edits: new TypeOrmJobEditor(byTarget, dialect, wakeUps, committed),
    uniqueJobs: new TypeOrmUniqueJobStore(connections, dialect.unique, committed, databaseTimeoutMs),
    kinds: new TypeOrmKindStore(connections, byTarget, dialect.kinds, wakeUps, events),
  };
}
