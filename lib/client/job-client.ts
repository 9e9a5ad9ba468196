import type { EntityManager } from 'typeorm';
import { InvalidJobError } from '../job/errors.js';
import type { JobDefinition } from '../job/definition.js';
import type { EncodedJob } from '../job/encode-job.js';
import type { Job, JobSettings, NewJob } from '../job/job.js';
import { requireName } from '../job/names.js';
import {
  newJob,
  requireDefinition,
  requireJobs,
  requireOptions,
  type EnqueuedJob,
  type EnqueueArguments,
} from './enqueue-arguments.js';
import { JobSelection } from './job-selection.js';
import type { EnqueueManyOptions } from './write-target.js';

export type { JobClientSettings } from './job-control.js';
export type { EnqueueManyOptions } from './write-target.js';

export interface EnqueueOptions extends JobSettings, EnqueueManyOptions {}

/** Enqueues jobs, and works on those that are there. Inject it by its type, or with `@InjectJobClient(name)`. */
export class JobClient extends JobSelection {
  /**
   * Enqueues one job. It is committed when this resolves; in a transaction it is committed with that.
   *
   * ```ts
   * await jobs.enqueue('report.build', { month: '2026-11' }, { delayMs: 60_000 });
   * await jobs.enqueue(SendInvoice, { orderId: '4711' }, { manager });
   * ```
   *
   * @param kind a kind, or its definition. With a definition the payload is type-checked, and checked by its schema.
   * @param args the payload, and `EnqueueOptions`
   * @returns the job as it is stored. Where another job takes its place, by a unique key or by `ifExists`, it is that job;
   * `enqueued` says what happened.
   * @throws InvalidJobError, InvalidPayloadError, UnknownKindError, DuplicateJobError, ForeignTransactionError,
   * ApplicationClosedError. Nothing has been written then.
   */
  async enqueue<Payload = unknown, Kind extends string | JobDefinition = string>(
    kind: Kind,
    ...args: EnqueueArguments<Kind, Payload, EnqueueOptions>
  ): Promise<EnqueuedJob<Kind, Payload>> {
    const [payload, options] = args as [payload?: unknown, options?: EnqueueOptions];
    const { manager, outside, ...settings } = requireOptions(options);
    const job = newJob(kind, payload, settings);
    const [stored] = await this.send([job], { manager, outside }, () => this.encodeAlone(job));
    return stored as EnqueuedJob<Kind, Payload>;
  }

  /**
   * Enqueues jobs, all or none. Unique keys that meet within the list are treated as if enqueued in its order.
   *
   * @returns the jobs as they are stored, in the order given; see `enqueue`
   * @throws InvalidJobError naming the job by its index, UnknownKindError, DuplicateJobError, ForeignTransactionError.
   * Nothing has been written then.
   */
  async enqueueMany(jobs: readonly NewJob[], options?: EnqueueManyOptions): Promise<EnqueuedJob[]> {
    const target = requireOptions(options);
    requireKnownTarget(target);
    return this.send(requireJobs(jobs), target, () => this.encodeAll(jobs));
  }

  /**
   * Runs `work` in a transaction. What `work` enqueues without a `manager` belongs to it, as does what it writes through
   * the manager that it gets. Commits when `work` has returned. Rolls back and rejects with the error that `work` throws.
   * Within a transaction that the client knows of, it is a savepoint.
   *
   * Repositories that are injected do not join it: TypeORM commits by itself what they write. With one of the libraries of
   * the module's option `transactions` they do.
   */
  transaction<Result>(work: (manager: EntityManager) => Promise<Result>): Promise<Result> {
    let hasBegun = false;
    const begun = (manager: EntityManager) => {
      hasBegun = true; // from here on an error may be the caller's
      return work(manager);
    };
    return this.unlessClosed(this.queue.transaction(begun), () => !hasBegun);
  }

  /**
   * The job with this id, or null where there is none. With a definition, a job of another kind counts as none.
   * @throws InvalidJobError where no job can have such an id
   */
  get<Input, Payload, Result>(
    definition: JobDefinition<Input, Payload, Result>,
    id: string,
  ): Promise<Job<Input, Result> | null>;
  get<Payload = unknown, Result = unknown>(id: string): Promise<Job<Payload, Result> | null>;
  async get(...args: [id: string] | [definition: JobDefinition, id: string]): Promise<Job | null> {
    const kind = args.length === 1 ? undefined : requireDefinition(args[0]).kind;
    const job = await this.unlessClosed(this.queue.get(requireName(args.at(-1), 'id')));
    return kind === undefined || job?.kind === kind ? job : null;
  }

  private encodeAlone(job: NewJob): readonly EncodedJob[] | Promise<readonly EncodedJob[]> {
    const encoded = this.encoder.encode(job);
    return encoded instanceof Promise ? encoded.then((one) => [one]) : [encoded];
  }

  /** @throws InvalidJobError naming the job by its index */
  private async encodeAll(jobs: readonly NewJob[]): Promise<EncodedJob[]> {
    const encoded: EncodedJob[] = [];
    for (const [index, job] of jobs.entries()) {
      try {
        const one = this.encoder.encode(job);
        encoded.push(one instanceof Promise ? await one : one);
      } catch (error) {
        if (!(error instanceof InvalidJobError)) throw error;
        throw new InvalidJobError(`jobs[${index}].${error.path}`, error.problem, { cause: error });
      }
    }
    return encoded;
  }
}

/** What a job takes stands with each job of the list, and would be dropped beside it. @throws InvalidJobError */
function requireKnownTarget(options: EnqueueManyOptions): void {
  for (const name of Object.keys(options)) {
    if (name === 'manager' || name === 'outside') continue;
    throw new InvalidJobError(
      name,
      'is not known beside a list of jobs, which takes manager and outside. Give it with each job.',
    );
  }
}
