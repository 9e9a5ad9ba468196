import type { StoredDocument } from '../../job/document.js';
import type { Outcome } from '../../job/outcome.js';
import type { EncodedJob } from '../../job/encode-job.js';
import type { Lease } from '../../queue/lease.js';
import { numberArray, textArray } from './postgres-arrays.js';
import { asBuffer, STATUS_AFTER } from '../sql/row.js';

/*
 * What postgresStatements take: for one row, for rows that are the same but for what tells them apart, and as lists,
 * column by column.
 */

const runAtOf = ({ runAtMs }: EncodedJob) => (runAtMs === null ? null : new Date(runAtMs).toISOString());

export function bindJob(job: EncodedJob): unknown[] {
  const { id, kind, payload } = job;
  return [id, kind, payload.json, bytesOf(payload), ...settingsOf(job)];
}

/** @param jobs which are alike */
export function bindJobsAlike(jobs: readonly EncodedJob[]): unknown[] {
  return [...documentsOf(jobs), ...settingsOf(jobs[0]!)];
}

export function bindJobs(jobs: readonly EncodedJob[]): unknown[] {
  return [
    ...documentsOf(jobs),
    unlessAll(null, jobs, (job) => bytesOf(job.payload), textArray),
    unlessAll(null, jobs, runAtOf, textArray),
    unlessAll(0, jobs, (job) => job.delayMs, numberArray),
    unlessAll(0, jobs, (job) => job.priority, numberArray),
    unlessAll(null, jobs, (job) => job.maxAttempts, numberArray),
    unlessAll(1, jobs, (job) => job.payloadVersion, numberArray),
    unlessAll(null, jobs, (job) => job.carried, textArray),
  ];
}

/** Whether nothing but id, kind and a JSON payload tells jobs apart. */
export function areAlike(jobs: readonly EncodedJob[]): boolean {
  const first = jobs[0]!;
  return jobs.every(
    (job) =>
      job.payload.bytes === null &&
      job.runAtMs === first.runAtMs &&
      job.delayMs === first.delayMs &&
      job.priority === first.priority &&
      job.maxAttempts === first.maxAttempts &&
      job.payloadVersion === first.payloadVersion &&
      job.carried === first.carried,
  );
}

function documentsOf(jobs: readonly EncodedJob[]): unknown[] {
  return [
    textArray(jobs.map((job) => job.id)),
    textArray(jobs.map((job) => job.kind)),
    unlessAll(null, jobs, (job) => job.payload.json, textArray),
  ];
}

function settingsOf(job: EncodedJob): unknown[] {
  return [runAtOf(job), job.delayMs, job.priority, job.maxAttempts, job.payloadVersion, job.carried];
}

const statusOf = ({ type }: Outcome) => STATUS_AFTER[type];
const resultOf = (outcome: Outcome) => (outcome.type === 'done' ? outcome.result.json : null);
const resultBytesOf = (outcome: Outcome) => (outcome.type === 'done' ? bytesOf(outcome.result) : null);
const lastErrorOf = (outcome: Outcome) => (outcome.type === 'done' ? null : outcome.lastError);
const delayMsOf = (outcome: Outcome) => (outcome.type === 'retry' ? outcome.delayMs : null);

export function bindOutcome(outcome: Outcome): unknown[] {
  return [statusOf, resultOf, resultBytesOf, lastErrorOf, delayMsOf].map((valueOf) => valueOf(outcome));
}

export function bindOutcomes(outcomes: readonly Outcome[]): unknown[] {
  return [
    textArray(outcomes.map(statusOf)),
    unlessAll(null, outcomes, resultOf, textArray),
    unlessAll(null, outcomes, resultBytesOf, textArray),
    unlessAll(null, outcomes, lastErrorOf, textArray),
    unlessAll(null, outcomes, delayMsOf, numberArray),
  ];
}

/** Whether outcomes are the same, as of handlers that are done and return nothing; errors hardly ever are. */
export function areSame(outcomes: readonly Outcome[]): boolean {
  const [first] = outcomes;
  return outcomes.every((outcome) => outcome === first || (first !== undefined && isSame(outcome, first)));
}

function isSame(one: Outcome, other: Outcome): boolean {
  if (one.type !== 'done' || other.type !== 'done') return false;
  return one.result.json === other.result.json && one.result.bytes === other.result.bytes;
}

export function bindLeases(leases: readonly Lease[]): [ids: string, leaseTokens: string] {
  return [textArray(leases.map((lease) => lease.id)), numberArray(leases.map((lease) => lease.leaseToken))];
}

/** As text: `pg-native` takes a Buffer for a string, which ends at the first byte that is 0. */
function bytesOf({ bytes }: StoredDocument): string | null {
  return bytes === null ? null : `\\x${asBuffer(bytes)!.toString('hex')}`;
}

/** The list, or null where every entry is `usual`: the statement knows that one by itself. */
function unlessAll<T, V>(
  usual: V,
  items: readonly T[],
  valueOf: (item: T) => V,
  encode: (values: V[]) => unknown,
): unknown {
  const values = items.map(valueOf);
  return values.every((value) => value === usual) ? null : encode(values);
}
