import type { QueryRunner } from 'typeorm';
import { sizeOf } from '../../job/document.js';
import type { EncodedJob } from '../../job/encode-job.js';
import { DuplicateJobError, InvalidJobError } from '../../job/errors.js';
import type { Job } from '../../job/job.js';
import type { Connections } from '../sql/connections.js';
import type { Dialect } from '../sql/dialect.js';
import { DuplicateIdError } from '../sql/duplicate-id.js';
import { EnqueueBatcher } from './enqueue-batcher.js';

/** How fast large payloads go over a slow network. */
const BYTES_PER_MS = 10_000;

/** Writes new jobs: on a connection of the queue's together with those of other calls, or in the caller's transaction. */
export class JobWriter {
  private readonly batcher: EnqueueBatcher;

  /** @param answerMs how long the database may take to answer, besides a millisecond for each job and for each 10 kB */
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
    const answerMs = answerMsFor(jobs, this.answerMs);
    return this.connections.run((sql) => this.dialect.jobs.insert(sql, jobs), { answerMs });
  }
}

/** How long the database may take to write these jobs. @param answerMs to answer, without them */
export function answerMsFor(jobs: readonly EncodedJob[], answerMs: number): number {
  return Math.ceil(answerMs + jobs.length + bytesOf(jobs) / BYTES_PER_MS);
}

function bytesOf(jobs: readonly EncodedJob[]): number {
  let bytes = 0;
  for (const { payload } of jobs) bytes += sizeOf(payload);
  return bytes;
}

/** What an insert rejects with, as callers know it. @throws DuplicateJobError, InvalidJobError */
export function named<Stored>(stored: Promise<Stored>): Promise<Stored> {
  return stored.catch(throwNamed);
}

function throwNamed(error: unknown): never {
  if (error instanceof DuplicateIdError) throw new DuplicateJobError(error.id, { cause: error.cause });
  if (!(error instanceof RangeError)) throw error;
  const problem =
    'are together too large for one statement; nothing was written. Enqueue them in several calls.';
  throw new InvalidJobError('jobs', problem, { cause: error });
}
