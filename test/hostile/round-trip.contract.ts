import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { JobClient } from '../../lib/client/job-client.js';
import { storableText } from '../../lib/job/describe-error.js';
import { encodeDocument } from '../../lib/job/document.js';
import { JobsError } from '../../lib/job/errors.js';
import type { Job, NewJob } from '../../lib/job/job.js';
import { STATUS_AFTER, type Outcome } from '../../lib/job/outcome.js';
import { LONG, MAX_BYTES, type Store } from '../support/store.js';
import { documents, names, settings, text } from './arbitraries.js';
import { holds, PROPERTY_TIMEOUT_MS, SEEDS } from './properties.js';
import { REFUSED_FIELDS, REFUSED_JOBS } from './refused-jobs.js';
import { jobCount } from './rows.js';

const RUNS = 60;

/** What was enqueued by one call. */
interface Sent {
  readonly jobs: readonly NewJob[];
  readonly carried: unknown;
  /** How long the call took. */
  readonly tookMs: number;
}

const newJobs = fc
  .uniqueArray(fc.record({ id: names, kind: names, payload: documents, settings }), {
    selector: ({ id }) => id,
    minLength: 1,
    maxLength: 4,
  })
  .map((jobs) => jobs.map(({ settings, ...job }): NewJob => ({ ...job, ...settings })));
const carriedValues = documents.filter((value) => !(value instanceof Uint8Array));
const outcomes: fc.Arbitrary<Outcome> = fc.oneof(
  documents.map((value): Outcome => ({ type: 'done', result: encodeDocument(value, 'result', MAX_BYTES) })),
  fc
    .tuple(fc.constantFrom('failed', 'panic'), text)
    .map(([type, error]): Outcome => ({ type, lastError: storableText(error) })),
);

/** Whatever may be stored comes back exactly, and whatever may not is refused by a typed error and leaves nothing. */
export function roundTripContract(store: Store): void {
  describe('Whatever is enqueued', () => {
    it.each(SEEDS)(
      'comes back exactly from the enqueue, a claim and a read, with %s',
      async (_name, seed) => {
        await holds(
          fc.tuple(newJobs, fc.array(outcomes, { minLength: 4, maxLength: 4 }), carriedValues),
          ([jobs, ends, carried]) => expectRoundTrip(jobs, ends, carried),
          seed,
          RUNS,
        );
      },
      PROPERTY_TIMEOUT_MS,
    );
  });

  const expectRoundTrip = async (
    jobs: readonly NewJob[],
    ends: readonly Outcome[],
    carried: unknown,
  ): Promise<void> => {
    await store.reset();
    const contextCarrier = {
      capture: () => carried,
      restore: <R>(_carried: unknown, next: () => R) => next(),
    };
    const client = new JobClient(store.queue, { maxPayloadBytes: MAX_BYTES, contextCarrier });
    const sentAt = performance.now();
    const told = await client.enqueueMany(jobs);
    const sent = { jobs, carried, tookMs: performance.now() - sentAt };
    for (const [index, job] of jobs.entries()) {
      expectStored(told[index]!, job, sent);
      expectStored(await store.job(job.id!), job, sent);
    }
    await expectClaimedAndSettled(sent, ends);
  };

  /** Claims what is ready, settles it, and reads it again. */
  const expectClaimedAndSettled = async (sent: Sent, ends: readonly Outcome[]): Promise<void> => {
    const { jobs } = sent;
    const ready = jobs.filter(({ runAt, delayMs = 0 }) => delayMs === 0 && Number(runAt ?? 0) < Date.now());
    const claimed = await store.queue.claim([...new Set(jobs.map(({ kind }) => kind))], 9, LONG);
    expect(claimed.map(({ id }) => id).sort()).toEqual(ready.map(({ id }) => id).sort());
    const settlements = claimed.map((job, index) => ({ ...job, outcome: ends[index]! }));
    expect(await store.queue.settle(settlements)).toEqual(claimed.map(() => 'written'));
    for (const [index, job] of claimed.entries()) {
      expectStored(
        job,
        jobs.find(({ id }) => id === job.id)!,
        sent,
      );
      const { result, lastError, cancelReason = null, status } = await store.job(job.id);
      const outcome = ends[index]!;
      expect(status).toBe(STATUS_AFTER[outcome.type]);
      if (outcome.type === 'cancelled') expect(cancelReason).toBe(outcome.reason);
      else if ('lastError' in outcome) expect(lastError).toBe(outcome.lastError);
      else if (outcome.type === 'done')
        expectSameDocument(result, outcome.result.bytes ?? parse(outcome.result.json));
    }
  };

  describe.each(Object.entries(REFUSED_FIELDS))('A job whose %s', (field, parts) => {
    it.each(parts)('is %s is refused by a typed error, and nothing is written', async (_what, part) => {
      await expectRefused({ kind: 'mail', payload: 1, [field]: part() });
    });
  });

  describe('A list of jobs with one', () => {
    it.each(REFUSED_JOBS)(
      'that is %s is refused by a typed error, and nothing is written',
      async (_what, part) => {
        await expectRefused(part());
      },
    );
  });

  const expectRefused = async (job: unknown): Promise<void> => {
    await store.reset();
    const error = await store.client.enqueueMany([{ kind: 'mail' }, job as NewJob]).then(
      () => 'It was not refused.',
      (refusal: unknown) => refusal,
    );
    expect(error).toBeInstanceOf(JobsError);
    expect(await jobCount(store)).toBe(0);
  };
}

function expectStored(stored: Job, given: NewJob, { carried, tookMs }: Sent): void {
  const { id, kind, priority, maxAttempts } = stored;
  expect({ id, kind, priority, maxAttempts }).toEqual({
    id: given.id,
    kind: given.kind,
    priority: given.priority ?? 0,
    maxAttempts: given.maxAttempts,
  });
  expectSameDocument(stored.payload, given.payload);
  expectSameDocument(stored.carried, carried);
  if (given.runAt !== undefined) expect(stored.runAt).toEqual(given.runAt);
  else {
    const delayMs = stored.runAt.getTime() - stored.createdAt.getTime();
    // Servers read their clock for a transaction and for its statement: two moments of the call.
    expect(Math.abs(delayMs - (given.delayMs ?? 0))).toBeLessThanOrEqual(tookMs + 2);
  }
}

/** Compares as JSON, which tells keys and their order, and properties named `__proto__`. */
function expectSameDocument(actual: unknown, given: unknown): void {
  if (!(given instanceof Uint8Array)) {
    expect(JSON.stringify(actual)).toBe(JSON.stringify(given));
    return;
  }
  expect(actual).toBeInstanceOf(Uint8Array);
  expect(Buffer.from(actual as Uint8Array).toString('hex')).toBe(Buffer.from(given).toString('hex'));
}

function parse(json: string | null): unknown {
  return json === null ? undefined : JSON.parse(json);
}
