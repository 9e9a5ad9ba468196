import { describe, expect, it } from '@jest/globals';
import { expectTypeOf } from 'expect-type';
import { JobClient } from '../../../lib/client/job-client.js';
import { defineJob } from '../../../lib/job/definition.js';
import { InvalidJobError } from '../../../lib/job/errors.js';
import type { Enqueued, Job } from '../../../lib/job/job.js';
import { MemoryJobQueue } from '../../../lib/storage/memory/memory-job-queue.js';

const Mail = defineJob<{ to: string }, number>('mail');
const Ping = defineJob('ping');

describe('A wrong argument is an InvalidJobError', () => {
  const client = new JobClient(new MemoryJobQueue());
  const wrong = client as unknown as Record<
    'enqueue' | 'enqueueMany' | 'get',
    (...args: unknown[]) => Promise<unknown>
  >;

  it.each<[what: string, call: () => Promise<unknown>, message: RegExp]>([
    [
      'where a definition is undefined, which names the usual cause',
      () => wrong.enqueue(undefined, {}),
      /^kind is of type undefined; .* defineJob\(\) returns\. .* two files import each other/,
    ],
    [
      'where the kind is neither text nor definition',
      () => wrong.enqueue({ kind: 'mail' }),
      /^kind is of type object/,
    ],
    ['where a job is read by no definition', () => wrong.get(undefined, 'id'), /^kind is of type undefined/],
    ['where the options are null', () => wrong.enqueue('mail', {}, null), /^options is null/],
    [
      'where many are no list',
      () => wrong.enqueueMany({ kind: 'mail' }),
      /^jobs is of type object; .* an array/,
    ],
    ['where one of many is no job', () => wrong.enqueueMany([{ kind: 'mail' }, null]), /^jobs\[1\] is null/],
    ['where the options of many are null', () => wrong.enqueueMany([], null), /^options is null/],
  ])('%s', async (_what, call, message) => {
    await expect(call()).rejects.toBeInstanceOf(InvalidJobError);
    await expect(call()).rejects.toThrow(message);
  });

  it('and nothing has been written', async () => {
    const queue = new MemoryJobQueue();
    const many = new JobClient(queue).enqueueMany([{ kind: 'mail' }, null] as never);
    await expect(many).rejects.toThrow();
    expect(queue.list()).toEqual([]);
  });
});

/** What an enqueue gives back. */
type Made<J> = J & { readonly enqueued: Enqueued };

describe('The types of an enqueue', () => {
  const client = new JobClient(new MemoryJobQueue());

  it('are those of the definition, or of what is given', () => {
    expectTypeOf(client.enqueue('mail', { to: 'a' })).toEqualTypeOf<Promise<Made<Job<{ to: string }>>>>();
    expectTypeOf(client.enqueue<{ to: string }>('mail', { to: 'a' })).toEqualTypeOf<
      Promise<Made<Job<{ to: string }>>>
    >();
    expectTypeOf(client.enqueue('mail')).toEqualTypeOf<Promise<Made<Job>>>();
    expectTypeOf(client.enqueue(Mail, { to: 'a' })).toEqualTypeOf<
      Promise<Made<Job<{ to: string }, number>>>
    >();
    expectTypeOf(client.enqueue(Mail, { to: 'a' }, { delayMs: 1 })).resolves.toHaveProperty('id');
  });

  it('want a payload where the definition has one, and only there', () => {
    const calls = [
      // @ts-expect-error -- Expected 2-3 arguments, but got 1.
      () => client.enqueue(Mail),
      // @ts-expect-error -- no such property
      () => client.enqueue(Mail, { too: 'a' }),
      () => client.enqueue(Ping),
      () => client.enqueue(defineJob<undefined>('nothing')),
      () => client.enqueue(defineJob<{ a: number } | undefined>('maybe')),
    ];
    expect(calls).toHaveLength(5);
  });
});
