import { expect } from '@jest/globals';
import type fc from 'fast-check';
import { DuplicateJobError } from '../../../lib/job/errors.js';
import type { NewJob } from '../../../lib/job/job.js';
import type { Lease, LeaseTerms } from '../../../lib/queue/lease.js';
import type { ClockedStore } from '../clocked-store.js';
import type { ModelNewJob, QueueModel } from './queue-model.js';
import { expectSameJob, expectSameState } from './same-state.js';

export const IDS = [
  'a',
  'A',
  'aa',
  'á',
  'a\u0301',
  'b\u0001',
  "'",
  '\\',
  '__proto__',
  '\u{1F600}',
  '\uffff',
  '%',
];

/** A call of the queue. It is made of the model too, then answers and states are compared. */
export abstract class Command implements fc.AsyncCommand<QueueModel, ClockedStore> {
  check(_model: Readonly<QueueModel>): boolean {
    return true;
  }

  async run(model: QueueModel, clocked: ClockedStore): Promise<void> {
    await this.act(model, clocked);
    await expectSameState(
      model,
      clocked,
      IDS.filter((id) => !model.jobs.has(id)),
    );
  }

  protected abstract act(model: QueueModel, clocked: ClockedStore): Promise<void>;

  toString(): string {
    const shown = Object.values(this).map((argument) => JSON.stringify(argument, showMap));
    return `${this.constructor.name}(${shown.join(', ')})`;
  }
}

/** By itself, all or none. */
export class Enqueue extends Command {
  constructor(private readonly jobs: readonly ModelNewJob[]) {
    super();
  }

  protected async act(model: QueueModel, clocked: ClockedStore): Promise<void> {
    const duplicates = model.duplicatesAmong(this.jobs);
    const enqueued = clocked.store.client.enqueueMany(this.jobs.map((job) => asNewJob(job, clocked)));
    if (duplicates.size > 0) {
      expectDuplicate(await failureOf(enqueued), duplicates);
      return;
    }
    const told = await enqueued;
    model.enqueue(this.jobs);
    for (const [index, job] of this.jobs.entries())
      expectSameJob(told[index]!, model.jobs.get(job.id)!, clocked);
  }
}

/** Several calls in one transaction, which ends as it says or with a duplicate. */
export class EnqueueInTransaction extends Command {
  constructor(
    private readonly calls: readonly (readonly ModelNewJob[])[],
    private readonly ends: 'commit' | 'rollback',
    private readonly by: 'manager' | 'client',
  ) {
    super();
  }

  protected async act(model: QueueModel, clocked: ClockedStore): Promise<void> {
    const { queue, client, dataSource } = clocked.store;
    const written: ModelNewJob[] = [];
    let duplicates: ReadonlySet<string> = new Set();
    const abandoned = new Error('The caller rolls back.');
    const work = async (manager: Parameters<Parameters<typeof client.transaction>[0]>[0]) => {
      for (const jobs of this.calls) {
        duplicates = model.duplicatesAmong(jobs, written);
        const options = this.by === 'manager' ? { manager } : {};
        await client.enqueueMany(
          jobs.map((job) => asNewJob(job, clocked)),
          options,
        );
        written.push(...jobs);
        const [first] = jobs;
        if (first !== undefined && duplicates.size === 0) expect(await queue.get(first.id)).toBeNull();
      }
      if (this.ends === 'rollback') throw abandoned;
    };
    const ended = this.by === 'manager' ? dataSource.transaction(work) : client.transaction(work);
    const failure = await failureOf(ended);
    if (duplicates.size > 0) expectDuplicate(failure, duplicates);
    else if (this.ends === 'rollback') expect(failure).toBe(abandoned);
    else {
      expect(failure).toBeUndefined();
      model.enqueue(written);
    }
  }
}

export class Claim extends Command {
  constructor(
    private readonly kinds: readonly string[],
    private readonly limit: number,
    private readonly terms: LeaseTerms,
  ) {
    super();
  }

  protected async act(model: QueueModel, clocked: ClockedStore): Promise<void> {
    const claimed = await clocked.store.queue.claim(this.kinds, this.limit, this.terms);
    const expected = model.claim(this.kinds, this.limit, this.terms);
    const leasesOf = (jobs: readonly Pick<Lease, 'id' | 'leaseToken'>[]) =>
      jobs.map(({ id, leaseToken }) => ({ id, leaseToken }));
    expect(leasesOf(claimed)).toEqual(leasesOf(expected));
    // What a claim returns has no result, nor has a job that can be claimed.
    for (const [index, job] of claimed.entries()) expectSameJob(job, expected[index]!, clocked);
  }
}

export class Advance extends Command {
  constructor(private readonly ms: number) {
    super();
  }

  protected async act(model: QueueModel, clocked: ClockedStore): Promise<void> {
    await clocked.advance(this.ms);
    model.now += this.ms;
  }
}

function asNewJob({ inMs, ...job }: ModelNewJob, clocked: ClockedStore): NewJob {
  if (inMs === 0) return job;
  // What is due in the future comes by a delay for jobs of an even priority, so that both ways are taken.
  const isDelayed = inMs > 0 && (job.priority ?? 0) % 2 === 0;
  return isDelayed ? { ...job, delayMs: inMs } : { ...job, runAt: clocked.dateIn(inMs) };
}

function expectDuplicate(failure: unknown, duplicates: ReadonlySet<string>): void {
  expect(failure).toBeInstanceOf(DuplicateJobError);
  expect([...duplicates]).toContain((failure as DuplicateJobError).id);
}

async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

function showMap(_key: string, value: unknown): unknown {
  return value instanceof Map ? Object.fromEntries(value) : value;
}
