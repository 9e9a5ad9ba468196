import type { ClaimedJob, ReclaimedJob } from '../job/job.js';
import type { LogLines } from './log-line.js';
import { idsOf, nameOf, printable, printableError, reasonOf, seconds, titleOf } from './log-text.js';
import { because, CONTROL_LINES } from './control-lines.js';
import { HANDLER_LINES } from './handler-lines.js';
import { SCHEDULE_LINES } from './schedule-lines.js';
import { STARTUP_LINES } from './startup-lines.js';

const MIB = 1024 * 1024;

/** Every line of the log, by the event that it tells of. */
export const LOG_LINES: LogLines = {
  ...STARTUP_LINES,
  ...SCHEDULE_LINES,
  ...CONTROL_LINES,
  ...HANDLER_LINES,
  claimFailed: {
    error: ({ error, isNews }) =>
      isNews ? `Could not claim jobs; trying again until it works: ${printableError(error)}` : undefined,
  },
  claimRecovered: {
    log: ({ failures, isNews }) => (isNews ? `Claims jobs again after ${failures} failures.` : undefined),
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
    log: ({ job, outcome }) =>
      outcome.type === 'cancelled' ? `${titleOf(job)} is CANCELLED${because(outcome.reason)}.` : undefined,
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
  pruned: {
    debug: ({ count }) => `Deleted ${count} settled jobs.`,
  },
  choreFailed: {
    warn: ({ chore, error, failures }) => {
      if (failures > 1) return undefined;
      const what = chore === undefined ? 'look for chores' : `do the chore ${printable(chore)}`;
      return `Could not ${what}, trying again: ${printableError(error)}`;
    },
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
  instrumentFailed: {
    warn: ({ error, failures }) =>
      failures === 1
        ? `Telemetry failed, and is tried again at the next job; no job was affected: ${printableError(error)}`
        : undefined,
  },
  notifyFailed: {
    debug: ({ error }) => `Could not notify of new jobs; polling finds them: ${printableError(error)}`,
  },
  listenFailed: {
    warn: ({ error, failures }) =>
      failures === 1
        ? `Listens for new jobs and events no more; polls until it can again: ${printableError(error)}`
        : undefined,
  },
};

function kindOf({ id, kind }: Pick<ClaimedJob, 'id' | 'kind'>): string {
  return `${printable(id)} (kind ${printable(kind)})`;
}

function outcomesOf(jobs: readonly ClaimedJob[]): string {
  const first = nameOf(jobs[0]!);
  return jobs.length === 1 ? `outcome of ${first}` : `outcomes of ${first} and ${jobs.length - 1} others`;
}

function deathOf({ id, kind, workerId, crashes }: ReclaimedJob): string {
  return `Job ${kindOf({ id, kind })} lost its worker ${printable(workerId)}, crash ${crashes}`;
}
