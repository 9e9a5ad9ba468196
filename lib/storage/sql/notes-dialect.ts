import type { JobLogLine, LogQuery } from '../../job/job-log.js';
import type { AttemptNote } from '../../queue/note-store.js';
import type { WrittenLease } from './jobs-dialect.js';
import type { Sql } from './sql.js';

/** Statements about what handlers note. Notes come in ascending order of id. */
export interface NotesDialect {
  /** @returns the leases under which something was written */
  write(sql: Sql, notes: readonly AttemptNote[]): Promise<readonly WrittenLease[]>;
  logs(sql: Sql, id: string, query: LogQuery): Promise<JobLogLine[]>;
}
