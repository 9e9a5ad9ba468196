import type { LiveWorker } from '../../client/live-worker.js';
import type { WorkerRow, Workers } from '../api/screens.js';
import type { JobsSources } from '../jobs-sources.js';

/** GET api/workers */
export async function workersScreen({ kinds, queue, reads }: JobsSources): Promise<Workers> {
  const [now, workers] = await reads.run(() => Promise.all([queue.reads.now(), kinds.workers()]));
  return { now: Math.floor(now), workers: workers.map(workerRow) };
}

/** Field by field: a worker of another release may tell more. */
function workerRow(worker: LiveWorker): WorkerRow {
  const { name, host, pid, kinds, concurrency, running, runningKinds, stopping } = worker;
  return {
    ...{ name, host, pid, kinds, concurrency, running, runningKinds },
    startedAt: worker.startedAt.getTime(),
    seenAt: worker.seenAt.getTime(),
    stopping,
    eventLoopDelayMs: worker.eventLoopDelayMs,
    rssBytes: worker.rssBytes,
    release: worker.release,
    tzData: worker.tzData,
  };
}
