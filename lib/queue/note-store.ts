import type { JobLogLevel } from '../job/job-log.js';
import type { Lease, LeaseAnswer } from './lease.js';

/** A line of a log that is to be written. */
export interface NotedLine {
  /** How long ago it was logged. */
  readonly agoMs: number;
  readonly level: JobLogLevel;
  /** JSON: of a text, or of an object. */
  readonly entry: string;
}

/** What the handler of a running job has noted since this was last written. */
export interface AttemptNote extends Lease {
  /** The number of the attempt. */
  readonly attempt: number;
  /** JSON; null leaves the stored one. */
  readonly progress: string | null;
  readonly lines: readonly NotedLine[];
  /** How many lines were dropped before these without being written. They count as lines. */
  readonly skipped: number;
  /** How many lines of the attempt stay, these included: the newest. */
  readonly keep: number;
}

/** Writes what handlers note while they run. Every implementation passes test/contract/progress.contract.ts. */
export abstract class NoteStore {
  /**
   * Writes notes of any number of jobs, each under its lease and with what belongs to it, or not at all. Lines are numbered
   * on from those that the attempt has. Lines of attempts that are more than 50 attempts old are deleted.
   *
   * Neither `updatedAt` nor the lease changes. Where the answer is lost, lines may be written twice.
   *
   * @param answerMs how long the storage may take to answer, where that is shorter than its own limit
   * @returns answers in the order given
   */
  abstract write(notes: readonly AttemptNote[], answerMs?: number): Promise<LeaseAnswer[]>;
}
