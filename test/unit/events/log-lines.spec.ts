import { describe, expect, it } from '@jest/globals';
import type { JobsEvent, JobsEventMap } from '../../../lib/events/jobs-events.js';
import type { LogLevel } from '../../../lib/events/log-line.js';
import { LOG_LINES } from '../../../lib/events/log-lines.js';
import { LeaseLostError } from '../../../lib/job/errors.js';
import { resolveRetention } from '../../../lib/job/retention.js';
import type { Outcome } from '../../../lib/job/outcome.js';
import { claimedJob } from '../fakes.js';
import { MemoryLogger } from '../../support/memory-logger.js';

/** One detail of an event, and every line that the log has of it. */
type Case<Event extends JobsEvent> = readonly [detail: JobsEventMap[Event], ...lines: string[]];

const job = claimedJob({ id: '4711', kind: 'invoice.mail', attemptsDone: 1, crashes: 2 });
const jobs = [job, claimedJob({ id: '4712' }), claimedJob({ id: '4713' })];
const many = Array.from({ length: 22 }, (_, n) => claimedJob({ id: `j${n + 1}` }));
const error = Object.assign(new Error('connection lost'), {
  stack: 'Error: connection lost\n    at Socket.end (net.js:1:2)\n    at process.tick (node:internal:3:4)',
});
const STACK = '\n    at Socket.end (net.js:1:2)\n    at process.tick (node:internal:3:4)';
const SINCE = new Date('2026-11-26T10:00:00Z');
const DONE: Outcome = { type: 'done', result: { json: null, bytes: null } };
const RETRY: Outcome = { type: 'retry', delayMs: 5_000, lastError: 'Error: no\n    at a.js' };
const FAILED: Outcome = { type: 'failed', lastError: 'Error: no such user\n    at a.js' };
const PANIC: Outcome = { type: 'panic', lastError: 'panic: TypeError: x is undefined\n    at a.js' };
const death = { id: '4711', kind: 'invoice.mail', workerId: 'w-1', crashes: 2 };

/** Every event, with what operators have always read of it. The order of the lines is that of the log. */
const CASES: { readonly [Event in JobsEvent]: readonly Case<Event>[] } = {
  enqueued: [[{ jobs: [] }]],
  kindPaused: [
    [
      { kind: 'mail', since: SINCE, until: null, reason: 'no\nserver', stopsRunning: false },
      'log The kind mail is paused: no\\nserver.',
    ],
    [
      { kind: '*', since: SINCE, until: SINCE, reason: null, stopsRunning: true },
      'log All kinds are paused until 2026-11-26T10:00:00.000Z.',
    ],
  ],
  pauseCommitted: [[{ kind: 'mail', until: null, reason: 'no server' }]],
  resumeCommitted: [[{ kind: 'mail' }]],
  instrumentFailed: [
    [
      { error, failures: 1 },
      `warn Telemetry failed, and is tried again at the next job; no job was affected: Error: connection lost${STACK}`,
    ],
    [{ error, failures: 2 }],
  ],
  kindResumed: [[{ kind: 'mail' }, 'log The kind mail is paused no longer.']],
  controlsFailed: [
    [
      { error, failures: 1 },
      `error Could not read which kinds are paused, and starts no job after half a minute of this; trying again: Error: connection lost${STACK}`,
    ],
    [{ error, failures: 2 }],
  ],
  controlsRecovered: [[{ failures: 3 }, 'log Reads again which kinds are paused, after 3 failures.']],
  claimed: [[{ jobs }]],
  started: [[{ job }]],
  gaveBack: [[{ jobs }]],
  settled: [
    [{ job, outcome: DONE }, 'debug Job 4711 (kind invoice.mail, attempt 2): done, written.'],
    [
      { job, outcome: RETRY },
      'warn Job 4711 (kind invoice.mail, attempt 2) failed and runs again in 5 s: Error: no',
    ],
    [
      { job, outcome: { ...RETRY, delayMs: 1_234_567, maxAttempts: 5 } },
      'warn Job 4711 (kind invoice.mail, attempt 2 of 5) failed and runs again in 1230 s: Error: no',
    ],
    [
      { job, outcome: FAILED },
      'warn Job 4711 (kind invoice.mail, attempt 2) is FAILED and will not run again: Error: no such user',
    ],
    [
      { job, outcome: PANIC },
      'error Job 4711 (kind invoice.mail, attempt 2) is PANIC and will not run again: panic: TypeError: x is undefined',
    ],
    [
      { job, outcome: { type: 'cancelled', reason: 'no\nmore' } },
      'log Job 4711 (kind invoice.mail, attempt 2) is CANCELLED: no\\nmore.',
    ],
    [
      { job, outcome: { type: 'cancelled', reason: null } },
      'log Job 4711 (kind invoice.mail, attempt 2) is CANCELLED.',
    ],
  ],
  noteRefused: [
    [
      { job, error: new Error('progress is too large') },
      'warn A progress or a line of the log of job 4711 (kind invoice.mail, attempt 2) was dropped, as will be others of this ' +
        'attempt that cannot be stored: Error: progress is too large',
    ],
  ],
  notesFailed: [
    [
      { count: 3, error, failures: 1 },
      `warn Could not write progress and logs of 3 jobs, trying again while they run: Error: connection lost${STACK}`,
    ],
    [{ count: 3, error, failures: 2 }],
  ],
  stopRequested: [
    [
      { job, reason: 'the order was cancelled' },
      'log Stops job 4711 (kind invoice.mail, attempt 2), which is to be cancelled: the order was cancelled.',
    ],
    [{ job, reason: null }, 'log Stops job 4711 (kind invoice.mail, attempt 2), which is to be cancelled.'],
  ],
  reclaimedCancelled: [
    [
      { id: '4711', kind: 'invoice.mail', workerId: 'w-1', crashes: 0, status: 'CANCELLED' },
      'warn Job 4711 (kind invoice.mail) was to be cancelled and lost its worker w-1: it is CANCELLED.',
    ],
  ],
  progressed: [[{ job, progress: '0.4' }]],
  waitingCancelled: [[{ jobs: [], reason: null }]],
  eventsLost: [
    [
      { error, failures: 1 },
      `warn Could not write events for listeners of other processes, who are told of a lag: Error: connection lost${STACK}`,
    ],
    [{ error, failures: 2 }],
  ],
  eventsUnread: [
    [
      { error, failures: 1 },
      `warn Could not read events of other processes; trying again until it works: Error: connection lost${STACK}`,
    ],
    [{ error, failures: 2 }],
  ],
  jobListenerFailed: [
    [
      { listener: 'Mails.tell in MailModule', type: 'failed', error },
      `error Mails.tell in MailModule failed for an event (failed); no job was affected: Error: connection lost${STACK}`,
    ],
  ],
  snoozed: [
    [
      { job, delayMs: 90_000 },
      'debug Job 4711 (kind invoice.mail, attempt 2): put back by its handler, runs again in 90 s.',
    ],
  ],
  settledInTransaction: [[{ job }, 'debug Job 4711 (kind invoice.mail, attempt 2): done, written.']],
  settleFailed: [[{ jobs: [job], error }]],
  settlesFailing: [
    [
      { jobs: [job], unwritten: 1, since: SINCE, error },
      `warn Could not write the outcome of job 4711 (kind invoice.mail, attempt 2), trying again: Error: connection lost${STACK}` +
        '\n    1 unwritten since 2026-11-26T10:00:00.000Z.',
    ],
    [
      { jobs, unwritten: 3_001, since: SINCE, error },
      `warn Could not write the outcomes of job 4711 (kind invoice.mail, attempt 2) and 2 others, trying again: Error: connection lost${STACK}` +
        '\n    3001 unwritten since 2026-11-26T10:00:00.000Z.',
    ],
  ],
  settlesRecovered: [
    [{ failures: 7, ms: 12_345.6 }, 'log Writes outcomes again after 7 failures in 12.3 s.'],
  ],
  outcomeReplaced: [
    [
      { job, outcome: DONE, error },
      `error The outcome (done) of job 4711 (kind invoice.mail, attempt 2) is refused by the database and cannot be stored: Error: connection lost${STACK}`,
    ],
  ],
  settleGivenUp: [
    [
      { job, outcome: FAILED, error },
      'error The database refuses any outcome of job 4711 (kind invoice.mail, attempt 2). The worker lets go of it, and its ' +
        `lease runs out: Error: connection lost${STACK}`,
    ],
  ],
  claimsPaused: [
    [
      { unwritten: 3_001, bytes: 1_572_864, since: SINCE, error },
      `warn Claims no jobs, because 3001 outcomes (1.5 MiB) are unwritten since 2026-11-26T10:00:00.000Z: Error: connection lost${STACK}`,
    ],
    [
      { unwritten: 70, bytes: 70_000_000, since: undefined, error: undefined },
      'warn Claims no jobs, because 70 outcomes (66.8 MiB) are unwritten.',
    ],
  ],
  claimsResumed: [[{ ms: 4_000 }, 'log Claims jobs again, 4 s after too many outcomes were unwritten.']],
  settleRefused: [
    [
      { job, outcome: FAILED, failures: 0 },
      'warn The outcome (failed) of job 4711 (kind invoice.mail, attempt 2) was refused: its lease is lost.',
      'debug Job 4711 (kind invoice.mail, attempt 2): failed, lost.',
    ],
    [
      { job, outcome: DONE, failures: 2 },
      'debug The outcome (done) of job 4711 (kind invoice.mail, attempt 2) was written by a try whose answer did not come, or its lease is lost.',
      'debug Job 4711 (kind invoice.mail, attempt 2): done, lost.',
    ],
  ],
  settleAbandoned: [
    [
      { job, outcome: DONE },
      'error The outcome (done) of job 4711 (kind invoice.mail, attempt 2) could not be written in time.',
      'debug Job 4711 (kind invoice.mail, attempt 2): done, abandoned.',
    ],
  ],
  outcomeDropped: [[{ job }, 'debug Job 4711 (kind invoice.mail) stopped after its lease was lost.']],
  lost: [
    [
      { job, error: new LeaseLostError('4711', 'another worker has it') },
      'warn The lease of job 4711 is lost: another worker has it (kind invoice.mail, attempt 2)',
    ],
  ],
  renewFailed: [
    [
      { count: 3, error, failures: 1 },
      `warn Could not renew the leases of 3 jobs, trying again: Error: connection lost${STACK}`,
    ],
    [{ count: 3, error, failures: 2 }],
  ],
  renewRecovered: [[{ failures: 7 }, 'log Renews leases again after 7 failures.']],
  transactionUndone: [
    [
      { job, error },
      'warn The transaction of job 4711 (kind invoice.mail, attempt 2) was undone by the database, or could not begin; again: Error: connection lost',
    ],
  ],
  transactionLost: [
    [
      { job },
      'warn Job 4711 (kind invoice.mail, attempt 2): its lease is lost, so its transaction was rolled back.',
    ],
  ],
  giveBackFailed: [
    [
      { jobs, error },
      `error Could not give back 4711, 4712, 4713; others take them when their leases run out: Error: connection lost${STACK}`,
    ],
    [
      { jobs: many, error },
      'error Could not give back j1, j2, j3, j4, j5, j6, j7, j8, j9, j10, j11, j12, j13, j14, j15, j16, j17, j18, j19, j20 and 2 more; ' +
        `others take them when their leases run out: Error: connection lost${STACK}`,
    ],
  ],
  gaveBackUnheld: [[{ count: 2 }, 'log Gave back 2 jobs that were claimed and never heard of.']],
  reclaimed: [
    [
      { ...death, status: 'PENDING' },
      'warn Job 4711 (kind invoice.mail) lost its worker w-1, crash 2: it is ready again.',
    ],
  ],
  convicted: [
    [
      { ...death, status: 'PANIC' },
      'error Job 4711 (kind invoice.mail) lost its worker w-1, crash 2: it ran alone, so it is PANIC and will not run again.',
    ],
  ],
  reclaimFailed: [
    [
      { error, failures: 1 },
      `warn Could not look for jobs of dead workers, trying again: Error: connection lost${STACK}`,
    ],
    [{ error, failures: 2 }],
  ],
  claimFailed: [
    [
      { error, failures: 1, isNews: true },
      `error Could not claim jobs; trying again until it works: Error: connection lost${STACK}`,
    ],
    [{ error, failures: 2, isNews: false }],
  ],
  claimRecovered: [
    [{ failures: 7, isNews: true }, 'log Claims jobs again after 7 failures.'],
    [{ failures: 1, isNews: false }],
  ],
  claimsSlow: [
    [
      { claimMs: 123.4, openMs: 181_400, description: 'pid 12, user "app"' },
      'warn Claims have become slow (123 ms), and a transaction has been open for 181 s (pid 12, user "app"). ' +
        'Until it ends, the database cannot clear away what was settled since, and claims step over all of it. ' +
        'End that transaction, and keep transactions short.',
    ],
  ],
  quarantined: [[{ job }, 'debug Job 4711 (kind invoice.mail) runs alone after 2 crashes.']],
  quarantineFailed: [
    [
      { job, error },
      `warn Job 4711 (kind invoice.mail) may not be marked as set apart from others: Error: connection lost${STACK}`,
    ],
  ],
  abortIgnored: [
    [
      { job },
      'warn The handler of job 4711 (kind invoice.mail, attempt 2) ignores its aborted signal; it keeps its slot until it ends.',
    ],
  ],
  eventLoopBlocked: [
    [
      { blockedMs: 6_543.2, kinds: ['mail', 'report'] },
      'warn The event loop was blocked for 6543 ms, and no lease could be renewed meanwhile. ' +
        'Jobs are run one at a time for a while. Running now: mail, report. ' +
        'Move long computations to a worker thread or a child process, or raise leaseMs.',
    ],
    [
      { blockedMs: 6_543.2, kinds: [] },
      'warn The event loop was blocked for 6543 ms, and no lease could be renewed meanwhile. ' +
        'Jobs are run one at a time for a while. Running now: nothing. ' +
        'Move long computations to a worker thread or a child process, or raise leaseMs.',
    ],
  ],
  workerStarted: [
    [
      { workerId: 'w-1', concurrency: 10, kinds: ['mail', 'report'] },
      'log Worker w-1 started: concurrency 10, kinds mail, report.',
    ],
    [
      { workerId: 'w-1', concurrency: 10, kinds: many.map(({ id }) => id) },
      'log Worker w-1 started: concurrency 10, kinds j1, j2, j3, j4, j5, j6, j7, j8, j9, j10, j11, j12, j13, j14, j15, j16, j17, j18, j19, j20 and 2 more.',
    ],
  ],
  retentionStarted: [
    [
      {
        retention: resolveRetention({
          done: 0,
          panic: false,
          perKind: { 'a\nb': { failed: '36h' }, log: false },
        }),
      },
      'log Settled jobs are deleted: done at once, cancelled after 7d, failed after 90d, panic never; ' +
        'kind a\\nb: done at once, cancelled after 7d, failed after 36h, panic never; ' +
        'kind log: done never, cancelled never, failed never, panic never. ' +
        'The option "retention" says for how long they are kept.',
    ],
  ],
  pruned: [[{ count: 1_234 }, 'debug Deleted 1234 settled jobs.']],
  choreFailed: [
    [{ error, failures: 1 }, `warn Could not look for chores, trying again: Error: connection lost${STACK}`],
    [
      { chore: 'retention', error, failures: 1 },
      `warn Could not do the chore retention, trying again: Error: connection lost${STACK}`,
    ],
    [{ chore: 'retention', error, failures: 2 }],
  ],
  workerIdle: [[{ workerId: 'w-1' }, 'log No handlers, so no worker is started.']],
  workerDisabled: [[{}, 'log worker: false, so this process only enqueues.']],
  workerStopped: [[{ workerId: 'w-1' }, 'log Worker w-1 stopped.']],
  shutdownWaits: [
    [{ jobs: [job], timeoutMs: 20_000 }, 'log Waits up to 20 s for 1 running job: invoice.mail 4711.'],
    [
      { jobs: many, timeoutMs: 500 },
      `log Waits up to 0.5 s for 22 running jobs: ${Array.from({ length: 20 }, (_, n) => `mail j${n + 1}`).join(', ')} and 2 more.`,
    ],
  ],
  shutdownTimedOut: [
    [{ jobs }, 'warn 3 jobs did not finish within shutdownTimeoutMs and are given back: 4711, 4712, 4713.'],
  ],
  schemaLockAwaited: [
    [
      { table: 'nest_jobs' },
      'log Waits for another process, which holds the lock to make or upgrade the table nest_jobs.',
    ],
  ],
  schemaRecognized: [
    [
      { table: 'nest_jobs', version: 1, isMended: true, statement: 'COMMENT …' },
      'warn The table nest_jobs has lost the comment that tells its version. By its columns it is of version 1. The comment has been written again.',
    ],
    [
      { table: 'nest_jobs', version: 1, isMended: false, statement: 'COMMENT …' },
      'warn The table nest_jobs has lost the comment that tells its version. By its columns it is of version 1. This brings the comment back: COMMENT …',
    ],
  ],
  handlersNotProvided: [
    [
      { handlers: ['Mails.send', 'Mails.delete'] },
      'warn No provider of this application brings these methods with @JobHandler, so they are never called: ' +
        'Mails.send, Mails.delete. Add their classes to the providers of a module, and import that module. A factory that ' +
        'makes an instance for each request hides its class; provide the class itself.',
    ],
  ],
  handlersReplaced: [
    [
      { handlers: ['Mails.send'] },
      'warn Another decorator has replaced these methods with @JobHandler, so they are never called: Mails.send. ' +
        'Write @JobHandler above that decorator.',
    ],
  ],
  listenersNotProvided: [
    [
      { listeners: ['Mails.tell', 'Mails.show'] },
      'warn No provider of this application brings these methods with @OnJobEvent, so they hear of nothing: ' +
        'Mails.tell, Mails.show. Add their classes to the providers of a module, and import that module.',
    ],
  ],
  listenersReplaced: [
    [
      { listeners: ['Mails.tell'] },
      'warn Another decorator has replaced these methods with @OnJobEvent, so they hear of nothing: Mails.tell. ' +
        'Write @OnJobEvent above that decorator.',
    ],
  ],
  parametersUndecorated: [
    [
      { handler: 'Mails.send in MailModule', undecorated: [1, 2] },
      'warn Mails.send in MailModule has decorators on some of its parameters, so parameter 2 and parameter 3 will be ' +
        'undefined. Decorate them as well, with @JobPayload(), @JobParam() or @JobCtx(), or none for (job, context).',
    ],
  ],
  transactionNotJoined: [
    [
      { library: 'lib', adapter: 'lib()', subPath: 'jobs/lib' },
      'warn An enqueue inside a transaction of lib is not part of it, because JobsModule does not know that library: ' +
        'the job stays if the transaction rolls back. Set JobsModule.forRoot({ transactions: lib() }), imported from ' +
        "'jobs/lib', or enqueue with { outside: true } if that is meant. Further ones are not logged.",
    ],
  ],
  replicationUnrestored: [
    [
      {},
      'warn The DataSource has "replication", and mysql2 gives a server up for good that has been away for a few seconds: this ' +
        'process would have to be restarted. Set restoreNodeTimeout: 1000 in "replication".',
    ],
  ],
  replicationGivenUp: [
    [
      { error },
      'error mysql2 has given up the server of this DataSource, so nothing works any more in this process: restart it, and set ' +
        `restoreNodeTimeout: 1000 in "replication". Error: connection lost${STACK}`,
    ],
  ],
  databaseUnreachable: [
    [
      { error },
      'warn The application runs without its database: jobs wait, and enqueues are rejected. Trying again until it can be ' +
        `opened: Error: connection lost${STACK}`,
    ],
  ],
  databaseUnsuitable: [
    [
      { error },
      'error Jobs cannot be kept in the database as it is, and it is not opened until that is mended. Looking again until ' +
        `then: Error: connection lost${STACK}`,
    ],
  ],
  databaseAwaited: [
    [
      { ms: 10_000 },
      'warn The application runs without its database: jobs wait, and enqueues are rejected. It has not been opened within ' +
        '10 s, and nothing has failed.',
    ],
  ],
  databaseOpened: [
    [{ failures: 3, ms: 1_500 }, 'log The database is open, after 3 failures in 1.5 s.'],
    [{ failures: 0, ms: 12_000 }, 'log The database is open, after 12 s.'],
  ],
  startFailed: [
    [
      { error },
      'error The database is open, but the worker could not be started, and is not tried again: Error: connection ' +
        `lost${STACK}`,
    ],
  ],
  scheduleSkipped: [
    [
      { schedule: 'nightly', kind: 'report', tick: SINCE, reason: 'overlap', count: 1, inRow: 1 },
      'warn Schedule nightly (kind report) skips its tick 2026-11-26T10:00:00.000Z: its last job has not ended. ' +
        'Further ones are counted and not logged until a tick makes a job again.',
    ],
    [{ schedule: 'nightly', kind: 'report', tick: SINCE, reason: 'overlap', count: 1, inRow: 2 }],
    [
      { schedule: 'nightly', kind: 'report', tick: SINCE, reason: 'missed', count: 1, inRow: 1 },
      'warn Schedule nightly (kind report) has missed 1 tick since 2026-11-26T10:00:00.000Z, for which no job is made.',
    ],
    [
      { schedule: 'nightly', kind: 'report', tick: SINCE, reason: 'missed', count: 9, inRow: 9 },
      'warn Schedule nightly (kind report) has missed 9 ticks since 2026-11-26T10:00:00.000Z, for which no job is made.',
    ],
  ],
  scheduleCancelled: [
    [
      { schedule: 'nightly', kind: 'report', tick: SINCE, job: { id: '4711', isRunning: true } },
      'log Schedule nightly (kind report) cancels its last job 4711 for the next one.',
    ],
  ],
  scheduleFailed: [
    [
      { schedule: 'nightly', kind: 'report', tick: SINCE, error, failures: 1 },
      `error Schedule nightly (kind report) could not make the job of 2026-11-26T10:00:00.000Z; trying again: Error: connection lost${STACK}`,
    ],
    [{ schedule: 'nightly', kind: 'report', tick: SINCE, error, failures: 2 }],
  ],
  schedulingFailed: [
    [
      { error, failures: 1 },
      `warn Could not look for schedules; trying again until it works: Error: connection lost${STACK}`,
    ],
    [{ error, failures: 2 }],
  ],
  schedulingRecovered: [[{ failures: 3 }, 'log Fires schedules again after 3 failures.']],
  schemaUpgraded: [[{ table: 'nest_jobs', version: 2 }, 'log Brought the table nest_jobs to version 2.']],
  notifyFailed: [
    [{ error }, `debug Could not notify of new jobs; polling finds them: Error: connection lost${STACK}`],
  ],
  listenFailed: [
    [
      { error, failures: 1 },
      `warn Listens for new jobs and events no more; polls until it can again: Error: connection lost${STACK}`,
    ],
    [{ error, failures: 2 }],
  ],
  notificationsMissing: [
    [
      {},
      'warn Notifications do not arrive, as behind a pooler in transaction mode; new jobs and events are found by polling.',
    ],
  ],
  listenerFailed: [
    [
      { event: 'settled', error },
      `warn A listener of the event "settled" has thrown; nothing else was affected: Error: connection lost${STACK}`,
    ],
  ],
};

const EVENTS = Object.keys(CASES) as JobsEvent[];

function linesOf(event: JobsEvent, detail: JobsEventMap[JobsEvent]): string[] {
  const logger = new MemoryLogger();
  logger.events.emit(event, detail);
  return logger.lines;
}

describe('the log', () => {
  it.each(EVENTS.flatMap((event) => CASES[event].map((given) => ({ event, given }))))(
    'says of the event $event exactly what it has always said',
    ({ event, given: [detail, ...lines] }) => {
      expect(linesOf(event, detail)).toEqual(lines);
    },
  );

  it.each(Object.entries(LOG_LINES) as [JobsEvent, Partial<Record<LogLevel, unknown>>][])(
    'is checked for the event %s at each of its levels',
    (event, levels) => {
      const said = CASES[event].flatMap(([, ...lines]) => lines.map((line) => line.split(' ', 1)[0]));
      expect([...new Set(said)].toSorted()).toEqual(Object.keys(levels).toSorted());
    },
  );
});

describe('the log, where ids, kinds and errors try to forge it,', () => {
  const EVIL = 'x\n[Nest] 1 - ERROR forged\r\x1b[2K[Nest] forged\u2028forged\u202e\ufeff';
  /** What this package says itself: no user can choose it. */
  const OURS = new Set(['type', 'status', 'event', 'table', 'library', 'adapter', 'subPath']);

  /** The same detail, with every text of it replaced by a hostile one. */
  function hostile(value: unknown): unknown {
    if (typeof value === 'string') return EVIL;
    if (value instanceof Error)
      return Object.assign(new Error(EVIL), { name: EVIL, stack: `${EVIL}\n${EVIL}`, cause: EVIL });
    if (value instanceof Date || typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map(hostile);
    const fields = Object.entries(value);
    return Object.fromEntries(fields.map(([name, field]) => [name, OURS.has(name) ? field : hostile(field)]));
  }

  it.each(EVENTS.filter((event) => CASES[event].some(([, ...lines]) => lines.length > 0)))(
    'begins no line and moves no cursor by the event %s',
    (event) => {
      for (const [detail] of CASES[event])
        for (const entry of linesOf(event, hostile(detail) as JobsEventMap[JobsEvent])) {
          const [first, ...others] = entry.split('\n');
          expect(first).not.toMatch(/^(\w+ )?\[Nest\]/);
          for (const line of others) expect(line).toMatch(/^ +/);
          expect(entry.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u2028\u2029\p{Bidi_Control}]/u);
        }
    },
  );

  it('keeps what was written for those who must find it', () => {
    const forged = claimedJob({ id: 'a\nb', kind: 'c\x1b[31m' });
    expect(linesOf('abortIgnored', { job: forged })).toEqual([
      'warn The handler of job a\\nb (kind c\\u001b[31m, attempt 1) ignores its aborted signal; it keeps its slot until it ends.',
    ]);
  });
});
