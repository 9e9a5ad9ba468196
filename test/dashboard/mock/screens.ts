import type {
  Audit,
  Errors,
  Form,
  KindRow,
  Kinds,
  Overview,
  RatePoint,
  Schedules,
  ScheduleRow,
  Workers,
} from '../../../lib/dashboard/api/screens.js';
import { DAY, HOUR, idOf, MINUTE, NOW, noise, SECOND } from './clock.js';
import { HOSTILE_KIND, KINDS } from './jobs.js';
import {
  LARGE_KINDS,
  LARGE_SCHEDULES,
  LARGE_WORKERS,
  largeAudit,
  largeErrors,
  largeKind,
  largeOverview,
} from './large.js';

/** What the other screens show. */
export function makeScreens(world: 'empty' | 'jobs' | 'large') {
  if (world === 'large') return LARGE;
  const isEmpty = world === 'empty';
  return {
    overview: overview(isEmpty),
    kinds: kinds(isEmpty),
    schedules: schedules(isEmpty),
    workers: workers(isEmpty),
    errors: errors(isEmpty),
    audit: audit(isEmpty),
    form: form(isEmpty),
  };
}

const LARGE = {
  overview: largeOverview(),
  kinds: { now: NOW, kinds: LARGE_KINDS.map(largeKind), allPaused: null } satisfies Kinds,
  schedules: {
    now: NOW,
    schedules: LARGE_SCHEDULES.slice(0, 100),
    next: LARGE_SCHEDULES[99]!.name,
  } satisfies Schedules,
  workers: { now: NOW, workers: LARGE_WORKERS } satisfies Workers,
  errors: largeErrors(),
  audit: largeAudit(),
  form: { kinds: LARGE_KINDS, schema: null } satisfies Form,
};

const none = { value: 0, capped: false };

function overview(isEmpty: boolean): Overview {
  return {
    now: NOW,
    minutes: points(60, MINUTE, isEmpty ? 0 : 90),
    hours: points(24, HOUR, isEmpty ? 0 : 4_800),
    kinds: kinds(isEmpty).kinds,
    workers: isEmpty
      ? { live: 0, running: 0, concurrency: 0, stopping: 0 }
      : { live: 3, running: 17, concurrency: 60, stopping: 1 },
    backlog: isEmpty
      ? { ready: none, oldestReadyMs: null, scheduled: none }
      : {
          ready: { value: 1_284, capped: false },
          oldestReadyMs: 95 * SECOND,
          scheduled: { value: 10_000, capped: true },
        },
    problems: isEmpty ? [] : PROBLEMS,
  };
}

const PROBLEMS: Overview['problems'] = [
  {
    code: 'no-worker',
    severity: 'error',
    text: '42 jobs of the kind import.customers are ready, and no live worker serves it.',
    query: 'view=jobs&kind=import.customers&state=ready',
  },
  {
    code: 'overdue-schedule',
    severity: 'warning',
    text: 'The schedule report.nightly is overdue by 12 minutes.',
    query: 'view=schedules',
  },
  {
    code: 'panics',
    severity: 'error',
    text: `3 jobs of the kind ${HOSTILE_KIND} have panicked in the last hour.`,
    query: 'view=jobs&state=panic',
  },
];

function points(count: number, stepMs: number, most: number): RatePoint[] {
  return Array.from({ length: count }, (_, index) => {
    const wave = 0.45 + 0.35 * Math.sin(index / 6) + 0.2 * noise(index);
    return {
      at: NOW - (count - index) * stepMs,
      counts: {
        done: Math.round(most * wave * 0.86),
        failed: Math.round(most * 0.05 * noise(index + 7)),
        panicked: most > 0 && index % 17 === 3 ? 1 : 0,
        retried: Math.round(most * 0.08 * noise(index + 3)),
        cancelled: most > 0 && index % 11 === 0 ? 2 : 0,
      },
    };
  });
}

function kinds(isEmpty: boolean): Kinds {
  if (isEmpty) return { now: NOW, kinds: [], allPaused: null };
  const names = [
    ...KINDS,
    HOSTILE_KIND,
    'customer.lifecycle.reactivation-campaign.send-reminder-to-inactive-customers',
  ];
  return { now: NOW, kinds: names.map(kindRow), allPaused: null };
}

function kindRow(kind: string, index: number): KindRow {
  const isBusy = index !== 3;
  return {
    kind,
    ready:
      index === 0
        ? { value: 10_000, capped: true }
        : { value: [0, 14, 0, 42, 310, 0, 0, 3][index]!, capped: false },
    oldestReadyMs: [95 * SECOND, 4_200, null, 47 * MINUTE, 900, null, null, 12 * SECOND][index]!,
    scheduled: { value: index * 31, capped: false },
    blocked: 0,
    running: isBusy ? (index * 3) % 8 : 0,
    failedInDay: [128, 3, 0, 0, 12, 57, 1, 0][index]!,
    perMinute: {
      claimed: 14.2 / (index + 1),
      done: 12 / (index + 1),
      failed: 0.4,
      panicked: 0,
      retried: 1,
      cancelled: 0,
    },
    waitMs: index === 6 ? null : { p50: 12 * (index + 1), p95: 480 * (index + 1), p99: 2_400 },
    runMs: index === 6 ? null : { p50: 85 * (index + 1), p95: 1_850 * (index + 1), p99: 9_000 },
    workers: isBusy ? 3 : 0,
    paused:
      index === 5
        ? {
            kind,
            since: NOW - 2 * HOUR,
            until: NOW + HOUR,
            reason: 'The endpoint of the partner is down.',
            stopsRunning: false,
          }
        : null,
    spark: Array.from({ length: 60 }, (_, minute) =>
      Math.round(isBusy ? 20 * noise(minute + index * 61) : 0),
    ),
  };
}

function schedules(isEmpty: boolean): Schedules {
  return { now: NOW, next: null, schedules: isEmpty ? [] : SCHEDULES };
}

const SCHEDULES: readonly ScheduleRow[] = [
  schedule('report.nightly', '0 3 * * *', Date.UTC(2026, 10, 27, 2), {
    overdue: true,
    timeZone: 'Europe/Berlin',
  }),
  schedule('sync.stripe', null, NOW + 24 * SECOND, { everyMs: MINUTE }),
  schedule('invoices.monthly', '30 6 1 * *', Date.UTC(2026, 11, 1, 11, 30), { timeZone: 'America/New_York' }),
  schedule('newsletter', '0 9 * * MON-FRI', Date.UTC(2026, 10, 27, 9), {
    paused: { since: NOW - 2 * DAY, reason: 'Until the new template is approved' },
  }),
  schedule('cleanup.uploads', '*/15 * * * *', Date.UTC(2026, 10, 27, 8, 45), { enabled: false, skipped: 3 }),
];

function schedule(
  name: string,
  cron: string | null,
  nextAt: number,
  more: Partial<ScheduleRow>,
): ScheduleRow {
  return {
    name,
    kind: name === 'sync.stripe' ? 'sync' : name,
    cron,
    timeZone: cron === null ? null : 'UTC',
    everyMs: null,
    declared: name !== 'newsletter',
    enabled: true,
    nextAt,
    ticks: [0, 1, 2, 3, 4].map((days) => nextAt + days * DAY),
    lastTick: name === 'invoices.monthly' ? null : NOW - 5 * HOUR,
    lastJobId: name === 'invoices.monthly' ? null : idOf(8),
    paused: null,
    overdue: false,
    skipped: 0,
    ...more,
  };
}

const RUNNING: readonly Readonly<Record<string, number>>[] = [
  { 'mail.send': 9, 'thumbnail.render': 2 },
  { 'mail.send': 5, 'webhook.deliver': 1 },
  {},
];

function workers(isEmpty: boolean): Workers {
  if (isEmpty) return { now: NOW, workers: [] };
  return {
    now: NOW,
    workers: [0, 1, 2].map((index) => ({
      name: `worker-${['7f2c', 'a81e', '03bd'][index]!}@app-7d9c6b5f4d-x2x7k`,
      host: `app-7d9c6b5f4d-x2x7${index}`,
      pid: 17 + index,
      kinds: KINDS.filter((_, kind) => kind !== 3),
      concurrency: 20,
      running: [11, 6, 0][index]!,
      runningKinds: RUNNING[index]!,
      startedAt: NOW - (index + 1) * 11 * HOUR,
      seenAt: NOW - 3 * SECOND,
      stopping: index === 2,
      eventLoopDelayMs: [12, 1_840, 9][index]!,
      rssBytes: (180 + index * 44) * 2 ** 20,
      release: '0.1.0',
      tzData: '2026c',
    })),
  };
}

function errors(isEmpty: boolean): Errors {
  if (isEmpty) return { now: NOW, groups: [], searched: 0, next: null };
  const group = (
    index: number,
    title: string,
    frame: string | null,
    kinds: readonly string[],
    count: number,
  ) => ({
    fingerprint: `${index}`.repeat(16),
    title,
    frame,
    kinds,
    count,
    firstAt: NOW - (index + 1) * DAY,
    lastAt: NOW - index * 7 * MINUTE,
    jobIds: [idOf(25), idOf(15)],
  });
  return {
    now: NOW,
    searched: 201,
    next: null,
    groups: [
      group(
        1,
        'SmtpError: # # Greylisted, please try again later (attempt from #)',
        'deliver (dist/mail/smtp.js:42:11)',
        ['mail.send'],
        128,
      ),
      group(
        2,
        'FetchError: request to https://hooks.example.com/v2/orders failed, reason: connect ECONNREFUSED #',
        'WebhookJobs.deliver (dist/webhooks/webhook.jobs.js:18:5)',
        ['webhook.deliver', 'invoice.create'],
        57,
      ),
      group(
        3,
        "TypeError: Cannot read properties of undefined (reading 'street')",
        null,
        ['invoice.create'],
        3,
      ),
    ],
  };
}

function audit(isEmpty: boolean): Audit {
  if (isEmpty) return { now: NOW, entries: [], next: null };
  return {
    now: NOW,
    next: '17',
    entries: [
      {
        at: NOW - 2 * MINUTE,
        who: 'grace@example.com',
        action: 'retry',
        target: 'jobs with kind=mail.send&state=failed',
        changed: 126,
        problem: null,
      },
      {
        at: NOW - 40 * MINUTE,
        who: 'linus@example.com',
        action: 'reveal',
        target: `job ${idOf(25)}`,
        changed: 1,
        problem: null,
      },
      {
        at: NOW - 3 * HOUR,
        who: 'grace@example.com',
        action: 'pause',
        target: 'kind webhook.deliver',
        changed: 1,
        problem: null,
      },
      {
        at: NOW - DAY,
        who: 'system',
        action: 'delete',
        target: 'jobs with state=done',
        changed: null,
        problem: 'The database did not answer within 5 s.',
      },
    ],
  };
}

function form(isEmpty: boolean): Form {
  return { kinds: isEmpty ? [] : [...KINDS], schema: null };
}

/** As zod describes a payload. */
export const MAIL_SCHEMA = {
  type: 'object',
  required: ['to', 'template', 'order'],
  properties: {
    to: { type: 'string', format: 'email', description: 'Who gets it.' },
    template: { enum: ['order-confirmed', 'order-shipped'] },
    order: {
      type: 'object',
      required: ['id'],
      properties: { id: { type: 'integer' }, gift: { type: 'boolean' } },
    },
    attachments: { type: 'array', items: { type: 'string' } },
  },
};
