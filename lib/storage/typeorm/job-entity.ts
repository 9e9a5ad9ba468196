import { EntitySchema, type EntitySchemaColumnOptions } from 'typeorm';
import type { Job } from '../../job/job.js';
import type { ShownSettings, StoredSettings } from '../../job/settings.js';

/** A row of the jobs table as a repository reads it. A payload or result that is bytes is null here; `JobClient.get` reads it. */
export type JobRecord = {
  readonly [Field in keyof Plain]: Plain[Field] | NullFor<Field>;
} & {
  /** What few jobs bring along; a job shows these as fields of its own. */
  readonly settings: StoredSettings | null;
};

type Plain = Required<Omit<Job, 'state' | 'enqueued' | 'traceContext' | keyof ShownSettings>>;

/** Columns that may be empty. */
type NullFor<Field extends keyof Job> = undefined extends Job[Field] ? null : never;

/**
 * A TypeORM entity over a jobs table, for the `entities` of a DataSource, to query jobs through a repository.
 * `synchronize` and `migration:generate` leave the table alone. Read with it; write through `JobClient`.
 *
 * On MySQL and MariaDB, instants are DATETIME in UTC: set `timezone: 'Z'` on the DataSource, or TypeORM reads them in
 * the time zone of the process.
 */
export function jobEntity(options: { tablePrefix?: string; schema?: string } = {}): EntitySchema<JobRecord> {
  const { tablePrefix = 'nest_', schema } = options;
  const columns: Record<keyof JobRecord, EntitySchemaColumnOptions> = {
    id: { type: String, primary: true, length: 255 },
    kind: { type: String, length: 255 },
    payload: { type: 'json', nullable: true },
    payloadVersion: { name: 'payload_version', type: Number },
    carried: { type: 'json', nullable: true },
    settings: { type: 'json', nullable: true },
    status: { type: String, length: 9 },
    runAt: { name: 'run_at', type: Date },
    createdAt: { name: 'created_at', type: Date },
    updatedAt: { name: 'updated_at', type: Date },
    result: { type: 'json', nullable: true },
    attemptsDone: { name: 'attempts_done', type: Number },
    lastAttemptAt: { name: 'last_attempt_at', type: Date, nullable: true },
    lastError: { name: 'last_error', type: String, nullable: true },
    priority: { type: Number },
    maxAttempts: { name: 'max_attempts', type: Number, nullable: true },
    crashes: { type: Number },
    lockedBy: { name: 'locked_by', type: String, nullable: true },
    lockedUntil: { name: 'locked_until', type: Date, nullable: true },
    progress: { type: 'json', nullable: true },
    cancelReason: { name: 'cancel_reason', type: String, nullable: true },
  };
  const name = `${tablePrefix}jobs`;
  return new EntitySchema<JobRecord>({ name, tableName: name, schema, synchronize: false, columns });
}

/** The entity over `nest_jobs`, the table of a module with default options. */
export const JobEntity = jobEntity();
