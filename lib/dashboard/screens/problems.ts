import type { LiveWorker } from '../../client/live-worker.js';
import type { KindStats } from '../../client/kind-stats.js';
import { Histogram } from '../../job/histogram.js';
import type { HistoryLook, KindCounts, StoredCounts } from '../../queue/kind-counts.js';
import type { StoredPause } from '../../queue/kind-store.js';
import type { Schedule } from '../../schedules/schedule.js';
import type { Problem } from '../api/screens.js';
import { isOfAll } from './kinds-screen.js';

const MINUTE_MS = 60_000;
/** An oldest job is not worth a word before it has waited for so long. */
const OLD_MS = MINUTE_MS;
/** How many times as long as usual it has waited then. */
const OLD_TIMES = 10;
/** Where nothing is known of what is usual. */
const OLD_ANYWAY_MS = 10 * MINUTE_MS;
const BLOCKED_MS = 1_000;
/** How many problems a page lists. */
const MOST = 100;

/** What problems are found in. */
export interface ProblemFacts {
  readonly stats: readonly KindStats[];
  readonly history: HistoryLook;
  readonly workers: readonly LiveWorker[];
  readonly pauses: readonly StoredPause[];
  readonly overdue: readonly Pick<Schedule, 'name' | 'nextAt'>[];
  /** The counts of the last hour of kinds whose oldest job has waited for long; see `oldKinds`. */
  readonly hour: readonly StoredCounts[];
}

/** What somebody should look at, the worst first. */
export function problemsOf(facts: ProblemFacts): Problem[] {
  const all = [
    ...facts.stats.flatMap(withoutWorker),
    ...panics(facts.history),
    ...facts.overdue.map((schedule) => overdueSchedule(schedule, facts.history.now)),
    ...facts.stats.flatMap((stats) => oldBacklog(stats, facts)),
    ...facts.workers.filter(({ eventLoopDelayMs }) => eventLoopDelayMs > BLOCKED_MS).map(blockedLoop),
    ...facts.pauses.map(paused),
  ];
  const rank = ({ severity }: Problem) => (severity === 'error' ? 0 : 1);
  return all.toSorted((one, other) => rank(one) - rank(other)).slice(0, MOST);
}

/** The kinds whose usual wait matters. */
export function oldKinds(stats: readonly KindStats[]): string[] {
  return stats.filter((one) => one.workers > 0 && isOld(one)).map(({ kind }) => kind);
}

function isOld({ oldestReadyMs, paused }: KindStats): boolean {
  return paused === null && oldestReadyMs !== null && oldestReadyMs > OLD_MS;
}

function withoutWorker({ kind, ready, workers }: KindStats): Problem[] {
  if (workers > 0 || ready.value === 0) return [];
  const count = `${shownCount(ready)} ${ready.value === 1 ? 'job is' : 'jobs are'} ready`;
  return [
    {
      ...{ code: 'no-worker', severity: 'error' },
      text: `${count} of the kind ${kind}, and no live worker serves it. Deploy its handler, or look at "kinds" of the workers.`,
      query: queryOf({ view: 'jobs', kind, state: 'ready' }),
    },
  ];
}

function panics({ counts }: HistoryLook): Problem[] {
  const ofKind = new Map<string, number>();
  for (const { kind, span, panicked } of counts)
    if (span === 1 && panicked > 0) ofKind.set(kind, (ofKind.get(kind) ?? 0) + panicked);
  return [...ofKind].map(([kind, count]) => ({
    ...{ code: 'panics', severity: 'error' },
    text: `${count} ${count === 1 ? 'job' : 'jobs'} of the kind ${kind} panicked in the last hour.`,
    query: queryOf({ view: 'jobs', kind, state: 'panic' }),
  }));
}

function overdueSchedule({ name, nextAt }: Pick<Schedule, 'name' | 'nextAt'>, now: number): Problem {
  const late = nextAt === null ? '' : `, ${inWords(now - nextAt.getTime())} ago`;
  return {
    ...{ code: 'overdue-schedule', severity: 'error' },
    text: `The schedule ${name} has not made its job${late}. Is a worker live that knows it?`,
    query: queryOf({ view: 'schedules' }),
  };
}

function oldBacklog(stats: KindStats, { hour, history }: ProblemFacts): Problem[] {
  const { kind, oldestReadyMs, workers } = stats;
  if (workers === 0 || !isOld(stats)) return [];
  const begunAt = history.now - oldestReadyMs!;
  const usualMs = usualWait(hour.filter((row) => row.kind === kind && row.minute < begunAt));
  const isUsual = oldestReadyMs! <= (usualMs === null ? OLD_ANYWAY_MS : usualMs * OLD_TIMES);
  if (isUsual) return [];
  const usual =
    usualMs === null ? '' : ` Before that, 95 % of its jobs waited no longer than ${inWords(usualMs)}.`;
  return [
    {
      ...{ code: 'old-backlog', severity: 'warning' },
      text: `The oldest ready job of the kind ${kind} has waited for ${inWords(oldestReadyMs!)}.${usual}`,
      query: queryOf({ view: 'jobs', kind, state: 'ready', order: 'oldest' }),
    },
  ];
}

/** The p95 of the minutes before the backlog began, which itself makes waits longer. Null where none is known. */
function usualWait(rows: readonly StoredCounts[]): number | null {
  const waits = new Histogram();
  for (const { counts } of rows) waits.addAll((JSON.parse(counts) as KindCounts).wait ?? {});
  return waits.quantile(0.95);
}

function blockedLoop({ name, eventLoopDelayMs }: LiveWorker): Problem {
  return {
    ...{ code: 'blocked-loop', severity: 'warning' },
    text: `The event loop of ${name} stood still for ${inWords(eventLoopDelayMs)}. A handler computes for long without a pause.`,
    query: queryOf({ view: 'workers' }),
  };
}

function paused(pause: StoredPause): Problem {
  const what = isOfAll(pause) ? 'All kinds are' : `The kind ${pause.kind} is`;
  const why = pause.reason === null ? '.' : `: ${pause.reason}`;
  return {
    ...{ code: 'paused', severity: 'warning' },
    text: `${what} paused since ${pause.since.toISOString()}${why}`,
    query: queryOf({ view: 'kinds' }),
  };
}

function queryOf(values: Readonly<Record<string, string>>): string {
  return new URLSearchParams(values).toString();
}

function shownCount({ value, capped }: KindStats['ready']): string {
  return capped ? `${value.toLocaleString('en')} or more` : value.toLocaleString('en');
}

/** `90 ms`, `12 s`, `5 min`, `3 h`, `2 days`. */
function inWords(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 2 * MINUTE_MS) return `${Math.round(ms / 1_000)} s`;
  if (ms < 120 * MINUTE_MS) return `${Math.round(ms / MINUTE_MS)} min`;
  return ms < 48 * 60 * MINUTE_MS
    ? `${Math.round(ms / (60 * MINUTE_MS))} h`
    : `${Math.round(ms / (24 * 60 * MINUTE_MS))} days`;
}
