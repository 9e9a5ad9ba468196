import type { EntityManager } from 'typeorm';
import { InvalidJobError } from './job/errors.js';
import type { Job, JobSettings, NewJob } from './job/job.js';
import { JobPreparer, requireName, type PreparedJob } from './job/prepare-job.js';
import type { JobQueue } from './queue/job-queue.js';

export interface EnqueueManyOptions {
  /** Write through this `EntityManager`: the jobs are committed and rolled back with its transaction. */
  readonly manager?: EntityManager;
}

export interface EnqueueOptions extends JobSettings, EnqueueManyOptions {}

export interface JobClientSettings {
  readonly maxPayloadBytes: number;
  /** @throws UnknownKindError where jobs of this kind may not be enqueued here */
  readonly requireKind: (kind: string) => void;
}

/** Enqueues jobs, and reads them. Inject it by its type, or with `@InjectJobClient(name)`. */
export class JobClient {
  private readonly preparer: JobPreparer;

  constructor(
    private readonly queue: JobQueue,
    private readonly settings: JobClientSettings,
  ) {
    this.preparer = new JobPreparer(settings.maxPayloadBytes);
  }

  /**
   * Enqueues one job. Without a `manager` it is committed when this resolves.
   *
   * @returns the job as it is stored
   * @throws InvalidJobError, UnknownKindError, DuplicateJobError; nothing is written then
   */
  async enqueue<Payload = unknown>(
    kind: string,
    payload?: Payload,
    { manager, ...settings }: EnqueueOptions = {},
  ): Promise<Job<Payload>> {
    const [job] = await this.write([this.prepare({ ...settings, kind, payload })], manager);
    return job as Job<Payload>;
  }

  /**
   * Enqueues jobs, all or none.
   *
   * @returns the jobs as they are stored, in the order given
   * @throws InvalidJobError naming the place in the list, UnknownKindError, DuplicateJobError; nothing is written then
   */
  async enqueueMany(jobs: readonly NewJob[], { manager }: EnqueueManyOptions = {}): Promise<Job[]> {
    const prepared = jobs.map((job, place) => {
      try {
        return this.prepare(job);
      } catch (error) {
        if (!(error instanceof InvalidJobError)) throw error;
        throw new InvalidJobError(`jobs[${place}].${error.path}`, error.problem, { cause: error });
      }
    });
    return this.write(prepared, manager);
  }

  /** The job with this id, or null where there is none. @throws InvalidJobError where no job can have such an id */
  async get<Payload = unknown, Result = unknown>(id: string): Promise<Job<Payload, Result> | null> {
    return (await this.queue.get(requireName(id, 'id'))) as Job<Payload, Result> | null;
  }

  private prepare(job: NewJob): PreparedJob {
    const prepared = this.preparer.prepare(job);
    this.settings.requireKind(prepared.kind);
    return prepared;
  }

  private write(jobs: readonly PreparedJob[], manager: EntityManager | undefined): Promise<Job[]> {
    return this.queue.enqueue(jobs, manager === undefined ? {} : { manager });
  }
}
