/** The public names of `nestjs-typeorm-jobs`. */

// The module
export { JobsModule } from './nest/jobs.module.js';
export type { JobsModuleIdentity, JobsModuleOptions } from './nest/module-options.js';
export type { WorkerOptions } from './nest/worker-options.js';
export type { Duration } from './job/duration.js';
export { Retention } from './job/retention.js';
export type { Ages, RetentionOptions, SettledStatus, StatusRetention } from './job/retention.js';
export type {
  AsyncJobsModuleOptions,
  JobsModuleAsyncOptions,
  JobsOptionsFactory,
} from './nest/jobs.async-options.js';
export {
  getJobClientToken,
  getJobKindsToken,
  getJobQueueToken,
  getJobEventsToken,
  getJobSchedulesToken,
  getWorkerToken,
} from './nest/jobs.tokens.js';
export { InjectJobClient } from './nest/decorators/inject-job-client.decorator.js';
export type { ContextCarrier } from './job/context-carrier.js';
export type { JobsLogger } from './job/logger.js';

// Handlers
export { JobHandler } from './nest/decorators/job-handler.decorator.js';
export { JobCtx } from './nest/decorators/job-ctx.decorator.js';
export { JobParam } from './nest/decorators/job-param.decorator.js';
export { JobPayload } from './nest/decorators/job-payload.decorator.js';
export { JobExecutionContext } from './nest/job-execution-context.js';
export type { HandlerDefaults, JobHandlerOptions } from './job/handler-options.js';
export type { Backoff, ExponentialBackoff, FixedBackoff, StoredBackoff } from './job/retry.js';
export { isPanicByDefault } from './job/panic.js';

// Jobs
export { JobClient, type EnqueueManyOptions, type EnqueueOptions } from './client/job-client.js';
export type {
  CancelOptions,
  CloneOverrides,
  DeleteOptions,
  JobUpdate,
  RetryOptions,
} from './client/edit-arguments.js';
export type { CountOptions, FindOptions, JobFilter } from './client/find-arguments.js';
export type {
  BulkAnswer,
  BulkFilter,
  BulkOptions,
  CancelManyOptions,
  RetryManyOptions,
} from './client/bulk-arguments.js';
export type { JobExplanation, JobReason, JobReasonCode } from './client/explain-job.js';
export type { FoundJobs, JobCount } from './client/job-selection.js';
export { forEntity } from './storage/sql/entity-tag.js';
export type { JobLog, JobLogOptions } from './client/job-logs.js';
export type { WaitOptions } from './client/wait-options.js';
export type { EnqueueArguments, EnqueuedJob } from './client/enqueue-arguments.js';
export { defineJob, JobDefinition, type } from './job/definition.js';
export type { JobDefinitionOptions, JobOf, PlainOf, TypeMark } from './job/definition.js';
export type { DtoClass, PayloadSchema, StandardSchema } from './job/payload-schema.js';
export type { ClaimedJob, Enqueued, Job, JobContext, JobSettings, NewJob, ReclaimedJob } from './job/job.js';
export type {
  DebounceOptions,
  EncodedUnique,
  OnConflict,
  ThrottleOptions,
  UniqueByPayload,
  UniqueOptions,
  UniqueTerms,
  UniqueWhile,
} from './job/unique.js';
export type { TraceContext } from './job/carriage.js';
export type { AttemptHistory, AttemptOutcome, JobAttempt } from './job/job-attempt.js';
export type { JobLogLevel, JobLogLine, JobProgress, LogPosition, LogQuery } from './job/job-log.js';
export type { JobState, JobStatus } from './job/job-state.js';

// Kinds
export { InjectJobKinds } from './nest/decorators/inject-job-kinds.decorator.js';
export { JobKinds } from './client/job-kinds.js';
export type { DrainKindOptions, PauseKindOptions } from './client/kind-arguments.js';
export type { LiveWorker } from './client/live-worker.js';
export type { CappedCount, KindStats, Percentiles } from './client/kind-stats.js';

// Schedules
export { JobSchedule, type JobScheduleOptions } from './nest/decorators/job-schedule.decorator.js';
export { InjectJobEvents } from './nest/decorators/inject-job-events.decorator.js';
export { OnJobEvent } from './nest/decorators/on-job-event.decorator.js';
export type { JobEventMethod, OnJobEventOptions } from './nest/decorators/on-job-event.decorator.js';
export { JobEvents } from './client/job-events.js';
export type { EventScope, JobEventFilter } from './client/event-arguments.js';
export type {
  EventLagEvent,
  JobCancelledEvent,
  JobEvent,
  JobEventOf,
  JobEventType,
  JobFailedEvent,
  JobPanickedEvent,
  JobProgressedEvent,
  JobRetryingEvent,
  JobStartedEvent,
  KindPausedEvent,
  KindResumedEvent,
  ScheduleSkippedEvent,
  WorkerLostEvent,
} from './job/job-event.js';
export { InjectJobSchedules } from './nest/decorators/inject-job-schedules.decorator.js';
export { JobSchedules } from './client/job-schedules.js';
export type { RunTimeScheduleSpec } from './client/job-schedules.js';
export type {
  ListSchedulesOptions,
  PauseScheduleOptions,
  ResumeScheduleOptions,
  TriggerOptions,
} from './client/schedule-arguments.js';
export type { BackfillAnswer, BackfillOptions } from './client/backfill.js';
export type { Schedule } from './schedules/schedule.js';
export { previewSchedule, type PreviewOptions } from './schedules/preview-schedule.js';
export type {
  CronTimes,
  IntervalTimes,
  MissedTicks,
  Overlap,
  ScheduleOptions,
  SchedulePayload,
  ScheduleSpec,
  ScheduleTimes,
} from './schedules/schedule-options.js';
export type { CronRule, IntervalRule, RuleBounds, ScheduleRule } from './schedules/schedule-rule.js';

// Errors
export {
  DuplicateJobError,
  InvalidJobError,
  InvalidOptionError,
  InvalidPayloadError,
  InvalidScheduleError,
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
  DatabaseNotReadyError,
  DatabaseTimeoutError,
  ForeignTransactionError,
  SchemaVersionError,
  TransactionOpenError,
  TransactionUndoneError,
  UnsupportedDatabaseError,
} from './job/storage-errors.js';
export {
  CancelJobError,
  ControlsUnknownError,
  JobCancelledError,
  JobFailedError,
  JobGoneError,
  JobNotWaitingError,
  JobPausedError,
  JobRunningError,
  KindTimeoutError,
  WaitTimeoutError,
} from './job/control-errors.js';
export { ScheduleDeclaredError, ScheduleExistsError, UnknownScheduleError } from './job/schedule-errors.js';
export { UnreadableDocumentError } from './job/unreadable-document-error.js';
export type { DuplicateKey, PayloadIssue } from './job/errors.js';
export { ApplicationClosedError, InvalidHandlerError } from './job/application-errors.js';

// Events
export { JobsEvents } from './events/jobs-events.js';
export type { JobsEvent, JobsEventListener, JobsEventMap } from './events/jobs-events.js';
export type { AttemptEnd, AttemptWatch } from './events/attempt-watch.js';
export type { Firing, FiringWatch, JobsInstrument, Sending } from './events/instrument.js';
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
export type { Opening } from './queue/opening.js';
export { ChoreStore, type ChoreRest, type TakenChore } from './queue/chore-store.js';
export { UniqueJobStore, type KeyPosition, type SweptKeys } from './queue/unique-job-store.js';
export { RetentionStore, type Pruned, type PruneRange } from './queue/retention-store.js';
export type {
  Lease,
  LeaseAnswer,
  LeaseRenewal,
  LeaseTerms,
  OwnClaims,
  RenewalAnswer,
  StopRequest,
} from './queue/lease.js';
export { JobReader } from './queue/job-reader.js';
export type { CountBounds, CountedJobs, JobFailure, SearchBounds, SearchedJobs } from './queue/job-reader.js';
export type { JobConditions, PayloadCondition, TimeSpan } from './job/job-conditions.js';
export { NoteStore, type AttemptNote, type NotedLine } from './queue/note-store.js';
export { JobEditor } from './queue/job-editor.js';
export { AuditStore } from './queue/audit-store.js';
export type { AuditedAction, AuditedOutcome, AuditPage, StoredAction } from './queue/audit-store.js';
export { Inspector, type Inspection, type InspectionBounds, type StorageFinding } from './queue/inspector.js';
export type { ExpiredLeases, Finding, OverdueSchedule } from './queue/inspector.js';
export { KindStore } from './queue/kind-store.js';
export type { Controls, PauseTerms, StoredPause, StoredWorker, WorkerReport } from './queue/kind-store.js';
export type { CountsLook, KindBacklog, KindCounts, StoredCounts } from './queue/kind-counts.js';
export type { DueKind, HistoryLook, KindHistory } from './queue/kind-counts.js';
export type { BucketCounts } from './job/histogram.js';
export type { WorkerAbout } from './queue/worker-about.js';
export type {
  CancelledJob,
  JobChanges,
  JobRetry,
  JobStart,
  RetriedJobs,
  StopListener,
} from './queue/job-editor.js';
export { ScheduleStore } from './queue/schedule-store.js';
export type {
  CatchUp,
  DeclaringProcess,
  FireAnswer,
  FireOutcome,
  Resumption,
  ScheduleFilter,
  ScheduleFire,
  SchedulesLook,
  ScheduleWrite,
  StoredSchedule,
  TickJob,
  UpcomingQuery,
  UpcomingSchedule,
} from './queue/schedule-store.js';
export type { AmbientTransactions, TransactionIsolation, TransactionWork } from './queue/transactions.js';
export { JobEncoder } from './job/encode-job.js';
export type { EncodedJob } from './job/encode-job.js';
export type { StoredDocument } from './job/document.js';
export type { Outcome, Returned, Snoozed } from './job/outcome.js';
export type { DequeueSettings } from './execution/dequeue.js';
export { TypeOrmJobQueue } from './storage/typeorm/typeorm-job-queue.js';
export type { TypeOrmJobQueueSettings } from './storage/typeorm/typeorm-job-queue.js';
export { MemoryJobQueue, type MemoryJobQueueSettings } from './storage/memory/memory-job-queue.js';
export { JobEntity, jobEntity, type JobRecord } from './storage/typeorm/job-entity.js';
export { jobsMigrations } from './storage/typeorm/jobs-migrations.js';
export type { JobsMigrationsOptions } from './storage/typeorm/jobs-migrations.js';

// The worker
export { Worker, type WorkerState, type WorkerVitals } from './worker/worker.js';
