import type { JobPlan } from './behaviors.js';
import type {
  AnswerRecord,
  AuditRecord,
  Control,
  Fault,
  History,
  JobRow,
  ProcessRecord,
  RowState,
  SendRecord,
  WorkerRecord,
} from './records.js';
import { isReopening } from './control-calls.js';
import { scheduleNamed } from './schedules.js';
import { coveredMs, overlaps, union, without, type Span } from './spans.js';

/** One claim of a job and the end of its lease, as the audit shows them. */
export interface LeaseSpan {
  readonly token: number;
  readonly worker: string;
  readonly claimedAt: number;
  /** When the lease runs out, by its last renewal. */
  readonly until: number;
  /** When the last heartbeat was written. */
  readonly renewedAt: number;
  /** Undefined while the lease stands. */
  readonly end?: LeaseEnd;
}

export interface LeaseEnd {
  readonly seq: number;
  readonly at: number;
  readonly after: RowState;
  readonly alone: boolean;
  /** The job had been asked to stop. */
  readonly isStopping: boolean;
  /**
   * - `settled`: the outcome was written
   * - `reclaimed`: it was reclaimed, and a crash was counted
   * - `released`: it was given back, and no attempt was counted
   * - `stopped`: the job was to be cancelled, and its holder had not sent an outcome; as `reclaimed`, but no crash was counted
   * - `unexplained`: an attempt was counted but no crash, and the holder had not sent an outcome
   */
  readonly how: 'settled' | 'reclaimed' | 'released' | 'stopped' | 'unexplained';
}

/** Everything that is known about one job, in chronological order. */
export interface JobTimeline {
  readonly id: string;
  readonly plan: JobPlan | undefined;
  readonly row: JobRow | undefined;
  readonly audit: readonly AuditRecord[];
  readonly leases: readonly LeaseSpan[];
  readonly starts: readonly (WorkerRecord & { type: 'start' })[];
  readonly ends: ReadonlyMap<number, number>;
  readonly exits: readonly number[];
  /** Calls that cancel or retry it. */
  readonly controls: readonly Control[];
  /** When it was retried last. Its crashes count from there. */
  readonly reopenedAt: number;
}

export interface EnqueueCall {
  readonly send: SendRecord;
  readonly answer: AnswerRecord | undefined;
}

/** A history, arranged for the checks. */
export class Timelines {
  readonly jobs = new Map<string, JobTimeline>();
  readonly calls: readonly EnqueueCall[];
  /** Ids of the jobs whose enqueue was acknowledged. Those of schedules count where they are there. */
  readonly acknowledged = new Set<string>();
  private readonly processes = new Map<number, ProcessRecord>();
  private readonly faultsOf = new Map<string, Fault[]>();
  /** When handlers ran, by process. */
  private readonly handlers = new Map<number, (Span & { readonly id: string })[]>();
  private readonly lags = new Map<number, Span[]>();
  private able: readonly Span[] | undefined;

  constructor(readonly history: History) {
    const answers = new Map(history.answers.map((answer) => [answer.call, answer]));
    this.calls = history.sends.map((send) => ({ send, answer: answers.get(send.call) }));
    for (const { send, answer } of this.calls) {
      for (const { id } of acknowledgedBy(send, answer)) this.acknowledged.add(id);
    }
    for (const process of history.processes) this.processes.set(process.pid, process);
    for (const fault of history.faults) {
      for (const target of fault.targets) push(this.faultsOf, target, fault);
    }
    for (const record of history.workers) {
      if (record.type === 'lag')
        push(this.lags, record.pid, { from: record.at - record.ms, until: record.at });
    }
    this.sortOutJobs();
    this.noteBlocks();
    this.noteHandlers();
  }

  /** The process of a worker, by the worker's id. */
  processOf(worker: string): ProcessRecord | undefined {
    return this.processes.get(pidOf(worker));
  }

  /** Faults of a worker's process, of its link to the database, and of the database, during a span of time. */
  faults(worker: string, from: number, until: number): Fault[] {
    const name = this.processOf(worker)?.name ?? '';
    return [name, `link of ${name}`, 'database']
      .flatMap((target) => this.faultsOf.get(target) ?? [])
      .filter((fault) => overlaps(fault, from, until));
  }

  /** The jobs whose handlers ran in a worker's process during a span of time. */
  runningIn(worker: string, from: number, until: number): string[] {
    const handlers = this.handlers.get(pidOf(worker)) ?? [];
    return handlers.filter((span) => span.from < until && span.until > from).map(({ id }) => id);
  }

  /** For how many milliseconds of a span of time the event loop of a worker's process was blocked. */
  lagOf(worker: string, from: number, until: number): number {
    return coveredMs(this.lags.get(pidOf(worker)) ?? [], from, until);
  }

  /** For how many milliseconds of a span of time at least one worker was up, was not blocked, and had its database. */
  ableMs(from: number, until: number): number {
    this.able ??= this.findAble();
    return coveredMs(this.able, from, until);
  }

  private findAble(): Span[] {
    const since = new Map<number, number>();
    for (const { type, pid, at } of this.history.workers) {
      if (type === 'claim') since.set(pid, Math.min(since.get(pid) ?? Infinity, at));
    }
    const spans = [...since].flatMap(([pid, from]) => {
      const until = this.processes.get(pid)?.exitedAt ?? this.history.endedAt;
      return without({ from, until }, [...(this.lags.get(pid) ?? []), ...this.partings(pid)]);
    });
    return union(spans);
  }

  /** When a worker could not reach the database, or waited for an answer that did not come. */
  private partings(pid: number): Span[] {
    const link = this.faultsOf.get(`link of ${this.processes.get(pid)?.name}`) ?? [];
    const { answerMs } = this.history.settings;
    const down = (this.faultsOf.get('database') ?? []).filter(({ kind }) => kind !== 'terminate');
    return [...link.map(({ from, until }) => ({ from, until: until + answerMs })), ...down];
  }

  private noteHandlers(): void {
    for (const { id, starts, ends } of this.jobs.values()) {
      for (const { pid, at, token } of starts)
        push(this.handlers, pid, { id, from: at, until: ends.get(token) ?? Infinity });
    }
  }

  /** Adds the time of blocking handlers. Such a handler may die with its process before the lag is recorded. */
  private noteBlocks(): void {
    for (const { plan, starts } of this.jobs.values()) {
      if (plan?.kind !== 'blocking') continue;
      for (const { pid, at } of starts) {
        const exitedAt = this.processes.get(pid)?.exitedAt ?? Infinity;
        push(this.lags, pid, { from: at, until: Math.min(at + plan.ms, exitedAt) });
      }
    }
  }

  private sortOutJobs(): void {
    const { history } = this;
    const audit = groupBy(history.audit, ({ id }) => id);
    const records = new Map<string, WorkerRecord[]>();
    for (const record of history.workers) if ('id' in record) push(records, record.id, record);
    const rows = new Map(history.rows.map((row) => [row.id, row]));
    const controls = groupBy(history.controls, ({ id }) => id);
    const plans = new Map(history.sends.flatMap(({ jobs }) => jobs.map(({ id, plan }) => [id, plan])));
    for (const { id, schedule } of history.rows) {
      const plan = schedule === undefined ? undefined : scheduleNamed(schedule)?.plan;
      if (plan === undefined) continue;
      plans.set(id, plan);
      this.acknowledged.add(id);
    }
    for (const id of new Set([...plans.keys(), ...rows.keys(), ...audit.keys()])) {
      const own = records.get(id) ?? [];
      const changes = audit.get(id) ?? [];
      this.jobs.set(id, {
        id,
        plan: plans.get(id),
        row: rows.get(id),
        audit: changes,
        leases: leasesOf(changes, own, history.settings.leaseMs),
        starts: own.filter((record) => record.type === 'start'),
        ends: new Map(
          own.filter(({ type }) => type === 'end').map((r) => [(r as { token: number }).token, r.at]),
        ),
        exits: own.filter((record) => record.type === 'exit').map(({ token }) => token),
        controls: controls.get(id) ?? [],
        reopenedAt: changes.findLast(isReopening)?.at ?? -Infinity,
      });
    }
  }
}

/** The jobs that are there after a call, if its answer says so. */
function acknowledgedBy(
  { jobs, again }: SendRecord,
  answer: AnswerRecord | undefined,
): readonly { readonly id: string }[] {
  if (answer?.how === 'ok') return answer.jobs ?? jobs;
  // A repeated call that is refused as a duplicate means that the first call was written. Which job of a key counts
  // since then, nothing says.
  const isThere = answer?.how === 'duplicate' && again !== undefined;
  return isThere ? jobs.filter(({ plan }) => plan.unique === undefined) : [];
}

/** The system may adjust its clock by a few milliseconds, which processes and the database notice at different moments. */
const SLACK_MS = 50;

/** Groups the changes of one row into leases. */
function leasesOf(
  audit: readonly AuditRecord[],
  records: readonly WorkerRecord[],
  leaseMs: number,
): LeaseSpan[] {
  const sent = new Map<number, number>();
  for (const record of records) {
    if (record.type === 'settle')
      sent.set(record.token, Math.min(sent.get(record.token) ?? Infinity, record.at));
  }
  const leases: LeaseSpan[] = [];
  for (const { seq, at, before, after } of audit) {
    if (before === undefined) continue;
    const open = leases.at(-1);
    if (before.worker === null && after.worker !== null) {
      const until = after.until!;
      leases.push({
        token: after.token,
        worker: after.worker,
        claimedAt: at,
        until,
        renewedAt: until - leaseMs,
      });
    } else if (open !== undefined && before.worker !== null && after.worker !== null) {
      leases[leases.length - 1] = { ...open, until: after.until!, renewedAt: after.until! - leaseMs };
    } else if (open !== undefined && before.worker !== null) {
      const how = endOf(before, after, (sent.get(before.token) ?? Infinity) <= at + SLACK_MS);
      leases[leases.length - 1] = {
        ...open,
        end: { seq, at, after, alone: before.alone, isStopping: before.isStopping, how },
      };
    }
  }
  return leases;
}

function endOf(before: RowState, after: RowState, isSent: boolean): LeaseEnd['how'] {
  if (after.crashes > before.crashes) return 'reclaimed';
  const isOpen = after.status === 'PENDING' || after.status === 'CANCELLED';
  if (after.attempts === before.attempts && isOpen) return 'released';
  if (isSent) return 'settled';
  return before.isStopping && after.status === 'CANCELLED' ? 'stopped' : 'unexplained';
}

/** The worker's id ends in its process id and a random part. */
export function pidOf(worker: string): number {
  return Number(/-(\d+)-[0-9a-f]+$/.exec(worker)?.[1] ?? NaN);
}

export function isTerminal({ status }: { readonly status: string }): boolean {
  return status !== 'PENDING';
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

function groupBy<K, V>(values: readonly V[], keyOf: (value: V) => K): Map<K, V[]> {
  const groups = new Map<K, V[]>();
  for (const value of values) push(groups, keyOf(value), value);
  return groups;
}
