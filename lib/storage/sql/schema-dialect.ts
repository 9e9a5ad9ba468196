import type { Sql } from './sql.js';

/** One version of the table: the statements that lead to it from the version before, and back. */
export interface SchemaStep {
  readonly version: number;
  readonly up: readonly string[];
  readonly down: readonly string[];
  /** The names of the columns that it adds. A table that has lost its comment is recognized by them. */
  readonly columns: readonly string[];
}

/** What there is under the name of the jobs table. */
export interface FoundTable {
  /** Null where there is none. */
  readonly comment: string | null;
  readonly columns: readonly string[];
  /** Why no jobs can be kept in it, and what to do: `is partitioned. Keep …`. Undefined where they can. */
  readonly problem?: string;
}

/** Makes and checks the jobs table. */
export interface SchemaDialect {
  /** In ascending order of version. */
  readonly steps: readonly SchemaStep[];
  /** @returns null where there is nothing of this name */
  find(sql: Sql): Promise<FoundTable | null>;
  /** A statement that writes the version of the table into its comment; null where the version cannot be lost. */
  comment(version: number): string | null;
  /** Runs `work` while no other process runs its own. */
  whileMigrating<T>(sql: Sql, work: () => Promise<T>): Promise<T>;
}
