import type { Sql } from './sql.js';

/** One version of the table: the statements that lead to it from the version before, and back. */
export interface SchemaStep {
  readonly version: number;
  readonly up: readonly string[];
  readonly down: readonly string[];
}

/** Makes and checks the jobs table. */
export interface SchemaDialect {
  /** In ascending order of version. */
  readonly steps: readonly SchemaStep[];
  /** @throws UnsupportedDatabaseError if the server is too old */
  requireVersion(sql: Sql): Promise<void>;
  /** The table's version; 0 if there is none, null if a table of this name is not ours. */
  schemaVersion(sql: Sql): Promise<number | null>;
  /** Runs `work` while no other process runs its own. */
  whileMigrating<T>(sql: Sql, work: () => Promise<T>): Promise<T>;
}
