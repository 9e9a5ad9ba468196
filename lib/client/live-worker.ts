import type { StoredWorker } from '../queue/kind-store.js';
import type { WorkerAbout } from '../queue/worker-about.js';

/** A worker that is live. Instants are by the clock of the database. */
export interface LiveWorker extends WorkerAbout {
  /** The one that is kept with jobs while they run. */
  readonly name: string;
  readonly startedAt: Date;
  readonly seenAt: Date;
}

/** Of another release, it may tell more or less of itself. */
export function liveWorkerOf({ workerId, startedAt, seenAt, about }: StoredWorker): LiveWorker {
  return { ...UNKNOWN, ...(JSON.parse(about) as Partial<WorkerAbout>), name: workerId, startedAt, seenAt };
}

const UNKNOWN: WorkerAbout = {
  host: '',
  pid: 0,
  kinds: [],
  concurrency: 0,
  running: 0,
  runningKinds: {},
  stopping: false,
  eventLoopDelayMs: 0,
  rssBytes: 0,
  release: '',
  tzData: null,
};
