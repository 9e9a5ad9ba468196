import { requireDefinition } from '../client/enqueue-arguments.js';
import type { TriggerOptions } from '../client/schedule-arguments.js';
import type { Schedule } from '../schedules/schedule.js';
import { branded } from '../job/copies.js';
import type { JobDefinition } from '../job/definition.js';
import { JobsError, UnknownKindError, WorkerStoppedError } from '../job/errors.js';
import { AttemptFactory, type HandlerRegistry } from '../execution/handler-registry.js';
import { KEEP_ALL } from '../job/retention.js';
import type { ClaimedJob, Job } from '../job/job.js';
import { pruneAll } from '../maintenance/prune-settled.js';
import type { JobsEvents } from '../events/jobs-events.js';
import type { JobQueue } from '../queue/job-queue.js';
import { pauseOf } from '../queue/kind-store.js';
import type { WorkerSettings } from '../worker/worker-session.js';
import type { Worker } from '../worker/worker.js';
import { Plans } from './plans.js';
import type { RanJob } from './ran-job.js';
import { TestJobQueue } from './test-job-queue.js';
import { TestAttempt } from './test-attempt.js';
import { TestSchedules, type TestSchedulesParts } from './test-schedules.js';

type Kind = string | JobDefinition;

/**
 * Replaces the worker in a test. It runs nothing by itself, but one job after the other when the test says so, and it
 * moves the clock of the queue in memory. Get it with `jobsTester(app)`.
 */
@branded('JobsTester')
export class JobsTester implements Pick<Worker, 'start' | 'stop' | 'kinds'> {
  private readonly plans = new Plans();
  private readonly running = new Map<string, TestAttempt>();
  private readonly ticks: TestSchedules;

  constructor(private readonly parts: JobsTesterParts) {
    const { queue } = parts;
    const clock = queue instanceof TestJobQueue ? queue.clock : undefined;
    this.ticks = new TestSchedules({ ...parts, ...parts.schedules, clock });
  }

  /** The kinds that have a handler here. */
  get kinds(): readonly string[] {
    const { handlers, settings, explore } = this.parts;
    explore();
    return handlers.kinds.filter((kind) => settings.kinds?.includes(kind) ?? true);
  }

  /** The time by which jobs are due. It stands still until `advance` moves it. */
  get now(): Date {
    return new Date(this.memory('now').clock.now());
  }

  /**
   * Moves the clock on: jobs that were scheduled for later and retries come due, leases of crashed workers run out, and
   * handlers that are running now reach their `timeoutMs`. It runs no job; `drain` does.
   */
  advance(ms: number): void {
    this.memory('advance').clock.advance(ms);
    const { queue, settings } = this.parts;
    const running = [...this.running.values()];
    // A worker that is alive would have renewed them in the meantime.
    void queue.renew(
      running.map(({ lease }) => lease),
      settings.leaseMs,
    );
    for (const attempt of running) attempt.clockMoved();
  }

  /** The jobs of a kind, or all, in the order in which they were enqueued and as they are stored now. */
  enqueued<Input, Payload, Result>(definition: JobDefinition<Input, Payload, Result>): Job<Input, Result>[];
  enqueued<Payload = unknown, Result = unknown>(kind?: string): Job<Payload, Result>[];
  enqueued(kind?: Kind): Job[] {
    return this.memory('enqueued').list(kind === undefined ? undefined : nameOf(kind));
  }

  /** Runs the first job that is due and whose kind is not paused. @returns what it ran, null where there is none */
  async runNext(): Promise<RanJob | null> {
    const { queue, settings } = this.parts;
    await queue.reclaim(settings.maxCrashes);
    const controls = await queue.kinds.controls();
    const kinds = this.kinds.filter((kind) => pauseOf(controls, kind) === undefined);
    if (kinds.length === 0) return null;
    const claimedAt = performance.now();
    const { workerId, leaseMs } = settings;
    const [job] = await queue.claim(kinds, 1, { workerId, leaseMs, alone: true });
    return job === undefined ? null : this.run(job, claimedAt);
  }

  /**
   * Runs everything that is due, one job after the other, and what those enqueue.
   *
   * @returns what it ran, in that order
   * @throws JobsError after `maxJobs`
   */
  async drain({ maxJobs = 1000 }: DrainOptions = {}): Promise<RanJob[]> {
    const ran: RanJob[] = [];
    for (let last = await this.runNext(); last !== null; last = await this.runNext()) {
      ran.push(last);
      if (ran.length < maxJobs) continue;
      throw new JobsError(
        `drain() has run ${maxJobs} jobs and there are still more; the last one was of kind "${last.kind}". ` +
          `Do they enqueue each other without end? If not, raise maxJobs.`,
      );
    }
    return ran;
  }

  /**
   * Deletes the jobs that were settled longer ago than the option `retention` keeps them, by the clock of the queue.
   *
   * @returns how many there were
   */
  prune(): Promise<number> {
    const { queue, settings } = this.parts;
    return pruneAll(queue.retention, settings.retention ?? KEEP_ALL);
  }

  /**
   * Lets the next attempt of this kind fail with `error`; its handler is not called. Called again, it does the same to
   * the attempt after that. The handler's retry policy decides what becomes of the job, as always.
   *
   * @throws UnknownKindError
   */
  failNext(kind: Kind, error: unknown): void {
    this.plans.failNext(this.requireServed(kind), error);
  }

  /**
   * Lets the worker die in the next attempt of this kind: its handler runs to its end, and whatever it did has happened,
   * but the outcome is not written. When the clock has moved on by `leaseMs`, the job is ready again, with a crash counted.
   *
   * @throws UnknownKindError
   */
  crashDuring(kind: Kind): void {
    this.plans.crashNext(this.requireServed(kind));
  }

  /**
   * Takes a job away from its handler, as happens when a worker freezes past its lease: the handler's signal aborts, and
   * what it returns is refused. The job is ready again at once, with a crash counted. A job that is not running loses its
   * lease as soon as its handler begins.
   *
   * @throws JobsError where the job will have no more attempts
   */
  async loseLease(id: string): Promise<void> {
    const attempt = this.running.get(id);
    if (attempt !== undefined) return attempt.loseLease();
    const job = await this.parts.queue.get(id);
    if (job?.status !== 'PENDING') {
      const state = job === null ? 'there is no such job' : `it is ${job.status}`;
      throw new JobsError(`Job "${id}" cannot lose a lease: ${state}.`);
    }
    this.plans.loseLease(id);
  }

  /** The schedules that the application declares, and those that it has made, by name. */
  schedules(): Promise<Schedule[]> {
    return this.ticks.all();
  }

  /**
   * Makes a job of a schedule now. It runs nothing; `drain` does.
   * @throws UnknownScheduleError
   */
  trigger(name: string, options?: TriggerOptions): Promise<Job> {
    return this.ticks.trigger(name, options);
  }

  /**
   * Moves the clock to the next tick of a schedule, and makes its job. It runs nothing; `drain` does.
   *
   * @returns the job; null where the tick is skipped, because the last job has not ended
   * @throws UnknownScheduleError; JobsError where the schedule is paused or over, or the jobs are in a database
   */
  tick(name: string): Promise<Job | null> {
    this.memory('tick');
    return this.ticks.tick(name, (ms) => this.advance(ms));
  }

  /**
   * Makes the jobs of all ticks that have come, in the order of the ticks and each as if it were on time: `overlap` is
   * heeded, and `missed` is not. It runs nothing; `drain` does.
   *
   * @returns the jobs
   * @throws whatever a function throws that makes a payload
   */
  fireSchedules(): Promise<Job[]> {
    return this.ticks.fireDue();
  }

  /** Does nothing, so that no job runs when the application starts. */
  start(): Promise<void> {
    return Promise.resolve();
  }

  /** Aborts the signals of handlers that still run, and gives their jobs back. */
  async stop(): Promise<void> {
    const running = [...this.running.values()];
    await Promise.all(running.map((attempt) => attempt.giveBack(new WorkerStoppedError())));
  }

  private async run(job: ClaimedJob, claimedAt: number): Promise<RanJob> {
    const { queue, settings, events, handlers } = this.parts;
    const clock = queue instanceof TestJobQueue ? queue.clock : undefined;
    const tools = { queue, settings, events, clock };
    const handler = handlers.handlerOf(job);
    const policy = new AttemptFactory(handlers, settings).policyOf(handler);
    const attempt = new TestAttempt(job, handler, policy, this.plans.take(job), tools, claimedAt);
    this.running.set(job.id, attempt);
    try {
      return await attempt.toEnd();
    } finally {
      if (this.running.get(job.id) === attempt) this.running.delete(job.id);
    }
  }

  private requireServed(kind: Kind): string {
    const name = nameOf(kind);
    if (this.kinds.includes(name)) return name;
    throw new UnknownKindError(name, this.kinds);
  }

  private memory(member: string): TestJobQueue {
    const { queue } = this.parts;
    if (queue instanceof TestJobQueue) return queue;
    throw new JobsError(`${member} works only on a queue in memory; these jobs are in a database.`);
  }
}

export interface DrainOptions {
  /** `drain` gives up after this many attempts: the jobs seem to enqueue each other without end. Default 1000. */
  readonly maxJobs?: number;
}

export interface JobsTesterParts {
  readonly queue: JobQueue;
  readonly handlers: HandlerRegistry;
  readonly settings: WorkerSettings;
  readonly events: JobsEvents;
  /** Finds the handlers and the schedules, unless that has been done. */
  readonly explore: () => void;
  readonly schedules: Pick<TestSchedulesParts, 'registry' | 'tickJobs' | 'client'>;
}

function nameOf(kind: Kind): string {
  return typeof kind === 'string' ? kind.trim() : requireDefinition(kind).kind;
}
