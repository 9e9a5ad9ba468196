import { warmUp } from '../warm-up.mjs';

/*
 * Enqueues one by one, by 1, 16 and 64 callers that each await their own commit; a thousand jobs in a call; and one job
 * in the caller's transaction.
 */
const ALL = ['floor', 'ours', 'bullmq', 'graphile', 'pg-boss'];
const CHUNK = 1000;

function scenario(name, contenders, measure) {
  return {
    name,
    contenders,
    async run(bench, contender) {
      const judge = await bench.judge(contender);
      await judge.reset();
      const actor = await bench.actor(contender);
      try {
        await warmUp((jobs) => measure(actor, { jobs }), bench.sizes.warmUpMs);
        const before = await judge.left();
        const jobs = bench.sizes[name];
        const ms = await measure(actor, { jobs });
        const written = (await judge.left()) - before;
        if (written !== jobs) throw new Error(`The store says that ${written} of ${jobs} jobs were written.`);
        bench.records.add(name, contender, (jobs * 1000) / ms);
      } finally {
        await actor.close();
        await judge.close();
      }
    },
  };
}

export const enqueueOne = scenario('enqueue-1', ALL, (actor, { jobs }) =>
  actor.call('enqueue', { callers: 1, jobs }),
);

export const enqueueSixteen = scenario('enqueue-16', ALL, (actor, { jobs }) =>
  actor.call('enqueue', { callers: 16, jobs }),
);

export const enqueueSixtyFour = {
  ...scenario('enqueue-64', ALL, (actor, { jobs }) => actor.call('enqueue', { callers: 64, jobs })),
  isExtra: true,
};

export const enqueueMany = scenario('bulk', [...ALL, 'floor-mariadb', 'ours-mariadb'], (actor, { jobs }) => {
  const size = Math.min(CHUNK, jobs);
  return actor.call('enqueueMany', { batches: jobs / size, size });
});

export const enqueueInTransaction = scenario(
  'transaction',
  ALL.filter((name) => name !== 'bullmq'), // its store is not the application's database
  (actor, { jobs }) => actor.call('enqueueInTransaction', { jobs }),
);
