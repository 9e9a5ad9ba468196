import type { JobPage, JobRow } from '../../../lib/dashboard/api/job-screens.js';
import type {
  Audit,
  Errors,
  KindRow,
  Overview,
  Problem,
  RatePoint,
  ScheduleRow,
  WorkerRow,
} from '../../../lib/dashboard/api/screens.js';
import { DAY, HOUR, idOf, MINUTE, NOW, noise, SECOND } from './clock.js';
import { makeJobs } from './jobs.js';

/*
 * A million jobs, as the server tells of them: 60 kinds, whose backlogs it counts to 1,000, 300 schedules and 200 groups of
 * errors, of which it sends a page, and 40 workers.
 */
const AREAS = [
  ...['billing', 'crm', 'catalogue', 'search-index', 'warehouse', 'notifications', 'reporting', 'imports'],
  ...['customer-lifecycle', 'fraud'],
];
const TASKS = [
  ...['send', 'sync', 'rebuild.partition', 'export-to-data-warehouse', 'reconcile'],
  'reactivation-campaign.send-reminder-to-inactive-customers',
];

export const LARGE_KINDS: readonly string[] = AREAS.flatMap((area) => TASKS.map((task) => `${area}.${task}`));

const kindOf = (number: number) => LARGE_KINDS[number % LARGE_KINDS.length]!;

/** Jobs of all kinds, with up to ten tags each. */
export function largeJobs(count: number): JobRow[] {
  return makeJobs(count).map((job, index) => ({
    ...job,
    kind: kindOf(index * 7),
    tags: Array.from({ length: (index * 3) % 11 }, (_, n) => tagOf(index * 31 + n)),
    uniqueKey: index % 5 === 0 ? `customer:${8_100_000 + index}:monthly-statement:2026-11` : null,
    attemptsDone: job.attemptsDone * 7,
    maxAttempts: job.maxAttempts === null ? null : 100,
    schedule: index % 13 === 0 ? scheduleName(index) : null,
    lockedBy: job.lockedBy === null ? null : workerName(index % 40),
  }));
}

function tagOf(number: number): string {
  return number % 3 === 0 ? `Customer:${100_000 + number * 17}` : `region-${number % 240}`;
}

/** A page with as much on it as the server sends. */
export function largeJobPage(page: JobPage): JobPage {
  const entries = Array.from({ length: 1_500 }, (_, n) => ({
    sku: `SKU-${n}`,
    amount: n * 3,
    price: '12.90',
  }));
  const text = JSON.stringify({ order: 4711, note: 'x'.repeat(300), entries }, null, 2).slice(0, 64 * 1_024);
  return {
    ...page,
    job: {
      ...page.job,
      payload: { type: 'json', text, truncated: true, size: 1_048_576, redacted: false },
      result: {
        type: 'bytes',
        text: 'ff00'.repeat(2_048),
        truncated: true,
        size: 734_003_200,
        redacted: false,
      },
    },
    attempts: Array.from({ length: 50 }, (_, index) => ({
      attempt: 100 - index,
      worker: workerName(index % 40),
      startedAt: NOW - (index + 1) * 17 * MINUTE,
      endedAt: NOW - (index + 1) * 17 * MINUTE + 90 * SECOND,
      outcome: index === 0 ? 'failed' : 'retry',
      error: page.job.lastError,
      nextAt: index === 0 ? null : NOW - index * 17 * MINUTE,
    })),
    logs: {
      lines: Array.from({ length: 300 }, (_, n) => ({
        attempt: 51 + Math.floor(n / 6),
        line: n + 1,
        at: NOW - (300 - n) * 171 * SECOND,
        level: (['debug', 'info', 'warn', 'error'] as const)[n % 4]!,
        text: `Partition ${n} of 300: ${'rows '.repeat(n % 40)}done.`,
      })),
      lost: 12_345,
    },
  };
}

export function largeOverview(): Overview {
  const kinds = LARGE_KINDS.map(largeKind);
  return {
    now: NOW,
    minutes: largePoints(60, MINUTE, 184_000),
    hours: largePoints(24, HOUR, 11_200_000),
    kinds,
    workers: { live: 40, running: 3_817, concurrency: 4_000, stopping: 3 },
    backlog: {
      ready: { value: kinds.reduce((sum, { ready }) => sum + ready.value, 0), capped: true },
      oldestReadyMs: 3 * DAY + 7 * HOUR,
      scheduled: { value: 1_000, capped: true },
    },
    problems: largeProblems(),
  };
}

function largePoints(count: number, stepMs: number, most: number): RatePoint[] {
  return Array.from({ length: count }, (_, index) => ({
    at: NOW - (count - index) * stepMs,
    counts: {
      done: Math.round(most * (0.6 + 0.3 * Math.sin(index / 5) + 0.1 * noise(index))),
      failed: Math.round(most * 0.02 * noise(index + 3)),
      panicked: index % 9 === 4 ? 3 : 0,
      retried: Math.round(most * 0.05 * noise(index + 1)),
      cancelled: Math.round(most * 0.001 * noise(index + 2)),
    },
  }));
}

export function largeKind(kind: string, index: number): KindRow {
  const isFull = index % 3 === 0;
  const load = 900 * noise(index + 11);
  return {
    kind,
    ready: isFull ? { value: 1_000, capped: true } : { value: Math.round(load), capped: false },
    oldestReadyMs: isFull ? (index + 1) * 79 * MINUTE : Math.round(load * 40),
    scheduled: { value: Math.round(load / 30), capped: true },
    blocked: 0,
    running: Math.round(load / 7),
    failedInDay: isFull ? 104_233 + index : 0,
    perMinute: {
      claimed: load * 23,
      done: load * 22,
      failed: load / 10,
      panicked: 0,
      retried: load,
      cancelled: 0,
    },
    waitMs: { p50: 8 + load * 10, p95: 90 + load * 4_000, p99: 9_000 + load * 9_000 },
    runMs: { p50: 3 + load, p95: 450 + load * 90, p99: 1_000 + load * 400 },
    workers: index % 10 === 9 ? 0 : 40,
    paused:
      index % 12 === 5
        ? {
            kind,
            since: NOW - 12 * DAY,
            until: null,
            reason:
              'The partner has asked us to send nothing until their migration to the new data centre is over.',
            stopsRunning: false,
          }
        : null,
    spark: Array.from({ length: 60 }, (_, minute) =>
      Math.round(load * 22 * (0.5 + noise(minute + index * 61))),
    ),
  };
}

/** As many as the server sends. */
function largeProblems(): Problem[] {
  const noWorker = LARGE_KINDS.filter((_, index) => index % 10 === 9).map((kind): Problem => ({
    ...{ code: 'no-worker', severity: 'error' },
    text: `1,000 or more jobs are ready of the kind ${kind}, and no live worker serves it. Deploy its handler, or look at "kinds" of the workers.`,
    query: new URLSearchParams({ view: 'jobs', kind, state: 'ready' }).toString(),
  }));
  const overdue = Array.from({ length: 60 }, (_, index): Problem => ({
    ...{ code: 'overdue-schedule', severity: 'error' },
    text: `The schedule ${scheduleName(index)} has not made its job, ${index + 3} min ago. Is a worker live that knows it?`,
    query: 'view=schedules',
  }));
  const old = LARGE_KINDS.slice(0, 34).map((kind): Problem => ({
    ...{ code: 'old-backlog', severity: 'warning' },
    text: `The oldest ready job of the kind ${kind} has waited for 79 h. Before that, 95 % of its jobs waited no longer than 12 s.`,
    query: new URLSearchParams({ view: 'jobs', kind, state: 'ready', order: 'oldest' }).toString(),
  }));
  return [...noWorker, ...overdue, ...old];
}

function scheduleName(index: number): string {
  return `${kindOf(index)}.tenant-${1_000 + index}`;
}

/** All 300; the server sends pages of 100. */
export const LARGE_SCHEDULES: readonly ScheduleRow[] = Array.from({ length: 300 }, (_, index) => {
  const isCron = index % 4 !== 0;
  const overdue = index < 60 && index % 5 === 0;
  const nextAt = overdue ? NOW - (index + 3) * MINUTE : NOW + (index + 1) * 7 * MINUTE;
  return {
    name: scheduleName(index),
    kind: kindOf(index),
    cron: isCron ? '*/7 2-5,18-23 1,15 JAN-JUN MON-FRI' : null,
    timeZone: isCron ? 'America/Argentina/ComodRivadavia' : null,
    everyMs: isCron ? null : 90 * SECOND * (index + 1),
    declared: index % 2 === 0,
    enabled: index % 9 !== 8,
    nextAt: index % 9 === 8 ? null : nextAt,
    ticks: [0, 1, 2, 3, 4].map((n) => nextAt + n * DAY),
    lastTick: NOW - index * HOUR,
    lastJobId: idOf(index),
    paused:
      index % 7 === 3
        ? {
            since: NOW - index * DAY,
            reason: 'Tenant is being moved to another shard; ask the platform team.',
          }
        : null,
    overdue,
    skipped: index * 1_234,
  };
});

function workerName(index: number): string {
  return `jobs-worker-europe-west-${index}@jobs-worker-deployment-7d9c6b5f4d-x2x${index}`;
}

export const LARGE_WORKERS: readonly WorkerRow[] = Array.from({ length: 40 }, (_, index) => ({
  name: workerName(index),
  host: `jobs-worker-deployment-7d9c6b5f4d-x2x${index}.europe-west.compute.internal`,
  pid: 4_194_000 + index,
  kinds: index % 2 === 0 ? LARGE_KINDS : LARGE_KINDS.slice(index % 20, (index % 20) + 6),
  concurrency: 100,
  running: [100, 97, 0][index % 3]!,
  runningKinds: { [kindOf(index)]: 61, [kindOf(index + 1)]: 36 },
  startedAt: NOW - (index + 1) * 9 * DAY,
  seenAt: NOW - (index % 5) * SECOND,
  stopping: index % 13 === 12,
  eventLoopDelayMs: index % 11 === 7 ? 48_400 : 9 + index,
  rssBytes: (1.4 + index / 30) * 2 ** 30,
  release: '0.1.0',
  tzData: index === 0 ? null : '2026c',
}));

export function largeErrors(): Errors {
  return {
    now: NOW,
    searched: 10_000,
    next: idOf(1),
    groups: Array.from({ length: 200 }, (_, index) => ({
      fingerprint: (0x1000 + index).toString(16).repeat(4),
      title: [
        'QueryFailedError: duplicate key value violates unique constraint "…" while the statement of tenant … was replayed by the importer',
        `HttpError: ${'https://api.partner.example.com/v…/accounts/…/invoices/…/lines?expand=taxes,discounts,shipping&page=… '.repeat(2).trim()}`,
        'Error: …',
        'No error was stored',
      ][index % 4]!,
      frame:
        index % 4 === 3
          ? null
          : 'ReconcileStatementsOfPartnerAccountsService.reconcileOne (accounts/reconcile.service.js)',
      kinds: LARGE_KINDS.slice(index % 20, (index % 20) + 1 + (index % 7)),
      count: Math.max(1, Math.round(4_900 / (index + 1))),
      firstAt: NOW - (index + 2) * 12 * DAY,
      lastAt: NOW - index * 3 * MINUTE,
      jobIds: [idOf(25)],
    })),
  };
}

export function largeAudit(): Audit {
  const whos = ['grace.hopper-of-the-night-shift@operations.example.com', 'system', 'ada@example.com'];
  return {
    now: NOW,
    next: '4711',
    entries: Array.from({ length: 100 }, (_, index) => ({
      at: NOW - index * 71 * MINUTE,
      who: whos[index % 3]!,
      action: ['delete', 'retry-group', 'resume-schedule'][index % 3]!,
      target: [
        `jobs with state=failed&kind=${kindOf(index)}&createdAfter=1764230400000&payload=${encodeURIComponent('order.id=4711')}`,
        `jobs of the kinds ${LARGE_KINDS.slice(0, 9).join(', ')} with the error 1f2e3d4c5b6a7980`,
        `schedule ${scheduleName(index)}`,
      ][index % 3]!,
      changed: index % 8 === 7 ? null : 184_233 - index,
      problem: index % 8 === 7 ? 'The application ended; what was done until then stays.' : null,
    })),
  };
}
