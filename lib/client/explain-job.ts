import type { Job } from '../job/job.js';
import type { JobState } from '../job/job-state.js';
import { pauseOf, type Controls, type StoredPause } from '../queue/kind-store.js';
import type { LiveWorker } from './live-worker.js';

/** Why a job is where it is. `text` says it for a person; the other fields are what it says. */
export type JobReason =
  | { readonly code: 'not-found'; readonly text: string }
  | {
      readonly code: 'settled';
      readonly text: string;
      readonly at: Date;
      /** Of the last attempt that failed, also on a job that is `DONE`. */
      readonly error?: string;
      /** Of the cancel. */
      readonly reason?: string;
    }
  | {
      readonly code: 'running' | 'stopping' | 'workers-dead';
      readonly text: string;
      readonly workerId: string;
      /** When its lease ends, unless it is renewed. */
      readonly until: Date;
      readonly attempt: number;
    }
  | {
      readonly code: 'scheduled' | 'backoff';
      readonly text: string;
      readonly runAt: Date;
      /** By the clock of the database. */
      readonly inMs: number;
      readonly error?: string;
    }
  | {
      readonly code: 'paused';
      readonly text: string;
      readonly pause: Pick<StoredPause, 'kind' | 'since' | 'until' | 'reason'>;
    }
  | {
      readonly code: 'no-worker';
      readonly text: string;
      /** How many workers are live; none of them serves the kind. */
      readonly liveWorkers: number;
    }
  | {
      readonly code: 'newer-version';
      readonly text: string;
      readonly version: number;
      readonly known: number;
    }
  | { readonly code: 'alone'; readonly text: string; readonly crashes: number }
  | {
      readonly code: 'behind';
      readonly text: string;
      /** How many jobs of the kind are ready, this one included; at most 1,000 are counted. */
      readonly ready: number;
      /** How many jobs the workers of the kind run, of all kinds, and how many they could. */
      readonly running: number;
      readonly concurrency: number;
    };

export type JobReasonCode = JobReason['code'];

export interface JobExplanation {
  /** Null where there is no such job. */
  readonly state: JobState | null;
  /** What holds it back now comes first. At least one. */
  readonly reasons: readonly JobReason[];
}

/** What an explanation is made of. */
export interface ExplainedFacts {
  readonly job: Job;
  /** The clock of the database, in milliseconds since 1970. */
  readonly now: number;
  readonly controls: Controls;
  /** Those that are live. */
  readonly workers: readonly LiveWorker[];
  /** How many jobs of the kind are ready. */
  readonly ready: number;
  /** The newest version of its payload that this process can read; undefined where it reads any. */
  readonly knownVersion: number | undefined;
}

export const NOT_FOUND: JobExplanation = {
  state: null,
  reasons: [
    {
      code: 'not-found',
      text: 'There is no job with this id. It was never committed, was deleted, or has ended so long ago that it is not kept.',
    },
  ],
};

export function explainJob(facts: ExplainedFacts): JobExplanation {
  const { job } = facts;
  if (job.status !== 'PENDING') return { state: job.state, reasons: [settled(job)] };
  if (job.lockedBy !== undefined) return { state: job.state, reasons: [held(facts, job.lockedBy)] };
  const reasons = [waiting(facts), paused(facts), unserved(facts), unreadable(facts), alone(facts)];
  const found = reasons.filter((reason) => reason !== null);
  return { state: job.state, reasons: found.length > 0 ? found : [behind(facts)] };
}

function settled({ status, updatedAt: at, lastError: error, cancelReason: reason }: Job): JobReason {
  const because = status === 'CANCELLED' ? reason : error?.split('\n')[0];
  const why = status === 'DONE' || because === undefined ? '.' : `: ${because}`;
  return {
    ...{
      code: 'settled',
      at,
      ...(error !== undefined && { error }),
      ...(reason !== undefined && { reason }),
    },
    text: `It ended as ${status} at ${at.toISOString()}${why}`,
  };
}

function held({ job, now, workers }: ExplainedFacts, workerId: string): JobReason {
  const [until, attempt] = [job.lockedUntil ?? new Date(now), job.attemptsDone + 1];
  const facts = { workerId, until, attempt };
  const isLate = until.getTime() < now;
  if (isLate) {
    const others =
      workers.length > 0
        ? 'Another worker takes it back within moments.'
        : 'No worker is live that could take it back: start one.';
    const text = `Its worker ${workerId} has not renewed its lease, which ended at ${until.toISOString()}. ${others}`;
    return { code: 'workers-dead', text, ...facts };
  }
  if (job.state === 'stopping') {
    const text = `Worker ${workerId} was asked to stop it. Its handler goes on until it obeys its signal or returns.`;
    return { code: 'stopping', text, ...facts };
  }
  return { code: 'running', text: `Worker ${workerId} runs it, as attempt ${attempt}.`, ...facts };
}

function waiting({ job, now }: ExplainedFacts): JobReason | null {
  const { runAt, lastError: error } = job;
  const inMs = runAt.getTime() - now;
  if (inMs <= 0) return null;
  const facts = { runAt, inMs, ...(error !== undefined && { error }) };
  const when = `${runAt.toISOString()}, in ${Math.ceil(inMs / 1000)} s`;
  if (job.state !== 'retrying') return { code: 'scheduled', text: `It is to start at ${when}.`, ...facts };
  const why = error === undefined ? '' : `: ${error.split('\n')[0]}`;
  return {
    ...{ code: 'backoff', ...facts },
    text: `Attempt ${job.attemptsDone} has failed, and the next one is to start at ${when}${why}`,
  };
}

function paused({ job: { kind }, controls }: ExplainedFacts): JobReason | null {
  const pause = pauseOf(controls, kind);
  if (pause === undefined) return null;
  const what = pause.kind === kind ? `The kind ${kind} is` : 'All kinds are';
  const until = pause.until === null ? '' : ` until ${pause.until.toISOString()}`;
  const why = pause.reason === null ? '.' : `: ${pause.reason}`;
  const text = `${what} paused since ${pause.since.toISOString()}${until}${why}`;
  return { code: 'paused', text, pause };
}

function unserved({ job: { kind }, workers }: ExplainedFacts): JobReason | null {
  if (workers.some(({ kinds }) => kinds.includes(kind))) return null;
  const liveWorkers = workers.length;
  const text =
    liveWorkers === 0
      ? 'No worker is live. Start a process with a worker.'
      : `${liveWorkers} workers are live, and none of them serves the kind ${kind}. Deploy its handler, or look at "kinds" of their workers.`;
  return { code: 'no-worker', text, liveWorkers };
}

function unreadable({
  job: { payloadVersion: version },
  knownVersion: known,
}: ExplainedFacts): JobReason | null {
  if (known === undefined || version <= known) return null;
  const text = `Its payload has version ${version}, and the release of this process reads versions up to ${known}. Deploy the newer one everywhere.`;
  return { code: 'newer-version', text, version, known };
}

function alone({ job: { crashes } }: ExplainedFacts): JobReason | null {
  if (crashes === 0) return null;
  const text = `Its worker died ${crashes} times while it ran. It starts alone, once a worker runs nothing else.`;
  return { code: 'alone', text, crashes };
}

function behind({ job: { kind }, workers, ready }: ExplainedFacts): JobReason {
  const serving = workers.filter(({ kinds }) => kinds.includes(kind));
  const running = serving.reduce((sum, worker) => sum + worker.running, 0);
  const concurrency = serving.reduce((sum, worker) => sum + worker.concurrency, 0);
  const text =
    `Nothing holds it back: ${ready >= 1_000 ? '1,000 or more' : ready} jobs of its kind are ready, and ${serving.length} workers ` +
    `run ${running} jobs of at most ${concurrency}. It starts when its turn comes.`;
  return { code: 'behind', text, ready, running, concurrency };
}
