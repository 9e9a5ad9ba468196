import { branded } from '../job/copies.js';
import type { JobDefinition } from '../job/definition.js';
import { JobsError, UnknownKindError, WorkerStoppedError } from '../job/errors.js';
import { AttemptFactory, type HandlerRegistry } from '../execution/handler-registry.js';
import type { ClaimedJob, Job } from '../job/job.js';
import type { JobsEvents } from '../events/jobs-events.js';
import type { JobQueue } from '../queue/job-queue.js';
import type { WorkerSettings } from '../worker/worker-session.js';
import type { Worker } from '../worker/worker.js';
import type { RanJob } from './ran-job.js';
import { TestJobQueue } from './test-job-queue.js';
import { TestRun, type Plan } from './test-run.js';

export interface DrainOptions {
  /** After so many attempts `drain` gives up: the jobs seem to enqueue each other without end. Default 1000. */
  readonly maxRuns?: number;
}

export interface JobsTesterParts {
  readonly queue: JobQueue;
  readonly handlers: HandlerRegistry;
  readonly settings: WorkerSettings;
  readonly events: JobsEvents;
  /** Finds the handlers, if that has not been done yet. */
  readonly explore: () => void;
}

type Kind = string | JobDefinition;

/**
 * Stands in the place of the worker: runs nothing by itself, but one job after the other when the test says so, and
 * moves the clock of the queue in memory. Get it with `jobsTester(app)`.
 */
@branded('JobsTester')
export class JobsTester implements Pick<Worker, 'start' | 'stop' | 'kinds'> {
  private readonly failures = new Map<string, { readonly error: unknown }[]>();
  private readonly crashes = new Map<string, number>();
  private readonly leasesToLose = new Set<string>();
  private readonly running = new Map<string, TestRun>();

  constructor(private readonly parts: JobsTesterParts) {}

  /** The kinds that have a handler here. */
  get kinds(): readonly string[] {
    const { handlers, settings, explore } = this.parts;
    explore();
    return handlers.kinds.filter((kind) => settings.kinds?.includes(kind) ?? true);
  }

  /** What time the jobs have. It stands still, but for `advance`. */
  get now(): Date {
    return new Date(this.memory('now').clock.now());
  }

  /**
   * Moves the clock on: jobs that were scheduled for later and retries come due, leases of crashed workers run out, and
   * handlers that are running now reach their `timeoutMs`. Runs nothing; `drain` does.
   */
  advance(ms: number): void {
    this.memory('advance').clock.advance(ms);
    const { queue, settings } = this.parts;
    const running = [...this.running.values()];
    // What a worker that is alive would have done in the meantime.
    void queue.renew(
      running.map(({ lease }) => lease),
      settings.leaseMs,
    );
    for (const run of running) run.clockMoved();
  }

  /** The jobs of a kind, or all, in the order in which they were enqueued and as they are stored now. */
  enqueued<Input, Payload, Result>(definition: JobDefinition<Input, Payload, Result>): Job<Input, Result>[];
  enqueued<Payload = unknown, Result = unknown>(kind?: string): Job<Payload, Result>[];
  enqueued(kind?: Kind): Job[] {
    return this.memory('enqueued').list(kind === undefined ? undefined : nameOf(kind));
  }

  /** Runs the job that is due and comes first. @returns what it ran; null where nothing is due */
  async runNext(): Promise<RanJob | null> {
    const { kinds } = this;
    const { queue, settings } = this.parts;
    await queue.reclaim(settings.maxCrashes);
    const claimedAt = performance.now();
    const { workerId, leaseMs } = settings;
    const [job] = await queue.claim(kinds, 1, { workerId, leaseMs, alone: true });
    return job === undefined ? null : this.run(job, claimedAt);
  }

  /**
   * Runs everything that is due, one job after the other, and what those enqueue.
   *
   * @returns what it ran, in that order
   * @throws JobsError where that takes no end
   */
  async drain({ maxRuns = 1000 }: DrainOptions = {}): Promise<RanJob[]> {
    const ran: RanJob[] = [];
    for (let last = await this.runNext(); last !== null; last = await this.runNext()) {
      ran.push(last);
      if (ran.length < maxRuns) continue;
      throw new JobsError(
        `drain() has run ${maxRuns} jobs and there are still more; the last was of kind "${last.kind}". ` +
          `Do they enqueue each other without end? Or else set maxRuns.`,
      );
    }
    return ran;
  }

  /**
   * Lets the next attempt of this kind fail with `error`, in the place of the handler. Called again, the attempt after
   * that. What becomes of the job is up to the handler's retry policy, as always.
   *
   * @throws UnknownKindError
   */
  failNext(kind: Kind, error: unknown): void {
    const name = this.requireServed(kind);
    this.failures.set(name, [...(this.failures.get(name) ?? []), { error }]);
  }

  /**
   * Lets the worker die in the next attempt of this kind: its handler runs to its end, and whatever it did has happened,
   * but nobody writes the outcome. When the clock has gone on by `leaseMs`, the job is ready again, with a crash counted.
   *
   * @throws UnknownKindError
   */
  crashDuring(kind: Kind): void {
    const name = this.requireServed(kind);
    this.crashes.set(name, (this.crashes.get(name) ?? 0) + 1);
  }

  /**
   * Takes a job away from its handler, as when the worker froze past its lease: the handler's signal aborts, and what it
   * returns is refused. The job is ready again at once, with a crash counted. Where it does not run now, that happens as
   * soon as its handler begins.
   *
   * @throws JobsError where no attempt of this job can come
   */
  async loseLease(id: string): Promise<void> {
    const run = this.running.get(id);
    if (run !== undefined) return run.loseLease();
    const job = await this.parts.queue.get(id);
    if (job?.status !== 'PENDING') {
      const state = job === null ? 'there is no such job' : `it is ${job.status}`;
      throw new JobsError(`Job "${id}" cannot lose a lease: ${state}.`);
    }
    this.leasesToLose.add(id);
  }

  /** Does nothing; so nothing runs when the application starts. */
  start(): Promise<void> {
    return Promise.resolve();
  }

  /** Aborts the signals of handlers that still run, and gives their jobs back. */
  async stop(): Promise<void> {
    const running = [...this.running.values()];
    await Promise.all(running.map((run) => run.giveBack(new WorkerStoppedError())));
  }

  private async run(job: ClaimedJob, claimedAt: number): Promise<RanJob> {
    const { queue, settings, events, handlers } = this.parts;
    const clock = queue instanceof TestJobQueue ? queue.clock : undefined;
    const tools = { queue, settings, events, clock };
    const handler = handlers.get(job.kind)!;
    const policy = new AttemptFactory(handlers, settings).policyOf(handler);
    const run = new TestRun(job, handler, policy, this.planFor(job), tools, claimedAt);
    this.running.set(job.id, run);
    try {
      return await run.toEnd();
    } finally {
      if (this.running.get(job.id) === run) this.running.delete(job.id);
    }
  }

  private planFor({ id, kind }: ClaimedJob): Plan {
    const crashes = this.crashes.get(kind) ?? 0;
    this.crashes.set(kind, Math.max(0, crashes - 1));
    return {
      failure: this.failures.get(kind)?.shift(),
      crashes: crashes > 0,
      losesLease: this.leasesToLose.delete(id),
    };
  }

  private requireServed(kind: Kind): string {
    const name = nameOf(kind);
    if (this.kinds.includes(name)) return name;
    throw new UnknownKindError(name, this.kinds);
  }

  private memory(member: string): TestJobQueue {
    const { queue } = this.parts;
    if (queue instanceof TestJobQueue) return queue;
    throw new JobsError(
      `${member} is there only where the queue is in memory; these jobs are in a database.`,
    );
  }
}

function nameOf(kind: Kind): string {
  return typeof kind === 'string' ? kind.trim() : kind.kind;
}
