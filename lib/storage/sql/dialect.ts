import type { DataSource } from 'typeorm';
import type { JobsEvents } from '../../events/jobs-events.js';
import type { AuditDialect } from './audit-dialect.js';
import type { BulkDialect } from './bulk-dialect.js';
import type { Connections, ConnectionsSettings } from './connections.js';
import type { DatabaseErrors } from './database-errors.js';
import type { EditsDialect } from './edits-dialect.js';
import type { EventsDialect } from './events-dialect.js';
import type { FindsDialect } from './finds-dialect.js';
import type { InspectionDialect } from './inspection-dialect.js';
import type { JobsDialect } from './jobs-dialect.js';
import type { KindsDialect } from './kinds-dialect.js';
import type { NotesDialect } from './notes-dialect.js';
import type { Notifier } from './notifier.js';
import type { SchedulesDialect } from './schedules-dialect.js';
import type { ReadsDialect } from './reads-dialect.js';
import type { ChoresDialect, RetentionDialect } from './retention-dialect.js';
import type { SchemaDialect } from './schema-dialect.js';
import type { Sql } from './sql.js';
import type { UniqueDialect } from './unique-dialect.js';

/** The jobs table as statements name it. */
export interface JobsTable {
  /** Without schema and quotes: `nest_jobs`. Indexes are named after it. */
  readonly name: string;
  /** Only on PostgreSQL. */
  readonly schema: string | undefined;
  /** Quoted, with its schema: ready to stand in a statement. */
  readonly quoted: string;
}

/** One database family: its SQL, topic by topic, its errors and its connections. */
export interface Dialect {
  readonly table: JobsTable;
  readonly errors: DatabaseErrors;
  /**
   * Looks at the server, at its settings and those of the session.
   *
   * @returns the dialect for what it has found
   * @throws UnsupportedDatabaseError if jobs cannot be kept there
   */
  examine(sql: Sql): Promise<Dialect>;
  readonly schema: SchemaDialect;
  readonly jobs: JobsDialect;
  readonly schedules: SchedulesDialect;
  readonly reads: ReadsDialect;
  readonly finds: FindsDialect;
  readonly notes: NotesDialect;
  readonly edits: EditsDialect;
  readonly kinds: KindsDialect;
  readonly events: EventsDialect;
  readonly bulk: BulkDialect;
  readonly unique: UniqueDialect;
  readonly retention: RetentionDialect;
  readonly chores: ChoresDialect;
  readonly audit: AuditDialect;
  readonly diagnosis: DiagnosisDialect;
  readonly inspection: InspectionDialect;
  /** Finds out whether locks work; null for a server that is known to be what it says, and for one without locks on rows. */
  readonly lockTest: LockTest | null;
  /** The longest statement that the server takes, its values included. */
  readonly maxStatementBytes: number;
  /** Where and why a handler "cannot be transactional"; null if it can be. */
  readonly noTransactionalHandlers: string | null;

  /** Connections for the queue's own statements. They are opened when they are first needed. */
  connect(dataSource: DataSource, settings: ConnectionsSettings): Connections;
  /** What carries wake-ups between processes. */
  notifier(dataSource: DataSource, connections: Connections, events: JobsEvents): Notifier;
}

/** Statements that find out whether a claim keeps a row from other claims. */
export interface LockTest {
  /** What the server says of itself. */
  readonly server: string;
  /** Writes a row that nothing works on: one that is settled. */
  insert(sql: Sql, id: string): Promise<unknown>;
  /** Locks the row as a claim does, for as long as `work` takes. */
  whileLocked<T>(sql: Sql, id: string, work: () => Promise<T>): Promise<T>;
  /** Whether a claim could lock the row now. */
  canLock(sql: Sql, id: string): Promise<boolean>;
  delete(sql: Sql, id: string): Promise<unknown>;
}

/** Statements that find out why something is slow. */
export interface DiagnosisDialect {
  /** The transaction that has been open for longest, if one has been for more than `ms` and our account may see it. */
  longTransaction(sql: Sql, ms: number): Promise<OpenTransaction | null>;
}

/** A transaction of another session that has not ended. */
export interface OpenTransaction {
  readonly openMs: number;
  /** Whose it is, for a person to find it. */
  readonly description: string;
}
