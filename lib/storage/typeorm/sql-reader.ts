import type { DataSource } from 'typeorm';
import type { Job, JobSummary } from '../../job/job.js';
import type { JobAttempt } from '../../job/job-attempt.js';
import type { JobConditions } from '../../job/job-conditions.js';
import type { JobLogLine, LogQuery } from '../../job/job-log.js';
import type { JobStatus } from '../../job/job-state.js';
import {
  JobReader,
  type CountBounds,
  type CountedJobs,
  type JobFailure,
  type SearchBounds,
  type SearchedJobs,
} from '../../queue/job-reader.js';
import type { EnqueueTarget } from '../../queue/transactions.js';
import type { Dialect } from '../sql/dialect.js';
import { forEntity } from '../sql/entity-tag.js';
import { countJobs, searchJobs, type Ask } from '../sql/job-search.js';
import type { TargetConnections } from './target-connections.js';

/** What reads of jobs go over. */
export interface ReaderParts {
  readonly dialect: Pick<Dialect, 'reads' | 'notes' | 'finds'>;
  readonly byTarget: TargetConnections;
}

/** Reads jobs in a database. */
export class SqlReader extends JobReader {
  /** @param parts asked each time: a queue has others when it has looked at the database */
  constructor(
    private readonly dataSource: DataSource,
    private readonly parts: () => ReaderParts,
  ) {
    super();
  }

  statuses(ids: readonly string[]): Promise<ReadonlyMap<string, JobStatus>> {
    return this.over()((sql) => this.parts().dialect.reads.statuses(sql, ids));
  }

  all(ids: readonly string[], target?: EnqueueTarget): Promise<Job[]> {
    return this.over(target)((sql) => this.parts().dialect.reads.all(sql, ids));
  }

  summaries(ids: readonly string[], target?: EnqueueTarget): Promise<JobSummary[]> {
    return this.over(target)((sql) => this.parts().dialect.reads.summaries(sql, ids));
  }

  failures(ids: readonly string[]): Promise<JobFailure[]> {
    return this.over()((sql) => this.parts().dialect.reads.failures(sql, ids));
  }

  search(conditions: JobConditions, bounds: SearchBounds, target?: EnqueueTarget): Promise<SearchedJobs> {
    return searchJobs(this.over(target), this.parts().dialect.finds, conditions, bounds);
  }

  count(conditions: JobConditions, bounds: CountBounds, target?: EnqueueTarget): Promise<CountedJobs> {
    return countJobs(this.over(target), this.parts().dialect.finds, conditions, bounds);
  }

  attempts(id: string): Promise<JobAttempt[]> {
    return this.over()((sql) => this.parts().dialect.reads.attempts(sql, id));
  }

  logs(id: string, query: LogQuery): Promise<JobLogLine[]> {
    return this.over()((sql) => this.parts().dialect.notes.logs(sql, id, query));
  }

  now(target?: EnqueueTarget): Promise<number> {
    return this.over(target)((sql) => this.parts().dialect.finds.now(sql));
  }

  entityTag(entity: object): string {
    return forEntity(entity, this.dataSource);
  }

  private over(target?: EnqueueTarget): Ask {
    return (statement) => this.parts().byTarget.run(target, statement);
  }
}
