/** The public names of `nestjs-typeorm-jobs`. */

// The module
export { JobsModule } from './nest/jobs.module.js';
export type { JobsModuleIdentity, JobsModuleOptions } from './nest/module-options.js';
export type { WorkerOptions } from './nest/worker-options.js';
export type {
  AsyncJobsModuleOptions,
  JobsModuleAsyncOptions,
  JobsOptionsFactory,
} from './nest/jobs.async-options.js';
export { getJobClientToken, getJobQueueToken, getWorkerToken } from './nest/jobs.tokens.js';
export { InjectJobClient } from './nest/decorators/inject-job-client.decorator.js';
export type { ContextCarrier } from './job/context-carrier.js';
export type { JobsLogger } from './job/logger.js';

// Handlers
export { JobHandler } from './nest/decorators/job-handler.decorator.js';
export { JobCtx } from './nest/decorators/job-ctx.decorator.js';
export { JobParam } from './nest/decorators/job-param.decorator.js';
export { JobPayload } from './nest/decorators/job-payload.decorator.js';
export { JobExecutionContext } from './nest/job-execution-context.js';
export type { JobHandlerOptions } from './job/handler-options.js';
export type { Backoff, ExponentialBackoff, FixedBackoff } from './job/retry.js';
export { isPanicByDefault } from './job/panic.js';

// Jobs
export { JobClient } from './client/job-client.js';
export type { EnqueueManyOptions, EnqueueOptions } from './client/job-client.js';
export type { EnqueueArguments, EnqueuedJob } from './client/enqueue-arguments.js';
export { defineJob, JobDefinition, type } from './job/definition.js';
export type { JobDefinitionOptions, JobOf, PlainOf, TypeMark } from './job/definition.js';
export type { DtoClass, PayloadSchema, StandardSchema } from './job/payload-schema.js';
export type { ClaimedJob, Job, JobContext, JobSettings, JobStatus, NewJob, ReclaimedJob } from './job/job.js';

// Errors
export {
  DuplicateJobError,
  InvalidJobError,
  InvalidOptionError,
  InvalidPayloadError,
  JobsError,
  JobTimeoutError,
  KindExistsError,
  LeaseLostError,
  NewerPayloadError,
  PermanentError,
  RetryableError,
  UnknownKindError,
  WorkerStoppedError,
} from './job/errors.js';
export {
  ConnectionTimeoutError,
  DatabaseTimeoutError,
  ForeignTransactionError,
  SchemaVersionError,
  TransactionOpenError,
  TransactionUndoneError,
  UnsupportedDatabaseError,
} from './job/storage-errors.js';
export { UnreadableDocumentError } from './job/unreadable-document-error.js';
export type { PayloadIssue } from './job/errors.js';
export { ApplicationClosedError, InvalidHandlerError } from './job/application-errors.js';

// Events
export { JobsEvents } from './events/jobs-events.js';
export type { JobsEvent, JobsEventListener, JobsEventMap } from './events/jobs-events.js';
export { loggedEvents } from './events/log-subscriber.js';

// Storage
export { JobQueue } from './queue/job-queue.js';
export type {
  DequeueFn,
  EnqueueTarget,
  Settlement,
  TransactionalAttempt,
  TransactionalWork,
  WakeListener,
} from './queue/job-queue.js';
export type { Lease, LeaseAnswer, LeaseRenewal, LeaseTerms } from './queue/lease.js';
export type { AmbientTransactions, TransactionIsolation, TransactionWork } from './queue/transactions.js';
export { JobEncoder } from './job/encode-job.js';
export type { EncodedJob } from './job/encode-job.js';
export type { StoredDocument } from './job/document.js';
export type { Outcome } from './job/outcome.js';
export type { DequeueSettings } from './execution/dequeue.js';
export { TypeOrmJobQueue } from './storage/typeorm/typeorm-job-queue.js';
export type { TypeOrmJobQueueSettings } from './storage/typeorm/typeorm-job-queue.js';
export { MemoryJobQueue } from './storage/memory/memory-job-queue.js';
export type { MemoryJobQueueSettings } from './storage/memory/memory-job-queue.js';
export { JobEntity, jobEntity } from './storage/typeorm/job-entity.js';
export type { JobRecord } from './storage/typeorm/job-entity.js';
export { jobsMigrations } from './storage/typeorm/jobs-migrations.js';
export type { JobsMigrationsOptions } from './storage/typeorm/jobs-migrations.js';

// The worker
export { Worker } from './worker/worker.js';
