import { warmUp } from '../warm-up.mjs';

/** Jobs one by one, by one caller and by sixteen, each awaiting its own commit; a thousand in a call; in a transaction. */
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
  ALL.filter((name) => name !== 'bullmq'), // its store is another one
  (actor, { jobs }) => actor.call('enqueueInTransaction', { jobs }),
);
