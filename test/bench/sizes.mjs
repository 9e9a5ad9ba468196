/** How much to measure. The entry under a scenario's name is how many jobs that scenario enqueues. */
export const FULL = {
  rounds: 3,
  warmUpMs: 3000,
  'enqueue-1': 3000,
  'enqueue-16': 12_000,
  'enqueue-64': 30_000,
  bulk: 20_000,
  transaction: 2000,
  backlog: 20_000,
  latency: 300,
  due: { jobs: 200, spreadMs: 20_000 },
  ballast: 1_000_000,
  slow: 6000,
  fairShare: { jobs: 200, handlerMs: 1000 },
  idleMs: 20_000,
  prune: { rows: 1_000_000, jobs: 40_000, pairs: 12 },
  cycles: { jobs: 50_000, count: 10 },
  look: 1_000_000,
  bloatMs: 600_000,
};

/** A first look in about two minutes: one round, less of everything, and figures that vary more. */
export const QUICK = {
  rounds: 1,
  warmUpMs: 1000,
  'enqueue-1': 1000,
  'enqueue-16': 5000,
  'enqueue-64': 10_000,
  bulk: 10_000,
  transaction: 700,
  backlog: 20_000,
  latency: 80,
  due: { jobs: 60, spreadMs: 4_000 },
  ballast: 200_000,
  slow: 3000,
  fairShare: { jobs: 80, handlerMs: 500 },
  idleMs: 5000,
  prune: { rows: 20_000, jobs: 10_000, pairs: 4 },
  cycles: { jobs: 5_000, count: 10 },
  look: 50_000,
  bloatMs: 20_000,
  /** Scenarios, contenders, and contenders of one scenario that are left out unless they are named. */
  without: [
    ...['bullmq', 'graphile', 'pg-boss', 'floor-rows'],
    ...['pg-boss-idle', 'ballast', 'drain-2 ours-mariadb', 'latency-within ours-mariadb'],
  ],
};
