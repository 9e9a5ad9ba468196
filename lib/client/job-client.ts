import type { EntityManager } from 'typeorm';
import type { ContextCarrier } from '../job/context-carrier.js';
import { ApplicationClosedError } from '../job/application-errors.js';
import { InvalidJobError, JobsError } from '../job/errors.js';
import type { JobDefinition } from '../job/definition.js';
import { decodeDocument } from '../job/document.js';
import type { Job, JobSettings, NewJob } from '../job/job.js';
import { JobEncoder, type EncodedJob } from '../job/encode-job.js';
import { requireName } from '../job/names.js';
import type { JobQueue } from '../queue/job-queue.js';
import {
  newJob,
  requireDefinition,
  requireJobs,
  requireOptions,
  type EnqueuedJob,
  type EnqueueArguments,
} from './enqueue-arguments.js';

export interface EnqueueManyOptions {
  /**
   * Write through this `EntityManager`: the jobs are committed or rolled back with its transaction. Default: the
   * transaction that the call runs in, if the client knows of one; see `JobClient.transaction` and the module's option
   * `transactions`.
   */
  readonly manager?: EntityManager;
  /** Commit at once, also where the call runs in a transaction. Default false. */
  readonly outside?: boolean;
}

export interface EnqueueOptions extends JobSettings, EnqueueManyOptions {}

export interface JobClientSettings {
  /** Default 1 MiB. */
  readonly maxPayloadBytes?: number;
  /** @throws UnknownKindError where jobs of this kind may not be enqueued here */
  readonly requireKind?: (kind: string) => void;
  /** Checks the payloads of a kind, if its handler here has a definition. */
  readonly definitionOf?: (kind: string) => JobDefinition | undefined;
  readonly contextCarrier?: ContextCarrier;
  /** Called before an enqueue that joins no transaction and does not say `outside`. */
  readonly onUnjoined?: () => void;
  /** Whether the application closes the database, or has closed it. Default: never. */
  readonly isClosed?: () => boolean;
}

/** Enqueues jobs, and reads them. Inject it by its type, or with `@InjectJobClient(name)`. */
export class JobClient {
  private readonly encoder: JobEncoder;

  constructor(
    private readonly queue: JobQueue,
    private readonly settings: JobClientSettings = {},
  ) {
    this.encoder = new JobEncoder(settings.maxPayloadBytes ?? 1024 * 1024);
  }

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
   * @returns the job as it is stored
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
    const [stored] = await this.write([await this.encode(job)], { manager, outside });
    return stored as EnqueuedJob<Kind, Payload>;
  }

  /**
   * Enqueues jobs, all or none.
   *
   * @returns the jobs as they are stored, in the order given
   * @throws InvalidJobError naming the job by its index, UnknownKindError, DuplicateJobError, ForeignTransactionError.
   * Nothing has been written then.
   */
  async enqueueMany(jobs: readonly NewJob[], options?: EnqueueManyOptions): Promise<Job[]> {
    const target = requireOptions(options);
    requireKnownTarget(target);
    const encoded: EncodedJob[] = [];
    for (const [index, job] of requireJobs(jobs).entries()) {
      try {
        encoded.push(await this.encode(job));
      } catch (error) {
        if (!(error instanceof InvalidJobError)) throw error;
        throw new InvalidJobError(`jobs[${index}].${error.path}`, error.problem, { cause: error });
      }
    }
    return this.write(encoded, target);
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

  private async encode(job: NewJob): Promise<EncodedJob> {
    const encoded = this.encoder.encode(job, this.settings.contextCarrier?.capture());
    this.settings.requireKind?.(encoded.kind);
    const definition = job.definition ?? this.settings.definitionOf?.(encoded.kind);
    if (definition === undefined) return encoded;
    // Checks what the handler will read, not what was handed over: a Date is a string by then.
    await definition.read(decodeDocument(encoded.payload.json, encoded.payload.bytes), definition.version);
    return { ...encoded, payloadVersion: definition.version };
  }

  private async write(
    jobs: readonly EncodedJob[],
    { manager, outside = false }: EnqueueManyOptions,
  ): Promise<Job[]> {
    if (outside && manager !== undefined) {
      throw new InvalidJobError('outside', 'is given together with manager; give one of them.');
    }
    const target = manager ?? (outside ? undefined : this.queue.currentTransaction());
    if (target === undefined && !outside) this.settings.onUnjoined?.();
    return this.unlessClosed(this.queue.enqueue(jobs, target === undefined ? {} : { manager: target }));
  }

  /** What a driver says of a connection that is closed does not say why. @throws ApplicationClosedError */
  private async unlessClosed<Answer>(answer: Promise<Answer>, isOurs = () => true): Promise<Answer> {
    try {
      return await answer;
    } catch (cause) {
      const isClosed = this.settings.isClosed?.() === true;
      if (!isClosed || cause instanceof JobsError || !isOurs()) throw cause;
      throw new ApplicationClosedError({ cause });
    }
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
