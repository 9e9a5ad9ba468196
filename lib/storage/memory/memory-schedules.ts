import type { EncodedJob } from '../../job/encode-job.js';
import { compareIds } from '../../job/id-order.js';
import type { Job } from '../../job/job.js';
import type { EnqueueTarget } from '../../queue/job-queue.js';
import type { CancelledJob } from '../../queue/job-editor.js';
import {
  ScheduleStore,
  type DeclaringProcess,
  type FireAnswer,
  type Resumption,
  type ScheduleFilter,
  type ScheduleFire,
  type SchedulesLook,
  type ScheduleWrite,
  type StoredSchedule,
  type UpcomingQuery,
  type UpcomingSchedule,
} from '../../queue/schedule-store.js';
import { afterCancel, answersOf, jobIdsFor, planFires, type SeenJob } from '../sql/fire-plan.js';
import { CANCEL_REASON } from '../sql/schedule-row.js';

/** What schedules in memory have from their queue. */
export interface MemoryScheduleParts {
  readonly now: () => number;
  /** Those that exist, or are made by the transaction of the target. */
  readonly see: (jobIds: readonly string[], target?: EnqueueTarget) => SeenJob[];
  readonly cancel: (jobIds: readonly string[], reason: string) => CancelledJob[];
  readonly insert: (jobs: readonly EncodedJob[]) => Job[];
  /** Calls back with the commit of the target, or at once. */
  readonly afterCommit: (target: EnqueueTarget, callback: () => void) => void;
}

/* eslint-disable @typescript-eslint/require-await -- the contract is asynchronous, a Map is not */

/** Schedules in memory. What is written in a transaction appears with its commit. */
export class MemorySchedules extends ScheduleStore {
  private readonly schedules = new Map<string, StoredSchedule>();
  private readonly listeners = new Set<() => void>();

  constructor(private readonly parts: MemoryScheduleParts) {
    super();
  }

  async look(names: readonly string[]): Promise<SchedulesLook> {
    const wanted = new Set(names);
    return { now: this.now, schedules: this.sorted().filter(({ name }) => wanted.has(name)) };
  }

  async list({ kind, after, limit }: ScheduleFilter): Promise<StoredSchedule[]> {
    return this.sorted()
      .filter((one) => kind === undefined || one.kind === kind)
      .filter(({ name }) => after === undefined || compareIds(name, after) > 0)
      .slice(0, limit);
  }

  async save({ revision, ...write }: ScheduleWrite, target: EnqueueTarget = {}): Promise<boolean> {
    const { now } = this;
    const existing = this.schedules.get(write.name);
    if ((existing?.revision ?? null) !== revision) return false;
    const base = existing ?? { ...NEW, createdAt: now };
    const schedule = { ...base, ...write, seenAt: now, updatedAt: now, revision: base.revision + 1 };
    this.parts.afterCommit(target, () => {
      this.schedules.set(write.name, schedule);
      for (const listener of this.listeners) listener();
    });
    return true;
  }

  async pause(name: string, reason: string | null, target: EnqueueTarget = {}): Promise<boolean> {
    const { now } = this;
    return this.change(name, target, ({ pausedAt }) => ({
      pausedAt: pausedAt ?? now,
      pausedReason: reason,
      updatedAt: now,
    }));
  }

  async resume(resumption: Resumption, target: EnqueueTarget = {}): Promise<boolean> {
    const { name, revision, nextAt, catchUp, dropsQueued } = resumption;
    const existing = this.schedules.get(name);
    if (existing?.revision !== revision || existing.pausedAt === null) return false;
    const isWritten = this.change(name, target, ({ queuedTick }) => ({
      ...{ nextAt, catchUp, pausedAt: null, pausedReason: null },
      queuedTick: dropsQueued ? null : queuedTick,
      revision: revision + 1,
      updatedAt: this.now,
    }));
    this.parts.afterCommit(target, () => this.listeners.forEach((listener) => listener()));
    return isWritten;
  }

  async delete(name: string, target: EnqueueTarget = {}): Promise<boolean> {
    if (!this.schedules.has(name)) return false;
    this.parts.afterCommit(target, () => void this.schedules.delete(name));
    return true;
  }

  async setLastJob(name: string, lastJobId: string, target: EnqueueTarget = {}): Promise<void> {
    this.change(name, target, () => ({ lastJobId, updatedAt: this.now }));
  }

  async existing(jobIds: readonly string[], target?: EnqueueTarget): Promise<string[]> {
    return this.parts.see(jobIds, target).map(({ id }) => id);
  }

  async upcoming({ declared, except, limit }: UpcomingQuery): Promise<UpcomingSchedule[]> {
    const now = this.parts.now();
    const isOurs = ({ name, pausedAt, declaredAt }: StoredSchedule) =>
      pausedAt === null && !except.includes(name) && (declaredAt === null || declared.includes(name));
    const all = this.sorted()
      .filter(isOurs)
      .map((schedule) => ({ schedule, msUntil: (schedule.nextAt?.getTime() ?? Infinity) - now }));
    const ticking = all
      .filter(({ msUntil }) => msUntil < Infinity)
      .toSorted((one, other) => one.msUntil - other.msUntil);
    const queued = all.filter(({ schedule }) => schedule.queuedTick !== null && !this.isOpen(schedule));
    return [
      ...ticking.slice(0, limit).map((one) => ({ ...one, isQueueFree: false })),
      ...queued.slice(0, limit).map((one) => ({ ...one, isQueueFree: true })),
    ];
  }

  async fire(fires: readonly ScheduleFire[]): Promise<FireAnswer[]> {
    const rows = fires.flatMap(({ name }) => this.schedules.get(name) ?? []);
    const locked = rows.map((row) => ({
      ...row,
      isDue: row.nextAt !== null && row.nextAt.getTime() <= this.parts.now(),
    }));
    const planned = planFires(fires, locked, this.parts.see(jobIdsFor(fires, locked)));
    const toCancel = planned.flatMap(({ cancelId }) => cancelId ?? []);
    const cancelled = this.parts.cancel(toCancel, CANCEL_REASON);
    const plans = afterCancel(planned, cancelled);
    const made = this.parts.insert(plans.flatMap((plan) => plan.jobs.map(({ job }) => job)));
    for (const { change } of plans)
      if (change !== null) this.change(change.name, {}, () => ({ ...change, updatedAt: this.now }));
    return answersOf(plans, made, cancelled);
  }

  async seen(names: readonly string[], by: DeclaringProcess): Promise<string[]> {
    const found = names.filter((name) => (this.schedules.get(name)?.declaredAt ?? null) !== null);
    for (const name of found)
      this.change(name, {}, ({ declaredAt }) => ({
        ...(declaredAt! < by.declaredAt ? by : {}),
        seenAt: this.now,
      }));
    return found;
  }

  async expire(ms: number): Promise<string[]> {
    const before = this.parts.now() - ms;
    const expired = this.sorted().filter(
      ({ declaredAt, seenAt }) => declaredAt !== null && seenAt !== null && seenAt.getTime() < before,
    );
    for (const { name } of expired) this.schedules.delete(name);
    return expired.map(({ name }) => name);
  }

  watch(listener: () => void): () => void {
    const own = () => listener();
    this.listeners.add(own);
    return () => void this.listeners.delete(own);
  }

  private get now(): Date {
    return new Date(this.parts.now());
  }

  private isOpen({ lastJobId }: StoredSchedule): boolean {
    return lastJobId !== null && this.parts.see([lastJobId])[0]?.isOpen === true;
  }

  private sorted(): StoredSchedule[] {
    return [...this.schedules.values()].toSorted((one, other) => compareIds(one.name, other.name));
  }

  /** @returns whether there is such a schedule */
  private change(
    name: string,
    target: EnqueueTarget,
    changes: (schedule: StoredSchedule) => Partial<StoredSchedule>,
  ): boolean {
    if (!this.schedules.has(name)) return false;
    this.parts.afterCommit(target, () => {
      const schedule = this.schedules.get(name);
      if (schedule !== undefined) this.schedules.set(name, { ...schedule, ...changes(schedule) });
    });
    return true;
  }
}

const NEW = {
  queuedTick: null,
  lastTick: null,
  lastJobId: null,
  skipped: 0,
  skippedInRow: 0,
  catchUp: null,
  pausedAt: null,
  pausedReason: null,
  revision: 0,
} as const;
