import { setTimeout as sleep } from 'node:timers/promises';
import { CONTENDERS } from './contenders.mjs';

/*
 * A process that is measured. The runner forks it, and calls its commands by messages. While it works it tells how many
 * handlers have run.
 */
const PROGRESS_MS = 5;
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
  latency: async ({ sentAt }) => {
    latencies.push(now() - sentAt);
    return { ok: true };
  },
};

const commands = {
  /** Becomes a contender: one that works where a handler is named, or else one that only enqueues. */
  async open({ name, settings, handler, handlerMs }) {
    contender = CONTENDERS[name].make(settings);
    if (handler === undefined) return contender.open();
    const handle = handlers[handler];
    return contender.prepareToWork((payload) => {
      runs += 1;
      return handle(payload, handlerMs);
    });
  },

  /** So many callers, each with one job after the other. */
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

  /** One job now and then; the payload says when. */
  async enqueueSpaced({ jobs, gapMs }) {
    for (let n = 0; n < jobs; n++) {
      await contender.enqueue({ n, sentAt: now() });
      await sleep(gapMs);
    }
  },

  async work() {
    runs = 0;
    latencies = [];
    await contender.work();
  },

  rest: () => contender.rest(),
  latencies: () => latencies,
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

let told = 0;
const telling = setInterval(() => {
  if (runs === told || !process.connected) return;
  told = runs;
  process.send({ runs });
}, PROGRESS_MS);
telling.unref();

process.on('message', async ({ id, command, args }) => {
  try {
    const result = await commands[command](args);
    if (process.connected) process.send({ id, result });
  } catch (error) {
    process.send({ id, error: error.stack });
  }
});
