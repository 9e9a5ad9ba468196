export { JobsModule } from './jobs.module.js';
export type { AsyncJobsModuleOptions, JobsModuleAsyncOptions, JobsOptionsFactory } from './jobs.module.js';
export type { JobsModuleOptions, WorkerOptions } from './jobs.options.js';
export { defineJob, JobDefinition, type } from './job/definition.js';
export type { JobDefinitionOptions, TypeMark } from './job/definition.js';
export { InvalidPayloadError } from './job/payload-schema.js';
export type { DtoClass, PayloadIssue, PayloadSchema, StandardSchema } from './job/payload-schema.js';
export type { ContextCarrier } from './job/handler-steps.js';
export { JobHandler } from './job-handler.decorator.js';
export { JobCtx, JobParam, JobPayload } from './job-params.decorator.js';
export { JobExecutionContext } from './job-execution-context.js';
export { InjectJobClient } from './inject-job-client.decorator.js';
export { getJobClientToken, getJobQueueToken, getWorkerToken } from './jobs.constants.js';
export { JobClient } from './job-client.js';
export type { EnqueueManyOptions, EnqueueOptions } from './job-client.js';

export type { ClaimedJob, Job, JobContext, JobSettings, JobStatus, NewJob } from './job/job.js';
export type { JobHandlerOptions } from './job/handler.js';
export { PermanentError, RetryableError } from './job/retry.js';
export type { Backoff } from './job/retry.js';
export { isPanicByDefault } from './job/panic.js';
export {
  DatabaseTimeoutError,
  DuplicateJobError,
  ForeignTransactionError,
  InvalidJobError,
  InvalidOptionError,
  JobsError,
  JobTimeoutError,
  KindExistsError,
  LeaseLostError,
  SchemaVersionError,
  TransactionOpenError,
  TransactionUndoneError,
  UnknownKindError,
  UnsupportedDatabaseError,
  WorkerStoppedError,
} from './job/errors.js';
export type { JobsLogger } from './job/logger.js';
export type { Outcome } from './job/outcome.js';
export type { StoredDocument } from './job/document.js';
export { JobPreparer } from './job/prepare-job.js';
export type { PreparedJob } from './job/prepare-job.js';

export { JobQueue } from './queue/job-queue.js';
export type {
  DequeueFn,
  DequeueSettings,
  JointAttempt,
  JointWork,
  EnqueueTarget,
  ReclaimedJob,
  Settlement,
  TransactionWork,
  WakeListener,
} from './queue/job-queue.js';
export type { Lease, LeaseAnswer, LeaseRenewal, LeaseTerms } from './queue/lease.js';
export type { AmbientTransactions, TransactionIsolation } from './queue/ambient-transactions.js';
export { TypeOrmJobQueue } from './queue/typeorm-job-queue.js';
export type { TypeOrmJobQueueSettings } from './queue/typeorm-job-queue.js';
export { MemoryJobQueue } from './queue/memory-job-queue.js';
export type { MemoryJobQueueSettings } from './queue/memory-job-queue.js';
export { JobEntity, jobEntity } from './queue/job-entity.js';
export type { JobRecord } from './queue/job-entity.js';
export { jobsMigrations } from './queue/jobs-migrations.js';
export type { JobsMigrationsOptions } from './queue/jobs-migrations.js';

export { Worker } from './worker/worker.js';
