import type { DataSource } from 'typeorm';
import type { ClaimedJob, Job, ReclaimedJob } from '../../job/job.js';
import type { JobsEvents } from '../../events/jobs-events.js';
import type { EncodedJob } from '../../job/encode-job.js';
import type { Connections, ConnectionsSettings, OwnConnections } from './connections.js';
import type { Settlement } from '../../queue/job-queue.js';
import type { Lease, LeaseRenewal, LeaseTerms } from '../../queue/lease.js';
import type { Sql } from './sql.js';
import type { OpenTransaction } from '../typeorm/slow-claims.js';
import type { Notifier } from './notifier.js';

/** What one claim statement found. */
export interface ClaimResult {
  readonly jobs: readonly ClaimedJob[];
  /** Another try may find more now: scheduled jobs have come due, or somebody else was at the same rows. */
  readonly tryAgain: boolean;
}

/** The jobs table as statements name it. */
export interface JobsTable {
  /** Without schema and quotes: `nest_jobs`. Indexes are named after it. */
  readonly name: string;
  /** Only on PostgreSQL. */
  readonly schema: string | undefined;
  /** Quoted, with its schema: ready to stand in a statement. */
  readonly quoted: string;
}

/** One version of the table: the statements that lead to it from the version before, and back. */
export interface SchemaStep {
  readonly version: number;
  readonly up: readonly string[];
  readonly down: readonly string[];
}

/** What the errors of one database family say. */
export interface DatabaseErrors {
  /** Whether the database has looked at a statement and refused it: nothing was written, and the answer was not lost. */
  wasRefused(error: unknown): boolean;
  /** Whether the database undid the transaction and wants it whole again: a deadlock, a serialization failure. */
  wantsRetry(error: unknown): boolean;
  /** Whether the server refuses to write, as one does that is a replica since a fail-over: another connection may find another. */
  isReadOnly(error: unknown): boolean;
  /** The id that an insert met twice, as far as the error tells it (long ones are cut); null where it says something else. */
  duplicateId(error: unknown): string | null;
}

/** The SQL of one database family. Each method is one of the statements at the head of its file, or a few in a row. */
export interface Dialect {
  readonly table: JobsTable;
  readonly steps: readonly SchemaStep[];
  readonly errors: DatabaseErrors;

  /** @throws UnsupportedDatabaseError where the server is too old */
  requireVersion(sql: Sql): Promise<void>;
  /** The table's version; 0 where there is none, null where a table of this name is not ours. */
  schemaVersion(sql: Sql): Promise<number | null>;
  /** Runs `work` while no other process runs its own. */
  whileMigrating<T>(sql: Sql, work: () => Promise<T>): Promise<T>;

  /**
   * All or none.
   * @param joined whether `sql` is in a transaction of the caller's, which must survive a failure where it can
   */
  insert(sql: Sql, jobs: readonly EncodedJob[], joined: boolean): Promise<Job[]>;
  get(sql: Sql, id: string): Promise<Job | null>;
  claim(sql: Sql, kinds: readonly string[], limit: number, terms: LeaseTerms): Promise<ClaimResult>;
  /** @returns the leases that were written, of those given in ascending order of id */
  renew(sql: Sql, leases: readonly LeaseRenewal[], leaseMs: number): Promise<Lease[]>;
  /**
   * @param joined whether `sql` is in a transaction already, which the outcomes are to be part of
   * @returns the leases that were written, of those given in ascending order of id
   */
  settle(sql: Sql, settlements: readonly Settlement[], joined?: boolean): Promise<readonly Lease[]>;
  /** @returns the leases that were written, of those given in ascending order of id */
  release(sql: Sql, leases: readonly Lease[]): Promise<Lease[]>;
  /** @returns how many there were */
  releaseUnheld(sql: Sql, workerId: string, held: readonly Lease[]): Promise<number>;
  /** @returns those of the leases that are live */
  live(sql: Sql, leases: readonly Lease[]): Promise<Lease[]>;
  /** The transaction that has been open for longest, where one has been for more than `ms` and our account may see it. */
  longTransaction?(sql: Sql, ms: number): Promise<OpenTransaction | null>;
  /** Takes back at most a thousand, and none of those held. */
  reclaim(sql: Sql, maxCrashes: number, held: readonly Lease[]): Promise<ReclaimedJob[]>;

  /** Where and why a handler "cannot be transactional", if it cannot be. */
  readonly noTransactionalHandlers?: string;

  /** Connections of another kind than those of the DataSource's pool. */
  connect?(dataSource: DataSource, settings: ConnectionsSettings): OwnConnections;
  /** Keeps an error of one of the pool's connections from ending the process. @returns what undoes that */
  guard?(dataSource: DataSource): () => void;
  /** What carries wake-ups between processes. */
  notifier(connections: Connections, events: JobsEvents): Notifier;
}
