import type { ClaimedJob, ReclaimedJob } from '../job/job.js';
import type { JobsEvent, JobsEventMap } from './jobs-events.js';
import { listOf, nameOf, printable, printableError, reasonOf } from './log-text.js';

export type LogLevel = 'error' | 'warn' | 'log' | 'debug';

/** What an event says at one level: a line, several, or nothing. */
export type LogLine<Event extends JobsEvent> = (
  detail: JobsEventMap[Event],
) => string | readonly string[] | undefined;

const MIB = 1024 * 1024;

type LogLines = {
  readonly [Event in JobsEvent]?: { readonly [Level in LogLevel]?: LogLine<Event> };
};

/** Every line of the log, by the event that it tells of. */
export const LOG_LINES: LogLines = {
  workerStarted: {
    log: ({ workerId, concurrency, kinds }) =>
      `Worker ${printable(workerId)} started: concurrency ${concurrency}, kinds ${listOf(kinds)}.`,
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
  claimFailed: {
    error: ({ error, failures }) =>
      failures === 1
        ? `Could not claim jobs; trying again until it works: ${printableError(error)}`
        : undefined,
  },
  claimRecovered: {
    log: ({ failures }) => `Claims jobs again after ${failures} failures.`,
  },
  claimsSlow: {
    warn: ({ claimMs, openMs, description }) =>
      `Claims have become slow (${Math.round(claimMs)} ms), and a transaction has been open for ` +
      `${Math.round(openMs / 1000)} s (${printable(description)}). Until it ends, the database cannot clear away ` +
      `what was settled since, and claims step over all of it. End that transaction, and keep transactions short.`,
  },
  settled: {
    error: ({ job, outcome }) =>
      outcome.type === 'panic'
        ? `${titleOf(job)} is PANIC and will not run again: ${reasonOf(outcome.lastError)}`
        : undefined,
    warn: ({ job, outcome }) => {
      if (outcome.type === 'failed')
        return `${titleOf(job)} is FAILED and will not run again: ${reasonOf(outcome.lastError)}`;
      if (outcome.type !== 'retry') return undefined;
      const { delayMs, maxAttempts, lastError } = outcome;
      return `${titleOf(job, maxAttempts)} failed and runs again in ${seconds(delayMs)}: ${reasonOf(lastError)}`;
    },
    debug: ({ job, outcome }) => (outcome.type === 'done' ? `${titleOf(job)}: done, written.` : undefined),
  },
  settledInTransaction: {
    debug: ({ job }) => `${titleOf(job)}: done, written.`,
  },
  settlesFailing: {
    warn: ({ jobs, unwritten, since, error }) =>
      `Could not write the ${outcomesOf(jobs)}, trying again: ${printableError(error)}\n` +
      `    ${unwritten} unwritten since ${since.toISOString()}.`,
  },
  settlesRecovered: {
    log: ({ failures, ms }) => `Writes outcomes again after ${failures} failures in ${seconds(ms)}.`,
  },
  outcomeReplaced: {
    error: ({ job, outcome, error }) =>
      `The outcome (${outcome.type}) of ${nameOf(job)} is refused by the database and cannot be stored: ` +
      printableError(error),
  },
  settleGivenUp: {
    error: ({ job, error }) =>
      `The database refuses any outcome of ${nameOf(job)}. The worker lets go of it, and its lease runs out: ` +
      printableError(error),
  },
  claimsPaused: {
    warn: ({ unwritten, bytes, since, error }) =>
      `Claims no jobs, because ${unwritten} outcomes (${(bytes / MIB).toFixed(1)} MiB) are unwritten` +
      (since === undefined ? '.' : ` since ${since.toISOString()}: ${printableError(error)}`),
  },
  claimsResumed: {
    log: ({ ms }) => `Claims jobs again, ${seconds(ms)} after too many outcomes were unwritten.`,
  },
  settleRefused: {
    warn: ({ job, outcome, failures }) =>
      failures === 0
        ? `The outcome (${outcome.type}) of ${nameOf(job)} was refused: its lease is lost.`
        : undefined,
    debug: ({ job, outcome, failures }) => [
      ...(failures > 0
        ? [
            `The outcome (${outcome.type}) of ${nameOf(job)} was written by a try whose answer did not come, or its lease is lost.`,
          ]
        : []),
      `${titleOf(job)}: ${outcome.type}, lost.`,
    ],
  },
  settleAbandoned: {
    error: ({ job, outcome }) =>
      `The outcome (${outcome.type}) of ${nameOf(job)} could not be written in time.`,
    debug: ({ job, outcome }) => `${titleOf(job)}: ${outcome.type}, abandoned.`,
  },
  outcomeDropped: {
    debug: ({ job }) => `Job ${kindOf(job)} stopped after its lease was lost.`,
  },
  lost: {
    warn: ({ job, error }) =>
      `${printable(error.message)} (kind ${printable(job.kind)}, attempt ${job.attemptsDone + 1})`,
  },
  renewFailed: {
    warn: ({ count, error, failures }) =>
      failures === 1
        ? `Could not renew the leases of ${count} jobs, trying again: ${printableError(error)}`
        : undefined,
  },
  renewRecovered: {
    log: ({ failures }) => `Renews leases again after ${failures} failures.`,
  },
  transactionUndone: {
    warn: ({ job, error }) =>
      `The transaction of ${nameOf(job)} was undone by the database, or could not begin; again: ` +
      printableError(error).split('\n', 1)[0]!,
  },
  transactionLost: {
    warn: ({ job }) => `${titleOf(job)}: its lease is lost, so its transaction was rolled back.`,
  },
  giveBackFailed: {
    error: ({ jobs, error }) =>
      `Could not give back ${idsOf(jobs)}; others take them when their leases run out: ${printableError(error)}`,
  },
  gaveBackUnheld: {
    log: ({ count }) => `Gave back ${count} jobs that were claimed and never heard of.`,
  },
  reclaimed: {
    warn: (job) => `${deathOf(job)}: it is ready again.`,
  },
  convicted: {
    error: (job) => `${deathOf(job)}: it ran alone, so it is PANIC and will not run again.`,
  },
  reclaimFailed: {
    warn: ({ error, failures }) =>
      failures === 1
        ? `Could not look for jobs of dead workers, trying again: ${printableError(error)}`
        : undefined,
  },
  quarantined: {
    debug: ({ job }) => `Job ${kindOf(job)} runs alone after ${job.crashes} crashes.`,
  },
  quarantineFailed: {
    warn: ({ job, error }) =>
      `Job ${kindOf(job)} may not be marked as set apart from others: ${printableError(error)}`,
  },
  abortIgnored: {
    warn: ({ job }) =>
      `The handler of ${nameOf(job)} ignores its aborted signal; it keeps its slot until it ends.`,
  },
  eventLoopBlocked: {
    warn: ({ blockedMs, kinds }) =>
      `The event loop was blocked for ${Math.round(blockedMs)} ms, and no lease could be renewed meanwhile. ` +
      `Jobs are run one at a time for a while. Running now: ${kinds.map(printable).join(', ') || 'nothing'}. ` +
      `Move long computations to a worker thread or a child process, or raise leaseMs.`,
  },
  notifyFailed: {
    debug: ({ error }) => `Could not notify of new jobs; polling finds them: ${printableError(error)}`,
  },
  listenFailed: {
    warn: ({ error, failures }) =>
      failures === 1
        ? `Listens for new jobs no more; polls until it can again: ${printableError(error)}`
        : undefined,
  },
  notificationsMissing: {
    warn: () =>
      'Notifications do not arrive, as behind a pooler in transaction mode; new jobs are found by polling.',
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
  schemaUpgraded: {
    log: ({ table, version }) => `Brought the table ${table} to version ${version}.`,
  },
  listenerFailed: {
    warn: ({ event, error }) =>
      `A listener of the event "${event}" has thrown; nothing else was affected: ${printableError(error)}`,
  },
};

function titleOf(job: ClaimedJob, maxAttempts?: number): string {
  const name = nameOf(job, maxAttempts);
  return name.charAt(0).toUpperCase() + name.slice(1);
}

function kindOf({ id, kind }: Pick<ClaimedJob, 'id' | 'kind'>): string {
  return `${printable(id)} (kind ${printable(kind)})`;
}

/** `5 s`, `0.25 s` */
function seconds(ms: number): string {
  return `${Number((ms / 1000).toPrecision(3))} s`;
}

function idsOf(jobs: readonly ClaimedJob[]): string {
  return listOf(jobs.map(({ id }) => id));
}

function outcomesOf(jobs: readonly ClaimedJob[]): string {
  const first = nameOf(jobs[0]!);
  return jobs.length === 1 ? `outcome of ${first}` : `outcomes of ${first} and ${jobs.length - 1} others`;
}

function deathOf({ id, kind, workerId, crashes }: ReclaimedJob): string {
  return `Job ${kindOf({ id, kind })} lost its worker ${printable(workerId)}, crash ${crashes}`;
}
