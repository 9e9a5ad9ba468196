import type { QueryRunner } from 'typeorm';
import type { DatabaseErrors } from './database-errors.js';
import type { Sql } from './sql.js';

export interface ConnectionsSettings {
  /** How long the database may take to answer. */
  readonly answerMs: number;
  /** How long urgent work waits for the pool. */
  readonly patienceMs: number;
  readonly errors: DatabaseErrors;
  /** Whether frequent statements are prepared, where the database has that. */
  readonly preparedStatements: boolean;
  /** Is told of every try that has failed. */
  readonly onFailure?: (error: unknown) => void;
}

export interface RunOptions {
  /** How long the database may take to answer; `Infinity` for as long as it takes. */
  readonly answerMs?: number;
  /**
   * Do not wait while handlers hold all connections of the pool: use a connection beside it, which is opened when it is
   * first needed, and kept.
   */
  readonly isUrgent?: boolean;
  /** When it aborts, the answer is not wanted any more: `run` rejects with its reason, and breaks the connection off. */
  readonly signal?: AbortSignal;
}

/** Connections for the queue's own statements, apart from the application's transactions. */
export interface Connections {
  /** Runs `work` on one of them. @throws DatabaseTimeoutError if the database does not answer in time */
  run<T>(work: (sql: Sql) => Promise<T>, options?: RunOptions): Promise<T>;
  /** Sends statements over the connection of the caller's query runner. They join its transaction if it has one. */
  over(queryRunner: QueryRunner): Sql;
  close(): Promise<void>;
}
