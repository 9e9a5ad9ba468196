import { causeOf, type Cause } from './causes.js';
import type { Fault, JobRow, Violation, WorkerRecord } from './records.js';
import { isTerminal, type Timelines } from './timeline.js';

/** A run in numbers. */
export interface Figures {
  readonly engine: string;
  readonly seed: string;
  readonly jobs: number;
  /** How many of them each schedule has made. */
  readonly bySchedule: Readonly<Record<string, number>>;
  readonly acknowledged: number;
  readonly unknownCalls: number;
  /** What calls that cancel, retry or update jobs were answered. */
  readonly controls: Readonly<Record<string, number>>;
  /** How many pauses all workers obeyed, and for how long they lasted, in seconds. */
  readonly pauses: { readonly count: number; readonly seconds: number };
  readonly lost: number;
  readonly phantom: number;
  readonly byStatus: Readonly<Record<string, number>>;
  /** Attempts that started and lost their lease, per 100,000 jobs, by cause. */
  readonly duplicatesPer100k: Readonly<Record<string, number>>;
  /** Jobs that ended as PANIC because their workers died: all of them, and the innocent ones by cause. */
  readonly convicted: Readonly<Record<string, number>>;
  readonly refusedSettles: number;
  readonly settleRetries: number;
  readonly failedClaims: number;
  readonly failedRenewals: number;
  readonly deadlocks: number;
  readonly processesEnded: number;
  readonly faults: Readonly<Record<string, number>>;
  /** From the last heartbeat of a lost worker until its job was ready again, counted while some worker was up. */
  readonly recoveryMs: {
    readonly p50: number;
    readonly p99: number;
    readonly max: number;
    readonly bound: number;
  };
  /** Jobs that ended per second, before, during and after the faults. */
  readonly throughput: { readonly before: number; readonly during: number; readonly after: number };
  readonly claimP99Ms: number;
  readonly drainS: number | null;
  readonly wallS: number;
  readonly violations: Readonly<Record<string, number>>;
}

export function figuresOf(
  times: Timelines,
  violations: readonly Violation[],
  run: { readonly engine: string; readonly seed: string },
): Figures {
  const { history } = times;
  const { rows, settings, startedAt, healedAt, drainedAt, endedAt, faults } = history;
  const ofType = <T extends WorkerRecord['type']>(type: T) =>
    history.workers.filter((record): record is WorkerRecord & { type: T } => record.type === type);
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const ids = new Set(rows.map(({ id }) => id));
  const claims = ofType('claim').map(({ ms }) => ms);
  return {
    engine: run.engine,
    seed: run.seed,
    jobs: rows.length,
    bySchedule: countBy(rows.filter(isOfSchedule), ({ schedule }) => schedule),
    acknowledged: times.acknowledged.size,
    unknownCalls: times.calls.filter(({ answer }) => answer === undefined || answer.how === 'unknown').length,
    controls: countBy(history.controls, ({ how }) => how),
    pauses: {
      count: history.pauses.length,
      seconds: round(sum(history.pauses.map(({ from, until }) => (until - from) / 1000))),
    },
    lost: [...times.acknowledged].filter((id) => !ids.has(id)).length,
    phantom: [...times.jobs.values()].filter(({ plan }) => plan === undefined).length,
    byStatus: countBy(rows, ({ status }) => status),
    duplicatesPer100k: duplicates(times),
    convicted: convicted(times),
    refusedSettles: sum(ofType('settled').map(({ lost }) => lost)),
    settleRetries:
      sum(ofType('settled').map(({ busy }) => busy)) + sum(ofType('settle failed').map(({ count }) => count)),
    failedClaims: ofType('claim failed').length,
    failedRenewals: ofType('renew failed').length,
    deadlocks: history.deadlocks,
    processesEnded: history.processes.filter(({ exitedAt }) => exitedAt !== undefined && exitedAt < endedAt)
      .length,
    faults: countBy(faults, ({ kind }) => kind),
    recoveryMs: { ...recovery(times), bound: settings.leaseMs + settings.reclaimMs },
    throughput: throughput(times, faults),
    claimP99Ms: round(quantile(claims, 0.99)),
    drainS: drainedAt === undefined ? null : round((drainedAt - healedAt) / 1000),
    wallS: round((endedAt - startedAt) / 1000),
    violations: countBy(violations, ({ invariant }) => invariant),
  };
}

/** Formats the figures for people. */
export function tableOf(figures: Figures): string {
  const lines = Object.entries(figures).map(([name, value]) => [name, asText(value)] as const);
  return lines.map(([name, value]) => `  ${name.padEnd(18)} ${value}`).join('\n');
}

function asText(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const entries = Object.entries(value).map(([name, one]) => `${name} ${String(one)}`);
  return entries.length === 0 ? 'none' : entries.join(', ');
}

function duplicates(times: Timelines): Record<string, number> {
  const counts = new Map<Cause, number>();
  for (const job of times.jobs.values()) {
    const started = new Set(job.starts.map(({ token }) => token));
    for (const lease of job.leases) {
      // A handler that never started is no attempt, although the crash is counted.
      if (lease.end?.how !== 'reclaimed' || !started.has(lease.token)) continue;
      const cause = causeOf(job, lease, times);
      counts.set(cause, (counts.get(cause) ?? 0) + 1);
    }
  }
  const per100k = 100_000 / Math.max(1, times.history.rows.length);
  return Object.fromEntries([...counts].map(([cause, count]) => [cause, Math.round(count * per100k)]));
}

/** How many jobs were convicted. Innocent ones, which neither block nor end their process, are also counted by cause. */
function convicted(times: Timelines): Record<string, number> {
  const all = [...times.jobs.values()].filter(
    ({ leases, row }) => row?.status === 'PANIC' && leases.at(-1)?.end?.how === 'reclaimed',
  );
  const others = all.filter(({ plan }) => plan?.kind !== 'exiting' && plan?.kind !== 'blocking');
  const causes = countBy(others, (job) => `of these innocent: ${causeOf(job, job.leases.at(-1)!, times)}`);
  return { all: all.length, ...causes };
}

/** After these, only a reclaim is needed. After the other causes, the database or the link must recover first. */
const ENDS_OF_WORKERS: readonly Cause[] = [
  'worker killed by the nemesis',
  'worker ended by a job',
  'worker frozen',
  'event loop blocked',
];

function recovery(times: Timelines): { p50: number; p99: number; max: number } {
  const { settings } = times.history;
  const delays: number[] = [];
  for (const job of times.jobs.values()) {
    for (const lease of job.leases) {
      if (lease.end?.how !== 'reclaimed' || !ENDS_OF_WORKERS.includes(causeOf(job, lease, times))) continue;
      // No lease is reclaimed while every worker is down, so that time does not count.
      delays.push(settings.leaseMs + times.ableMs(lease.until, lease.end.at));
    }
  }
  return {
    p50: round(quantile(delays, 0.5)),
    p99: round(quantile(delays, 0.99)),
    max: round(quantile(delays, 1)),
  };
}

function throughput({ history, jobs }: Timelines, faults: readonly Fault[]): Figures['throughput'] {
  const ends: number[] = [];
  for (const { audit } of jobs.values()) {
    const last = audit.at(-1);
    if (last !== undefined && isTerminal(last.after)) ends.push(last.at);
  }
  const firstEnd = ends.reduce((least, at) => Math.min(least, at), Infinity);
  const firstFault = faults.find(({ kind }) => kind !== 'slow database')?.from ?? history.healedAt;
  const perSecond = (from: number, until: number) =>
    round(ends.filter((at) => at >= from && at < until).length / Math.max(0.001, (until - from) / 1000));
  return {
    before: perSecond(firstEnd, firstFault),
    during: perSecond(firstFault, history.healedAt),
    after: perSecond(history.healedAt, history.drainedAt ?? history.endedAt),
  };
}

function countBy<T>(values: readonly T[], keyOf: (value: T) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[keyOf(value)] = (counts[keyOf(value)] ?? 0) + 1;
  return counts;
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function isOfSchedule(row: JobRow): row is JobRow & { readonly schedule: string } {
  return row.schedule !== undefined;
}
