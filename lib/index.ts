export { JobsModule } from './nest/jobs.module.js';
export type {
  AsyncJobsModuleOptions,
  JobsModuleAsyncOptions,
  JobsOptionsFactory,
} from './nest/jobs.async-options.js';
export type { JobsModuleIdentity, JobsModuleOptions } from './nest/module-options.js';
export type { WorkerOptions } from './nest/worker-options.js';
export { defineJob, JobDefinition, type } from './job/definition.js';
export type { JobDefinitionOptions, TypeMark } from './job/definition.js';
export type { DtoClass, PayloadSchema, StandardSchema } from './job/payload-schema.js';
export { JobHandler } from './nest/decorators/job-handler.decorator.js';
export { JobCtx } from './nest/decorators/job-ctx.decorator.js';
export { JobParam } from './nest/decorators/job-param.decorator.js';
export { JobPayload } from './nest/decorators/job-payload.decorator.js';
export { JobExecutionContext } from './nest/job-execution-context.js';
export { InjectJobClient } from './nest/decorators/inject-job-client.decorator.js';
export { getJobClientToken, getJobQueueToken, getWorkerToken } from './nest/jobs.tokens.js';
export { JobClient } from './client/job-client.js';
export type { EnqueueManyOptions, EnqueueOptions } from './client/job-client.js';
export type { DequeueSettings } from './execution/dequeue.js';
export type { ContextCarrier } from './job/context-carrier.js';

export type { ClaimedJob, Job, JobContext, JobSettings, JobStatus, NewJob, ReclaimedJob } from './job/job.js';
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
  InvalidPayloadError,
  type PayloadIssue,
  PermanentError,
  RetryableError,
} from './job/errors.js';
export { JobsEvents } from './events/jobs-events.js';
export type { JobsEvent, JobsEventListener, JobsEventMap } from './events/jobs-events.js';
export { loggedEvents } from './events/log-subscriber.js';
export type { JobsLogger } from './job/logger.js';
export type { Outcome } from './job/outcome.js';
export type { StoredDocument } from './job/document.js';
export { JobEncoder } from './job/encode-job.js';
export type { EncodedJob } from './job/encode-job.js';
export type { JobHandlerOptions } from './job/handler-options.js';

export { JobQueue } from './queue/job-queue.js';
export type {
  DequeueFn,
  TransactionalAttempt,
  TransactionalWork,
  EnqueueTarget,
  Settlement,
  WakeListener,
} from './queue/job-queue.js';
export type { Lease, LeaseAnswer, LeaseRenewal, LeaseTerms } from './queue/lease.js';
export type { TransactionWork, AmbientTransactions, TransactionIsolation } from './queue/transactions.js';
export { TypeOrmJobQueue } from './storage/typeorm/typeorm-job-queue.js';
export type { TypeOrmJobQueueSettings } from './storage/typeorm/typeorm-job-queue.js';
export { MemoryJobQueue } from './storage/memory/memory-job-queue.js';
export type { MemoryJobQueueSettings } from './storage/memory/memory-job-queue.js';
export { JobEntity, jobEntity } from './storage/typeorm/job-entity.js';
export type { JobRecord } from './storage/typeorm/job-entity.js';
export { jobsMigrations } from './storage/typeorm/jobs-migrations.js';
export type { JobsMigrationsOptions } from './storage/typeorm/jobs-migrations.js';

export { Worker } from './worker/worker.js';
