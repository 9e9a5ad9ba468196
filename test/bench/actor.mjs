import { setTimeout as sleep } from 'node:timers/promises';
import { CONTENDERS } from './contenders.mjs';

/*
 * A process that is measured. The runner forks it and calls its commands through messages. While it works, it reports
 * how many handlers have run.
 */
const PROGRESS_MS = 5;
const STEPS = 1_000;
let contender;
let runs = 0;
let latencies = [];

const now = () => performance.timeOrigin + performance.now();

const handlers = {
  nothing: async () => ({ ok: true }),
  wait: async (_payload, ms) => {
    await sleep(ms);
    return { ok: true };
  },
  /** A thousand steps of a millisecond, as an import of rows. */
  steps: async ({ notes }, _ms, { progress, log }) => {
    for (let step = 1; step <= STEPS; step++) {
      await sleep(1);
      if (!notes) continue;
      progress(step / STEPS);
      log(`Row ${step} of ${STEPS}`);
    }
    return { ok: true };
  },
  late: async ({ dueAt }) => {
    if (dueAt !== undefined) latencies.push(now() - dueAt);
    return { ok: true };
  },
  latency: async ({ sentAt }) => {
    latencies.push(now() - sentAt);
    return { ok: true };
  },
};

const commands = {
  /** Becomes a contender. It works if a handler is named; otherwise it only enqueues. */
  async open({ name, settings, handler, handlerMs }) {
    contender = CONTENDERS[name].make(settings);
    if (handler === undefined) return contender.open();
    const handle = handlers[handler];
    return contender.prepareToWork((payload, context) => {
      runs += 1;
      return handle(payload, handlerMs, context);
    });
  },

  /** Enqueues from concurrent callers, each with one job after the other. */
  async enqueue({ callers, jobs }) {
    let next = 0;
    const call = async () => {
      while (next < jobs) await contender.enqueue({ n: next++ });
    };
    return timed(() => Promise.all(Array.from({ length: callers }, call)));
  },

  async enqueueMany({ batches, size }) {
    return timed(async () => {
      for (let batch = 0; batch < batches; batch++) {
        await contender.enqueueMany(Array.from({ length: size }, (_, n) => ({ n })));
      }
    });
  },

  async enqueueInTransaction({ jobs }) {
    return timed(async () => {
      for (let n = 0; n < jobs; n++) await contender.enqueueInTransaction({ n });
    });
  },

  /** Enqueues one job every `gapMs`. The payload says when it was sent. */
  async enqueueSpaced({ jobs, gapMs }) {
    for (let n = 0; n < jobs; n++) {
      await contender.enqueue({ n, sentAt: now() });
      await sleep(gapMs);
    }
  },

  /** Enqueues jobs that are due at random instants. The payload says when. */
  async enqueueDue({ jobs, firstMs, spreadMs }) {
    const begin = now() + firstMs;
    for (let n = 0; n < jobs; n++) {
      const dueAt = Math.round(begin + Math.random() * spreadMs);
      await contender.enqueueAt({ n, dueAt }, dueAt);
    }
  },

  async work() {
    runs = 0;
    latencies = [];
    await contender.work();
  },

  rest: () => contender.rest(),

  /** Begins to delete old jobs. */
  prune: () => contender.prune(),
  /** @returns how many have been deleted */
  restFromPruning: () => contender.restFromPruning(),
  /** Waits until no old jobs are left. @returns how many were deleted and how long it took */
  pruned: () => contender.pruned(),

  changeMany: ({ call, filter }) => contender.changeMany(call, filter),
  restFromChanging: () => contender.restFromChanging(),
  watchOverview: () => contender.watchOverview(),
  restFromWatching: () => contender.restFromWatching(),

  latencies: () => latencies,
  forget: () => {
    latencies = [];
  },
  cpuMs: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  },

  async close() {
    await contender.close();
    process.disconnect();
  },
};

async function timed(work) {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

let reported = 0;
const reporting = setInterval(() => {
  if (runs === reported || !process.connected) return;
  reported = runs;
  process.send({ runs });
}, PROGRESS_MS);
reporting.unref();

process.on('message', async ({ id, command, args }) => {
  try {
    const result = await commands[command](args);
    if (process.connected) process.send({ id, result });
  } catch (error) {
    process.send({ id, error: error.stack });
  }
});
