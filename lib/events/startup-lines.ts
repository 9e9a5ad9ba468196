import type { LogLines } from './log-line.js';
import { idsOf, listOf, printable, printableError, seconds } from './log-text.js';

const WITHOUT = 'The application runs without its database: jobs wait, and enqueues are rejected.';

/** The lines that tell of workers and of the application: their start and end, their table, what is wrong with them. */
export const STARTUP_LINES = {
  workerStarted: {
    log: ({ workerId, concurrency, kinds }) =>
      `Worker ${printable(workerId)} started: concurrency ${concurrency}, kinds ${listOf(kinds)}.`,
  },
  retentionStarted: {
    log: ({ retention }) =>
      `Settled jobs are deleted: ${printable(String(retention))}. The option "retention" says for how long they are kept.`,
  },
  workerIdle: {
    log: () => 'No handlers, so no worker is started.',
  },
  workerDisabled: {
    log: () => 'worker: false, so this process only enqueues.',
  },
  workerStopped: {
    log: ({ workerId }) => `Worker ${printable(workerId)} stopped.`,
  },
  shutdownWaits: {
    log: ({ jobs, timeoutMs }) =>
      `Waits up to ${seconds(timeoutMs)} for ${jobs.length} running ${jobs.length === 1 ? 'job' : 'jobs'}: ` +
      `${listOf(jobs.map(({ id, kind }) => `${kind} ${id}`))}.`,
  },
  shutdownTimedOut: {
    warn: ({ jobs }) =>
      `${jobs.length} jobs did not finish within shutdownTimeoutMs and are given back: ${idsOf(jobs)}.`,
  },
  notificationsMissing: {
    warn: () =>
      'Notifications do not arrive, as behind a pooler in transaction mode; new jobs and events are found by polling.',
  },
  schemaLockAwaited: {
    log: ({ table }) =>
      `Waits for another process, which holds the lock to make or upgrade the table ${table}.`,
  },
  schemaRecognized: {
    warn: ({ table, version, isMended, statement }) =>
      `The table ${table} has lost the comment that tells its version. By its columns it is of version ${version}. ` +
      (isMended
        ? 'The comment has been written again.'
        : `This brings the comment back: ${printable(statement)}`),
  },
  handlersNotProvided: {
    warn: ({ handlers }) =>
      `No provider of this application brings these methods with @JobHandler, so they are never called: ` +
      `${listOf(handlers)}. Add their classes to the providers of a module, and import that module. A factory that ` +
      `makes an instance for each request hides its class; provide the class itself.`,
  },
  handlersReplaced: {
    warn: ({ handlers }) =>
      `Another decorator has replaced these methods with @JobHandler, so they are never called: ` +
      `${listOf(handlers)}. Write @JobHandler above that decorator.`,
  },
  listenersNotProvided: {
    warn: ({ listeners }) =>
      `No provider of this application brings these methods with @OnJobEvent, so they hear of nothing: ` +
      `${listOf(listeners)}. Add their classes to the providers of a module, and import that module.`,
  },
  listenersReplaced: {
    warn: ({ listeners }) =>
      `Another decorator has replaced these methods with @OnJobEvent, so they hear of nothing: ` +
      `${listOf(listeners)}. Write @OnJobEvent above that decorator.`,
  },
  parametersUndecorated: {
    warn: ({ handler, undecorated }) =>
      `${printable(handler)} has decorators on some of its parameters, so ` +
      `${undecorated.map((index) => `parameter ${index + 1}`).join(' and ')} will be undefined. ` +
      `Decorate them as well, with @JobPayload(), @JobParam() or @JobCtx(), or none for (job, context).`,
  },
  transactionNotJoined: {
    warn: ({ library, adapter, subPath }) =>
      `An enqueue inside a transaction of ${library} is not part of it, because JobsModule does not know that library: ` +
      `the job stays if the transaction rolls back. Set JobsModule.forRoot({ transactions: ${adapter} }), imported ` +
      `from '${subPath}', or enqueue with { outside: true } if that is meant. Further ones are not logged.`,
  },
  replicationUnrestored: {
    warn: () =>
      'The DataSource has "replication", and mysql2 gives a server up for good that has been away for a few seconds: this ' +
      'process would have to be restarted. Set restoreNodeTimeout: 1000 in "replication".',
  },
  replicationGivenUp: {
    error: ({ error }) =>
      'mysql2 has given up the server of this DataSource, so nothing works any more in this process: restart it, and set ' +
      `restoreNodeTimeout: 1000 in "replication". ${printableError(error)}`,
  },
  databaseUnreachable: {
    warn: ({ error }) => `${WITHOUT} Trying again until it can be opened: ${printableError(error)}`,
  },
  databaseUnsuitable: {
    error: ({ error }) =>
      `Jobs cannot be kept in the database as it is, and it is not opened until that is mended. Looking again until then: ` +
      printableError(error),
  },
  databaseAwaited: {
    warn: ({ ms }) => `${WITHOUT} It has not been opened within ${seconds(ms)}, and nothing has failed.`,
  },
  databaseOpened: {
    log: ({ failures, ms }) =>
      `The database is open, after ${failures > 0 ? `${failures} failures in ` : ''}${seconds(ms)}.`,
  },
  startFailed: {
    error: ({ error }) =>
      `The database is open, but the worker could not be started, and is not tried again: ${printableError(error)}`,
  },
  schemaUpgraded: {
    log: ({ table, version }) => `Brought the table ${table} to version ${version}.`,
  },
  listenerFailed: {
    warn: ({ event, error }) =>
      `A listener of the event "${event}" has thrown; nothing else was affected: ${printableError(error)}`,
  },
} satisfies LogLines;
