import type { QueryRunner } from 'typeorm';
import type { EncodedJob } from '../../job/encode-job.js';
import { DuplicateJobError } from '../../job/errors.js';
import type { Job } from '../../job/job.js';
import type { Connections } from '../sql/connections.js';
import type { Dialect } from '../sql/dialect.js';
import { DuplicateIdError } from '../sql/duplicate-id.js';
import { EnqueueBatcher } from './enqueue-batcher.js';

/** Writes new jobs: on a connection of the queue's together with those of other calls, or in the caller's transaction. */
export class JobWriter {
  private readonly batcher: EnqueueBatcher;

  /** @param answerMs how long the database may take to answer, besides a millisecond for each job */
  constructor(
    private readonly connections: Connections,
    private readonly dialect: Dialect,
    private readonly answerMs: number,
  ) {
    const wasRefused = (error: unknown) =>
      error instanceof DuplicateIdError || dialect.errors.wasRefused(error);
    this.batcher = new EnqueueBatcher((jobs) => this.insert(jobs), wasRefused);
  }

  /** @throws DuplicateJobError */
  write(jobs: readonly EncodedJob[]): Promise<Job[]> {
    return named(this.batcher.enqueue(jobs));
  }

  /**
   * @param isJoined whether the query runner is in a transaction
   * @throws DuplicateJobError
   */
  writeThrough(queryRunner: QueryRunner, jobs: readonly EncodedJob[], isJoined: boolean): Promise<Job[]> {
    const sql = this.connections.over(queryRunner);
    return named(this.dialect.jobs.insert(sql, jobs, isJoined));
  }

  private insert(jobs: readonly EncodedJob[]): Promise<Job[]> {
    const answerMs = this.answerMs + jobs.length;
    return this.connections.run((sql) => this.dialect.jobs.insert(sql, jobs), { answerMs });
  }
}

/** @throws DuplicateJobError */
async function named(stored: Promise<Job[]>): Promise<Job[]> {
  try {
    return await stored;
  } catch (error) {
    throw error instanceof DuplicateIdError ? new DuplicateJobError(error.id, { cause: error.cause }) : error;
  }
}
