import type {
  DeclaringProcess,
  FireAnswer,
  Resumption,
  ScheduleFilter,
  ScheduleFire,
  SchedulesLook,
  ScheduleWrite,
  StoredSchedule,
  UpcomingQuery,
  UpcomingSchedule,
} from '../../queue/schedule-store.js';
import type { Sql } from './sql.js';

/** Statements about schedules; see the methods of `ScheduleStore`. */
export interface SchedulesDialect extends ScheduleWrites {
  /** @param isJoined whether `sql` is in a transaction of the caller's, which is about to write what it reads here */
  look(sql: Sql, names: readonly string[], isJoined: boolean): Promise<SchedulesLook>;
  list(sql: Sql, filter: ScheduleFilter): Promise<StoredSchedule[]>;
  existing(sql: Sql, jobIds: readonly string[]): Promise<string[]>;
  upcoming(sql: Sql, query: UpcomingQuery): Promise<UpcomingSchedule[]>;
  /** @throws DuplicateIdError where another has made one of the jobs meanwhile; then nothing is written */
  fire(sql: Sql, fires: readonly ScheduleFire[]): Promise<FireAnswer[]>;
}

export interface ScheduleWrites {
  save(sql: Sql, write: ScheduleWrite, isJoined: boolean): Promise<boolean>;
  pause(sql: Sql, name: string, reason: string | null, isJoined: boolean): Promise<boolean>;
  resume(sql: Sql, resumption: Resumption, isJoined: boolean): Promise<boolean>;
  delete(sql: Sql, name: string, isJoined: boolean): Promise<boolean>;
  setLastJob(sql: Sql, name: string, jobId: string): Promise<void>;
  seen(sql: Sql, names: readonly string[], by: DeclaringProcess): Promise<string[]>;
  expire(sql: Sql, ms: number): Promise<string[]>;
}
