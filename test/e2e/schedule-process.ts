import { join } from 'node:path';
import type { ScheduleSpec } from '../../lib/index.js';
import { WorkerProcess, type WorkerProcessSettings } from './worker-process.js';

/** What fixtures/schedules.mjs is told. */
export interface ScheduleProcessSettings extends Pick<WorkerProcessSettings, 'name' | 'database'> {
  /** The schedules in the code of its release. */
  readonly declares: readonly ScheduleSpec[];
  /** Whether it is a Nest application. The others are the same parts without Nest, and start sooner. */
  readonly isNest: boolean;
  /** How wrong its clock is. */
  readonly clockOffsetMs: number;
}

/** Each process takes up to four connections, so twenty of them need less than a server allows by default. */
const POOL_SIZE = 2;

/** A process of its own that declares schedules, fires them, and runs their jobs. */
export function spawnScheduleProcess({ database, ...settings }: ScheduleProcessSettings): WorkerProcess {
  const told = {
    ...settings,
    database: database.type === 'better-sqlite3' ? database : { ...database, poolSize: POOL_SIZE },
    fixture: join(import.meta.dirname, 'fixtures/schedules.mjs'),
    worker: { concurrency: 2, pollIntervalMs: 1_000 },
  } as ScheduleProcessSettings & WorkerProcessSettings;
  return WorkerProcess.spawn(told);
}
