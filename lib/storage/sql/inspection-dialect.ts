import type {
  ExpiredLeases,
  InspectionBounds,
  OverdueSchedule,
  StorageFinding,
} from '../../queue/inspector.js';
import { decodeInstant } from './schedule-row.js';
import type { Row, Sql } from './sql.js';

/** An index that statements of the queue need. */
export interface WantedIndex {
  /** The name of its table, without schema. */
  readonly table: string;
  readonly name: string;
  readonly columns: readonly string[];
  /** Its condition, as `plainCondition` leaves it; null for an index of all rows. */
  readonly where: string | null;
  /** The statement that makes it. */
  readonly statement: string;
}

/** An index that is there. */
export interface FoundIndex extends Omit<WantedIndex, 'statement'> {
  /** Whether the planner may use it. */
  readonly isUsable: boolean;
}

/** Statements that look for what is wrong; see `Inspector`. */
export interface InspectionDialect {
  /** `PostgreSQL 16.4` */
  server(sql: Sql): Promise<string>;
  /** Those of these tables that are there, by name. */
  tables(sql: Sql, names: readonly string[]): Promise<string[]>;
  readonly wantedIndexes: readonly WantedIndex[];
  indexes(sql: Sql, tables: readonly string[]): Promise<FoundIndex[]>;
  /** What this database alone can have: settings, storage, rights. @param tables those that are there */
  faults(sql: Sql, tables: readonly string[], bounds: InspectionBounds): Promise<StorageFinding[]>;
  overdueSchedules(sql: Sql, lateMs: number, limit: number): Promise<OverdueSchedule[]>;
  expiredLeases(sql: Sql, lateMs: number): Promise<ExpiredLeases>;
}

/** From a row with `name`, `kind`, `next_at` and `late_ms`. */
export function decodeOverdue({ name, kind, next_at, late_ms }: Row): OverdueSchedule {
  return {
    name: name as string,
    kind: kind as string,
    nextAt: decodeInstant(next_at)!,
    lateMs: Number(late_ms),
  };
}

/** From a row with `count` and `longest_ms`. */
export function decodeExpired([row]: readonly Row[]): ExpiredLeases {
  return { count: Number(row!.count), longestMs: Number(row!.longest_ms ?? 0) };
}

/** A condition without the casts, brackets and comments with which databases show it again. */
export function plainCondition(condition: string): string {
  return condition
    .replaceAll(/\/\*.*?\*\//g, ' ')
    .replaceAll(/::[a-z ]+/g, (cast) => (cast.endsWith(' ') ? ' ' : ''))
    .replaceAll(/[()"]/g, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
}
