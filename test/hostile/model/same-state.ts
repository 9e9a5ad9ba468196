import { expect } from '@jest/globals';
import { decodeDocument } from '../../../lib/job/document.js';
import type { Job } from '../../../lib/job/job.js';
import type { ClockedStore, HiddenState } from '../clocked-store.js';
import { TOLERANCE_MS, type ModelJob, type QueueModel } from './queue-model.js';

/** Expects every job to be as the model has it, and none to be there that the model has not. */
export async function expectSameState(
  model: QueueModel,
  clocked: ClockedStore,
  absentIds: readonly string[],
): Promise<void> {
  const hidden = await clocked.hiddenState();
  expect([...hidden.keys()].sort()).toEqual([...model.jobs.keys()].sort());
  await Promise.all([
    ...absentIds.map(async (id) => expect(await clocked.store.queue.get(id)).toBeNull()),
    ...[...model.jobs.values()].map(async (job) => {
      expectSameJob(await clocked.store.job(job.id), job, clocked);
      expectSameHiddenState(hidden.get(job.id)!, job);
    }),
  ]);
}

export function expectSameJob(actual: Job, job: ModelJob, clocked: ClockedStore): void {
  const near = (date: Date | undefined, expected: number | undefined) => {
    if (date === undefined || expected === undefined) return date;
    const instant = clocked.instantOf(date);
    return Math.abs(instant - expected) < TOLERANCE_MS ? expected : instant;
  };
  const { id, kind, priority, maxAttempts, status, attemptsDone, crashes, lockedBy } = actual;
  const { createdAt, runAt, updatedAt, lastAttemptAt, lockedUntil } = job;
  expect({
    ...{ id, kind, priority, maxAttempts, status, attemptsDone, crashes, lockedBy },
    payload: actual.payload,
    result: actual.result,
    createdAt: near(actual.createdAt, createdAt),
    runAt: near(actual.runAt, runAt),
    updatedAt: near(actual.updatedAt, updatedAt),
    lastAttemptAt: near(actual.lastAttemptAt, lastAttemptAt),
    lockedUntil: near(actual.lockedUntil, lockedUntil),
  }).toEqual({
    ...{
      id: job.id,
      kind: job.kind,
      priority: job.priority,
      maxAttempts: job.maxAttempts,
      status: job.status,
    },
    ...{ attemptsDone: job.attemptsDone, crashes: job.crashes, lockedBy: job.lockedBy },
    payload: job.payload,
    result: job.result === undefined ? undefined : decodeDocument(job.result.json, job.result.bytes),
    ...{ createdAt, runAt, updatedAt, lastAttemptAt, lockedUntil },
  });
  if (job.lastError instanceof RegExp) expect(actual.lastError).toMatch(job.lastError);
  else expect(actual.lastError).toBe(job.lastError);
}

/** Takes over the exact `runAt`: two jobs that start in the same hour run in its order. */
function expectSameHiddenState({ runAt, leaseToken, alone }: HiddenState, job: ModelJob): void {
  if (leaseToken !== undefined)
    expect({ leaseToken, alone }).toEqual({ leaseToken: job.leaseToken, alone: job.alone });
  job.runAt = runAt;
}
