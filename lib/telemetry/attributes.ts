/** What spans and metrics are attributed with: the semantic conventions of messaging, and what these do not know. */
export const ATTRIBUTE = {
  system: 'messaging.system',
  operationName: 'messaging.operation.name',
  operationType: 'messaging.operation.type',
  destination: 'messaging.destination.name',
  messageId: 'messaging.message.id',
  batchCount: 'messaging.batch.message_count',
  clientId: 'messaging.client.id',
  errorType: 'error.type',
  queue: 'nestjs_typeorm_jobs.queue',
  schedule: 'nestjs_typeorm_jobs.schedule',
  attempt: 'nestjs_typeorm_jobs.attempt',
  outcome: 'nestjs_typeorm_jobs.outcome',
  enqueued: 'nestjs_typeorm_jobs.enqueued',
  transaction: 'nestjs_typeorm_jobs.transaction',
  stat: 'nestjs_typeorm_jobs.stat',
} as const;

/** The value of `messaging.system`. */
export const SYSTEM = 'nestjs_typeorm_jobs';

/** The name under which spans and metrics are made. */
export const SCOPE = 'nestjs-typeorm-jobs';

/** What is done with a job. */
export type Operation = 'send' | 'process';
