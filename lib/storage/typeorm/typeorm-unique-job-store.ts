import type { QueryRunner } from 'typeorm';
import type { EncodedJob } from '../../job/encode-job.js';
import type { Job } from '../../job/job.js';
import type { EnqueueTarget } from '../../queue/transactions.js';
import { UniqueJobStore, type KeyPosition, type SweptKeys } from '../../queue/unique-job-store.js';
import type { Connections } from '../sql/connections.js';
import type { UniqueDialect, UniqueOutcome } from '../sql/unique-dialect.js';
import type { CommittedJobs } from './committed-jobs.js';
import { answerMsFor, named } from './job-writer.js';

/** Unique jobs in a database, beside the other jobs of a `TypeOrmJobQueue`. */
export class TypeOrmUniqueJobStore extends UniqueJobStore {
  constructor(
    private readonly connections: Connections,
    private readonly dialect: UniqueDialect,
    private readonly committed: CommittedJobs,
    private readonly answerMs: number,
  ) {
    super();
  }

  async enqueue(jobs: readonly EncodedJob[], target: EnqueueTarget = {}): Promise<Job[]> {
    const queryRunner = this.committed.queryRunnerOf(target);
    if (queryRunner !== undefined) return this.enqueueThrough(queryRunner, jobs);
    // What the database has undone for a conflict with another transaction is tried again here.
    const enqueuing = this.connections.run((sql) => this.dialect.enqueue(sql, jobs, false), {
      answerMs: answerMsFor(jobs, this.answerMs),
    });
    const outcome = await named(enqueuing);
    this.tell(outcome);
    return [...outcome.answers];
  }

  sweep(after: KeyPosition | null): Promise<SweptKeys> {
    return this.connections.run((sql) => this.dialect.sweep(sql, after));
  }

  private async enqueueThrough(queryRunner: QueryRunner, jobs: readonly EncodedJob[]): Promise<Job[]> {
    const isJoined = queryRunner.isTransactionActive;
    const sql = this.connections.over(queryRunner);
    const outcome = await named(this.dialect.enqueue(sql, jobs, isJoined));
    const writtenAt = performance.now();
    this.committed.afterCommit(
      queryRunner,
      () => this.tell(outcome, isJoined, performance.now() - writtenAt),
      // Jobs that were locked meanwhile are free again.
      () => this.committed.tellOfTouched(outcome.touched, performance.now() - writtenAt),
    );
    return [...outcome.answers];
  }

  private tell({ made, stored, touched }: UniqueOutcome, isJoined = false, agoMs = 0): void {
    if (made.length > 0) this.committed.tell(made, stored, isJoined, agoMs);
    this.committed.tellOfTouched(touched, agoMs);
  }
}
