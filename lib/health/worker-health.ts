import { seconds } from '../events/log-text.js';
import type { Worker } from '../worker/worker.js';
import type { WorkerState } from '../worker/pulse.js';
import type { HealthProblem } from './health-report.js';

type Observed = Pick<Worker, 'state' | 'vitals'>;

/** How a process stands with its worker; undefined where it has none. */
export class WorkerHealth {
  constructor(
    private readonly worker: Observed | undefined,
    private readonly maxSilentMs: number,
  ) {}

  get state(): WorkerState | 'none' {
    return this.worker?.state ?? 'none';
  }

  /** What only a new process mends. An outage of the database is none of it, and neither is a shutdown. */
  get fatal(): HealthProblem[] {
    const vitals = this.worker?.vitals ?? null;
    if (vitals === null) return [];
    const { silentMs, fencedMs } = vitals;
    return [
      ...(silentMs > this.maxSilentMs ? [silent(silentMs)] : []),
      ...(fencedMs > this.maxSilentMs ? [fenced(fencedMs)] : []),
    ];
  }

  /** Why no job starts in this process, though it has handlers. */
  get notRunning(): HealthProblem[] {
    const { state } = this;
    if (state !== 'unstarted' && state !== 'stopping' && state !== 'stopped') return [];
    return [{ code: 'worker-not-running', text: TEXTS[state] }];
  }
}

const TEXTS = {
  unstarted: 'The worker of this process has not been started.',
  stopping: 'The worker of this process stops: it waits for running handlers, and starts no job.',
  stopped: 'The worker of this process was stopped.',
} as const;

function silent(ms: number): HealthProblem {
  return {
    code: 'worker-silent',
    text: `The loop of the worker has given no sign of life for ${seconds(ms)}.`,
  };
}

function fenced(ms: number): HealthProblem {
  return {
    code: 'worker-fenced',
    text: `The worker has not been able to read which kinds are paused for ${seconds(ms)}, so it starts no job.`,
  };
}
