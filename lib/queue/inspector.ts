/** How bad it is: an `error` keeps jobs from running or may lose them, a `warning` will become one or slows jobs down. */
export type Severity = 'error' | 'warning';

/** Something that a person has to mend. */
export interface Finding<Code extends string = string> {
  /** For programs: `index-missing`. */
  readonly code: Code;
  readonly severity: Severity;
  /** What is wrong and what it does, as sentences. */
  readonly trouble: string;
  /** What to do, as sentences. */
  readonly remedy: string;
}

/** What a look at a storage may find. docs/cli.md has a row for each. */
export const STORAGE_CODES = [
  'server-unsuitable',
  'server-read-only',
  'table-missing',
  'table-unsuitable',
  'schema-behind',
  'schema-ahead',
  'version-lost',
  'column-missing',
  'side-table-missing',
  'index-missing',
  'index-differs',
  'index-unusable',
  'collation-changed',
  'permission-missing',
  'not-durable',
  'autovacuum-off',
  'bloat',
  'long-transaction',
  'timeout-short',
  'notifications-missing',
] as const;

export type StorageCode = (typeof STORAGE_CODES)[number];

export type StorageFinding = Finding<StorageCode>;

/** From where on something counts as a trouble. */
export interface InspectionBounds {
  /** A transaction that has been open for longer is told of, in milliseconds. */
  readonly longTransactionMs: number;
  /** A table is bloated from so many dead rows on; or from as many old versions, or pages, as correspond to them. */
  readonly deadRows: number;
}

/** What a look at a storage has found. */
export interface Inspection {
  /** What it is: `PostgreSQL 16.4`. */
  readonly server: string;
  /** The name of the jobs table, with its schema where it has one. */
  readonly table: string;
  /** The version of the table; 0 where there is none, null where it is not one of this package. */
  readonly schemaVersion: number | null;
  /** Whether jobs can be kept there by this release, so that the other methods of a queue work. */
  readonly isUsable: boolean;
  readonly findings: readonly StorageFinding[];
}

export interface OverdueSchedule {
  readonly name: string;
  readonly kind: string;
  readonly nextAt: Date;
  /** How long ago its next tick was, in milliseconds by the storage's clock. */
  readonly lateMs: number;
}

/** Jobs whose lease has run out and that no worker has taken back. */
export interface ExpiredLeases {
  /** At most 1,000 are counted. */
  readonly count: number;
  /** For how long the oldest has been over, in milliseconds; 0 where there is none. */
  readonly longestMs: number;
}

/** How many jobs one look counts. */
export const INSPECTED = 1_000;

/**
 * Looks for what keeps jobs from running. It writes nothing, and reads parts of indexes alone, however many jobs there are.
 * Every implementation passes test/contract/inspector.contract.ts.
 */
export abstract class Inspector {
  /** Looks at the server, at its settings and at the tables. They need not be there. */
  abstract inspect(bounds: InspectionBounds): Promise<Inspection>;

  /**
   * Schedules that are not paused and whose next tick came longer ago than so many milliseconds: the latest first.
   * @param limit how many at most
   */
  abstract overdueSchedules(lateMs: number, limit: number): Promise<OverdueSchedule[]>;

  /** Jobs whose lease ended longer ago than so many milliseconds. */
  abstract expiredLeases(lateMs: number): Promise<ExpiredLeases>;
}
