import { describe, it } from '@jest/globals';
import fc from 'fast-check';
import { encodeDocument } from '../../../lib/job/document.js';
import type { Outcome } from '../../../lib/job/outcome.js';
import { MAX_BYTES } from '../../support/store.js';
import type { ClockedStore } from '../clocked-store.js';
import { holds, PROPERTY_TIMEOUT_MS, SEEDS } from '../properties.js';
import { Advance, Claim, Enqueue, EnqueueInTransaction, IDS } from './commands.js';
import { Reclaim, Release, ReleaseUnheld, Renew, Settle, type LeaseChoice } from './lease-commands.js';
import { QueueModel } from './queue-model.js';

const RUNS = 25;
const MAX_COMMANDS = 40;
const HOUR = 3_600_000;

/** Clocks go forward by hours. Delays and leases end between two hours, so that a slow machine changes no answer. */
const spans = fc.constantFrom(0.5, 1.5, 2.5).map((hours) => hours * HOUR);
const kinds = fc.constantFrom('mail', 'Mail', 'mail\t1');
const workers = fc.constantFrom('worker 1', 'worker 2');
const newJobs = fc.array(
  fc.record(
    {
      id: fc.constantFrom(...IDS),
      kind: kinds,
      payload: fc.constantFrom<unknown>(null, { to: "O'Reilly" }, [1, '\\'], ''),
      priority: fc.integer({ min: -1, max: 2 }),
      maxAttempts: fc.constantFrom(undefined, 1, 3),
      inMs: fc.oneof(
        { weight: 2, arbitrary: fc.constant(0) },
        fc.constantFrom(-5.5 * HOUR, 0.5 * HOUR, 1.5 * HOUR),
      ),
    },
    { requiredKeys: ['id', 'kind', 'payload', 'inMs'] },
  ),
  { minLength: 1, maxLength: 3 },
);
const choices: fc.Arbitrary<LeaseChoice[]> = fc.array(
  fc.record({
    place: fc.nat(5),
    isForged: fc.oneof({ weight: 6, arbitrary: fc.constant(false) }, fc.constant(true)),
  }),
  { minLength: 1, maxLength: 4 },
);
const heldChoices = fc.oneof(fc.constant([]), choices);
const outcome: fc.Arbitrary<Outcome> = fc.oneof(
  fc
    .constantFrom(undefined, null, { total: -0 }, Uint8Array.of(0, 255), "'\\\n")
    .map((result): Outcome => ({ type: 'done', result: encodeDocument(result, 'result', MAX_BYTES) })),
  fc
    .constantFrom(0, 0.5 * HOUR, 1.5 * HOUR)
    .map((delayMs): Outcome => ({ type: 'retry', delayMs, lastError: "no 'luck'" })),
  fc.constantFrom<Outcome>({ type: 'snoozed', delayMs: 0 }, { type: 'snoozed', delayMs: 0.5 * HOUR }),
  fc.constantFrom<Outcome>(
    { type: 'failed', lastError: '\\' },
    { type: 'panic', lastError: 'panic: \u{1F4A5}' },
  ),
);
const terms = fc.record(
  {
    workerId: workers,
    leaseMs: spans,
    kindLimits: fc.array(fc.tuple(kinds, fc.nat(2))).map((limits) => new Map(limits)),
    alone: fc.boolean(),
  },
  { requiredKeys: ['workerId', 'leaseMs'] },
);

const claimAll = fc
  .record({ workerId: workers, leaseMs: spans, alone: fc.boolean() })
  .map((allTerms) => new Claim(['mail', 'Mail', 'mail\t1'], 4, allTerms));
const settle = fc
  .tuple(choices, fc.array(outcome, { minLength: 1, maxLength: 4 }))
  .map((all) => new Settle(...all));
const enqueue = newJobs.map((jobs) => new Enqueue(jobs));
const advance = fc.constantFrom(HOUR, 2 * HOUR).map((ms) => new Advance(ms));

/** What takes jobs through several attempts stands here more than once, so that it comes more often. */
const commands = fc.commands(
  [
    ...[enqueue, claimAll, settle, advance],
    ...[enqueue, claimAll, settle, advance],
    ...[claimAll, settle],
    fc
      .tuple(
        fc.array(newJobs, { minLength: 1, maxLength: 2 }),
        fc.constantFrom('commit', 'commit', 'rollback'),
        fc.constantFrom('manager', 'client'),
      )
      .map((all) => new EnqueueInTransaction(...all)),
    fc.tuple(fc.uniqueArray(kinds), fc.nat(4), terms).map((all) => new Claim(...all)),
    fc.tuple(choices, spans, fc.boolean()).map((all) => new Renew(...all)),
    choices.map((some) => new Release(some)),
    fc.tuple(heldChoices, workers).map((all) => new ReleaseUnheld(...all)),
    fc.tuple(heldChoices, fc.constantFrom(1, 2, 3)).map((all) => new Reclaim(...all)),
  ],
  { maxCommands: MAX_COMMANDS, size: 'max' },
);

/** The queue answers and looks as a plain model does, after each of many commands. */
export function modelContract(clocked: ClockedStore): void {
  describe('The queue', () => {
    it.each(SEEDS)(
      'does as a plain model of it does, command by command, with %s',
      async (_name, seed) => {
        const asTheModel = async (list: Iterable<fc.AsyncCommand<QueueModel, ClockedStore>>) => {
          await clocked.store.reset();
          const model = new QueueModel(clocked.instantOf(clocked.dateIn(0)));
          await fc.asyncModelRun(() => ({ model, real: clocked }), list);
        };
        await holds(commands, asTheModel, seed, RUNS);
      },
      PROPERTY_TIMEOUT_MS,
    );
  });
}
