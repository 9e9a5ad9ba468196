import type { JobPlan } from '../behaviors.js';
import type {
  AnswerRecord,
  AuditRecord,
  Control,
  Fault,
  History,
  JobRow,
  Pause,
  ProcessRecord,
  RowState,
  ScheduleRow,
  SendRecord,
  WorkerRecord,
} from '../records.js';
import { check } from '../check.js';
import type { SchedulePlan } from '../schedules.js';
import { pidOf, Timelines } from '../timeline.js';
import type { UniquePlan } from '../unique-keys.js';

const LEASE_MS = 2_000;
const START = 1_000_000;
const NEW: RowState = {
  status: 'PENDING',
  token: 0,
  worker: null,
  until: null,
  attempts: 0,
  crashes: 0,
  alone: false,
  isStopping: false,
  runAt: START,
};

/** The ids of two workers. */
export const [ONE, OTHER] = ['host-101-aa', 'host-202-bb'] as const;

/** Builds a history step by step, for the tests of the checks. Its steps may break invariants. */
export class HistoryBuilder {
  readonly sends: SendRecord[] = [];
  readonly answers: AnswerRecord[] = [];
  readonly workers: WorkerRecord[] = [];
  readonly audit: AuditRecord[] = [];
  readonly faults: Fault[] = [];
  readonly business: string[] = [];
  readonly effects: { id: string; token: number }[] = [];
  readonly processes: ProcessRecord[] = [ONE, OTHER].map((worker, index) => {
    return { name: `w${index + 1}`, pid: pidOf(worker), spawnedAt: START };
  });
  readonly rows = new Map<string, JobRow>();
  readonly controls: Control[] = [];
  /** One that no job is hit by. */
  readonly pauses: Pause[] = [{ kind: 'other', from: START, until: START + 1 }];
  readonly schedules: ScheduleRow[] = [];
  deadlocks = 0;
  healedAt = START + 60_000;
  drainedAt: number | undefined = START + 100_000;
  private readonly states = new Map<string, RowState>();
  private now = START;

  /** Lets time pass. */
  pass(ms: number): this {
    this.now += ms;
    return this;
  }

  enqueue(
    id: string,
    details: Partial<Pick<SendRecord, 'shape' | 'again'>> & {
      how?: AnswerRecord['how'];
    } & Partial<JobPlan> = {},
  ): this {
    const { shape = 'one', again, how = 'ok', ...plan } = details;
    this.say([id], { shape, again, how, ...plan });
    return how === 'ok' ? this.insert(id, this.now + (plan.delayMs ?? 0)) : this;
  }

  /** A call and its answer, without any row. */
  say(
    ids: readonly string[],
    details: Partial<Pick<SendRecord, 'shape' | 'again'>> &
      Pick<AnswerRecord, 'how' | 'jobs' | 'committingAt'> &
      Partial<JobPlan>,
  ): this {
    const { shape = 'one', again, how, jobs: answered, committingAt, ...plan } = details;
    const call = `call ${this.sends.length}`;
    const jobs = ids.map((id) => ({ id, plan: { kind: 'fast' as const, ms: 0, ...plan } }));
    this.sends.push({ type: 'send', call, at: this.now, shape, again, jobs });
    this.answers.push({ type: 'answer', call, at: this.now, how, jobs: answered, committingAt });
    return this;
  }

  /** An enqueue with a unique key that is answered with the job `id`. */
  enqueueUnique(
    sent: string,
    unique: UniquePlan,
    answer: { readonly id: string; readonly enqueued?: string } = { id: sent, enqueued: 'created' },
    details: Pick<AnswerRecord, 'committingAt'> = {},
  ): this {
    const { id, enqueued = 'joined' } = answer;
    this.say([sent], { how: 'ok', unique, jobs: [{ id, enqueued }], ...details });
    return enqueued === 'created' ? this.insert(id) : this;
  }

  insert(id: string, runAt = this.now): this {
    return this.change(id, { ...NEW, runAt }, true);
  }

  /** A schedule is written now. */
  schedule({ name }: Pick<SchedulePlan, 'name'>): this {
    this.schedules.push({ name, anchorAt: this.now });
    return this;
  }

  /** The job of a tick is made, and run. @param n the first tick of a schedule is 1 */
  tick(
    schedule: SchedulePlan,
    n: number,
    details: { readonly id?: string; readonly tick?: number } = {},
  ): this {
    const { name, everyMs, plan } = schedule;
    const anchorAt = this.schedules.find((row) => row.name === name)?.anchorAt ?? this.now;
    const { tick = anchorAt + n * everyMs, id = `${name}@${tick}` } = details;
    this.insert(id, tick).run(id, ONE);
    this.rows.set(id, { ...this.rows.get(id)!, schedule: name, tick });
    const { token } = this.state(id);
    if (plan.effect) this.effects.push({ id, token });
    return this;
  }

  claim(id: string, worker: string, change: Partial<RowState> = {}): this {
    const token = this.state(id).token + 1;
    return this.change(id, { token, worker, until: this.now + LEASE_MS, ...change });
  }

  renew(id: string, change: Partial<RowState> = {}): this {
    return this.change(id, { until: this.now + LEASE_MS, ...change });
  }

  start(id: string, worker: string, token = this.state(id).token, call?: string, change?: string): this {
    const pid = pidOf(worker);
    this.workers.push({ type: 'start', id, token, worker, call, change, pid, at: this.now });
    return this;
  }

  end(id: string, worker: string, token = this.state(id).token): this {
    this.workers.push({ type: 'end', id, token, how: 'returned', pid: pidOf(worker), at: this.now });
    return this;
  }

  /** The worker sends an outcome. */
  send(id: string, worker: string, token = this.state(id).token): this {
    this.workers.push({ type: 'settle', id, token, outcome: 'done', pid: pidOf(worker), at: this.now });
    return this;
  }

  /** The row gets its outcome, and its lease ends. */
  settle(id: string, change: Partial<RowState> = {}): this {
    const { token, worker, attempts } = this.state(id);
    const result = { token, worker };
    this.change(id, { status: 'DONE', attempts: attempts + 1, ...FREE, ...change });
    const row = this.rows.get(id)!;
    this.rows.set(id, { ...row, result: row.status === 'DONE' ? result : undefined });
    return this;
  }

  /** A correct attempt, from claim to settle. @param call the one that wrote the payload */
  run(id: string, worker: string, call?: string): this {
    this.claim(id, worker)
      .start(id, worker, undefined, call)
      .pass(10)
      .end(id, worker)
      .send(id, worker)
      .pass(5);
    return this.settle(id);
  }

  reclaim(id: string, change: Partial<RowState> = {}): this {
    const { attempts, crashes } = this.state(id);
    return this.change(id, { attempts: attempts + 1, crashes: crashes + 1, ...FREE, ...change });
  }

  /** A call that cancels, retries or updates a job, and its answer. It changes nothing by itself. */
  control(id: string, what: Control['what'], how: Control['how']): this {
    const call = `control ${this.controls.length}`;
    const until = how === 'unknown' ? Infinity : this.now;
    this.controls.push({ call, id, what, how, from: this.now, until });
    return this;
  }

  /** A call that updates a job, as `control`. @returns what handlers see of it */
  update(id: string, how: 'updated' | 'not waiting' | 'unknown' = 'updated'): string {
    this.control(id, 'update', how);
    return this.controls.at(-1)!.call;
  }

  /** All workers obey a pause, from now on for a while. */
  pause(kind: string, ms: number): this {
    this.pauses.push({ kind, from: this.now, until: this.now + ms });
    return this;
  }

  /** A job is cancelled that waits or runs. */
  cancel(id: string, how: Control['how'] = this.state(id).worker === null ? 'cancelled' : 'stopping'): this {
    const { status, worker } = this.state(id);
    this.control(id, 'cancel', how);
    return this.change(id, { isStopping: true, status: worker === null ? 'CANCELLED' : status });
  }

  retry(id: string): this {
    this.control(id, 'retry', 'retried');
    return this.change(id, { status: 'PENDING', crashes: 0, isStopping: false });
  }

  release(id: string): this {
    return this.change(id, FREE);
  }

  fault(kind: Fault['kind'], targets: readonly string[], ms = 0, ids?: readonly string[]): this {
    this.faults.push({ kind, targets, from: this.now, until: this.now + ms, ids });
    return this;
  }

  exit(worker: string, how: Partial<ProcessRecord>): this {
    const index = this.processes.findIndex(({ pid }) => pid === pidOf(worker));
    this.processes[index] = { ...this.processes[index]!, exitedAt: this.now, ...how };
    return this;
  }

  /** Other lines of a worker's file. */
  note(record: WorkerRecord): this {
    this.workers.push(record);
    return this;
  }

  get time(): number {
    return this.now;
  }

  change(id: string, change: Partial<RowState>, isInsert = false): this {
    const before = isInsert ? undefined : this.state(id);
    const after = { ...(before ?? NEW), ...change };
    this.states.set(id, after);
    this.audit.push({ seq: this.audit.length + 1, at: this.now, id, before, after });
    const { status, attempts, crashes, worker } = after;
    const row = this.rows.get(id) ?? { result: undefined, lastError: null, history: [] };
    const isRecorded = attempts > (before?.attempts ?? 0) && status !== 'DONE';
    const history = isRecorded ? [...row.history, attempts] : row.history;
    this.rows.set(id, { ...row, id, status, attempts, crashes, worker, history });
    return this;
  }

  get history(): History {
    const endedAt = START + 100_000;
    return {
      settings: {
        leaseMs: LEASE_MS,
        reclaimMs: 2_750,
        maxCrashes: 3,
        maxSockets: 14,
        drainBoundMs: 60_000,
        answerMs: 5_000,
      },
      sends: this.sends,
      answers: this.answers,
      controls: this.controls,
      pauses: this.pauses,
      workers: this.workers,
      audit: this.audit,
      rows: [...this.rows.values()],
      schedules: this.schedules,
      effects: this.effects,
      business: this.business,
      faults: this.faults,
      processes: this.processes,
      startedAt: START - 1_000,
      healedAt: this.healedAt,
      drainedAt: this.drainedAt,
      endedAt,
      deadlocks: this.deadlocks,
    };
  }

  /** The violations that the whole checker finds, each as `<invariant> <job>: <message>`. */
  get violations(): string[] {
    return check(new Timelines(this.history)).map(
      ({ invariant, job, message }) => `${invariant} ${job === undefined ? '' : `${job}: `}${message}`,
    );
  }

  private state(id: string): RowState {
    return this.states.get(id) ?? NEW;
  }
}

const FREE = { worker: null, until: null, alone: false };
