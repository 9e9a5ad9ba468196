import type { JobPage, JobRow, Shown } from '../../../lib/dashboard/api/job-screens.js';
import type { StateName } from '../../../lib/dashboard/api/screens.js';
import { HOUR, idOf, MINUTE, NOW, noise, SECOND } from './clock.js';

export const KINDS = [
  'mail.send',
  'invoice.create',
  'report.nightly',
  'import.customers',
  'thumbnail.render',
  'webhook.deliver',
] as const;

/** A kind whose name would look like another one. */
export const HOSTILE_KIND = 'billing.\u202Eexe\u0007';

const STATES: readonly StateName[] = [
  ...(['ready', 'running', 'failed', 'done', 'failed', 'retrying', 'scheduled', 'panic'] as const),
  ...(['done', 'failed', 'cancelled', 'done', 'running', 'stopping', 'done', 'failed'] as const),
];

const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';

const ERRORS = [
  'SmtpError: 451 4.7.1 Greylisted, please try again later (attempt from 10.0.3.17)',
  'FetchError: request to https://hooks.example.com/v2/orders failed, reason: connect ECONNREFUSED 10.1.4.9:443',
  'InvoiceError: The order 4711 has no billing address.',
  "TypeError: Cannot read properties of undefined (reading 'street')",
];

const STACK = [
  '    at deliver (/srv/app/dist/webhooks/deliver.js:42:11)',
  '    at process.processTicksAndRejections (node:internal/process/task_queues:105:5)',
  '    at async WebhookJobs.deliver (/srv/app/dist/webhooks/webhook.jobs.js:18:5)',
].join('\n');

/** So many jobs, the newest first. */
export function makeJobs(count: number): JobRow[] {
  return Array.from({ length: count }, (_, index) => makeJob(count - index));
}

function makeJob(number: number): JobRow {
  const state = STATES[number % STATES.length]!;
  const createdAt = NOW - (41 - Math.min(number, 40)) * 97 * SECOND - (number > 40 ? 0 : 20 * MINUTE);
  const isBad = state === 'failed' || state === 'panic' || state === 'retrying';
  const isHeld = state === 'running' || state === 'stopping';
  const attemptsDone = isBad ? 1 + (number % 5) : state === 'done' ? 1 : 0;
  const kind = number === 7 ? HOSTILE_KIND : KINDS[number % KINDS.length]!;
  return {
    id: idOf(number),
    kind,
    state,
    status:
      state === 'done' ? 'DONE' : state === 'failed' ? 'FAILED' : state === 'panic' ? 'PANIC' : 'PENDING',
    createdAt,
    runAt: state === 'scheduled' ? NOW + 3 * HOUR : state === 'retrying' ? NOW + 4 * MINUTE : createdAt,
    updatedAt: isHeld ? NOW - 20 * SECOND : createdAt + 40 * SECOND,
    lastAttemptAt: attemptsDone > 0 || isHeld ? createdAt + 30 * SECOND : null,
    attemptsDone,
    maxAttempts: number % 4 === 0 ? null : 5,
    crashes: state === 'panic' ? 1 : 0,
    priority: number % 9 === 0 ? -1 : 0,
    tags: number % 3 === 0 ? ['Order:4711', 'checkout'] : [],
    uniqueKey: number % 5 === 0 ? 'customer:81' : null,
    schedule: kind === 'report.nightly' ? 'report.nightly' : null,
    lockedBy: isHeld ? 'worker-7f2c@app-7d9c6b5f4d-x2x7k' : null,
    error: isBad ? ERRORS[number % ERRORS.length]! : null,
    progress: isHeld ? (number % 2 === 0 ? 0.42 : { page: 3, of: 7 }) : null,
  };
}

/** The page of a job with all that may be on it. */
export function jobPage(job: JobRow, older: string | null, newer: string | null): JobPage {
  const lastError = job.error === null ? null : `${job.error}\n${STACK}`;
  return {
    now: NOW,
    job: {
      ...job,
      tick: job.schedule === null ? null : NOW - 6 * HOUR,
      cancelReason: job.state === 'cancelled' || job.state === 'stopping' ? 'The order was cancelled.' : null,
      lockedUntil: job.lockedBy === null ? null : NOW + 25 * SECOND,
      payloadVersion: 2,
      backoff: null,
      lastError,
      payload: PAYLOAD,
      result: job.state === 'done' ? json({ messageId: '<0102@mail.example.com>', accepted: 1 }) : NONE,
      carried: json({
        traceparent: `00-${TRACE_ID}-00f067aa0ba902b7-01`,
        tenant: 'acme',
      }),
      traceId: TRACE_ID,
      traceUrl: `https://tempo.example/trace/${TRACE_ID}`,
    },
    attempts: attemptsOf(job, lastError),
    logs: { lines: LOG, lost: 120 },
    explain: [explanationOf(job)],
    neighbours: { older, newer },
  };
}

function attemptsOf(job: JobRow, lastError: string | null): JobPage['attempts'] {
  if (lastError === null) return [];
  return Array.from({ length: job.attemptsDone }, (_, index) => {
    const attempt = index + 1;
    const isLast = attempt === job.attemptsDone;
    const startedAt = job.createdAt + attempt * 7 * SECOND;
    const outcome = isLast && job.state !== 'retrying' ? (job.state as string) : 'retry';
    return {
      attempt,
      worker: 'worker-7f2c@app-7d9c6b5f4d-x2x7k',
      startedAt,
      endedAt: startedAt + 350 + 900 * noise(attempt),
      outcome,
      error: lastError,
      nextAt: outcome === 'retry' ? startedAt + 7 * SECOND : null,
    };
  }).reverse();
}

function explanationOf(job: JobRow): JobPage['explain'][number] {
  switch (job.state) {
    case 'failed':
    case 'panic':
      return {
        code: 'settled',
        text: `It ended as ${job.status} at ${new Date(job.updatedAt).toISOString()}: ${job.error ?? ''}`,
      };
    case 'running':
      return {
        code: 'running',
        text: 'worker-7f2c@app-7d9c6b5f4d-x2x7k runs its attempt 1. Its lease ends in 25 s, unless it is renewed.',
      };
    default:
      return {
        code: 'behind',
        text: 'Nothing holds it back. 14 jobs of its kind are ready; its workers run 3 of 20.',
      };
  }
}

const PAYLOAD_TEXT = {
  to: '[redacted]',
  template: 'order-confirmed',
  order: { id: 4711, total: '129.90', currency: 'EUR' },
};
const PAYLOAD: Shown = { ...json(PAYLOAD_TEXT), redacted: true };
export const REVEALED: Shown = json({
  ...PAYLOAD_TEXT,
  to: 'grace@example.com',
  note: '\u202Egnirts <script>alert(1)</script>',
});
const NONE: Shown = { type: 'none', text: '', truncated: false, size: 0, redacted: false };

function json(value: unknown): Shown {
  const text = JSON.stringify(value, null, 2);
  return { type: 'json', text, truncated: false, size: JSON.stringify(value).length, redacted: false };
}

const LOG: JobPage['logs']['lines'] = [
  {
    attempt: 1,
    line: 1,
    at: NOW - 3 * MINUTE,
    level: 'info',
    text: 'Rendering order-confirmed for 1 recipient.',
  },
  {
    attempt: 1,
    line: 2,
    at: NOW - 3 * MINUTE + 200,
    level: 'warn',
    text: 'The logo is 2.3 MB; it is scaled down.',
  },
  { attempt: 1, line: 3, at: NOW - 3 * MINUTE + 900, level: 'error', text: '451 4.7.1 Greylisted' },
  { attempt: 2, line: 1, at: NOW - MINUTE, level: 'debug', text: 'Connected to mx1.example.com.' },
];
