import type { JobQueue } from '../queue/job-queue.js';
import type { DeclaringProcess, SchedulesLook, StoredSchedule } from '../queue/schedule-store.js';
import type { ScheduleRegistry } from './schedule-registry.js';
import {
  firstTick,
  haveSameTimes,
  isAsDeclared,
  isSeen,
  sameJson,
  termsOf,
  type DeclaredSchedule,
} from './schedule-terms.js';
import type { TickJobs } from './tick-jobs.js';

/** A schedule goes when no process has declared it for so long. */
const EXPIRES_AFTER_MS = 24 * 60 * 60_000;
/** How often a write is tried where others write the same schedule. */
const TRIES = 20;

/**
 * Writes the schedules that a process declares in its code, when it starts, and tells from then on that it is there.
 *
 * Of two releases the process that began last has the word: one that began earlier leaves the row as it is, and fires by
 * it. It writes its own again only when no process has been seen for some minutes that declares the schedule as the row
 * has it: that release has been taken back.
 */
export class Declarer {
  private began: Date | undefined;

  constructor(
    private readonly queue: Pick<JobQueue, 'schedules'>,
    private readonly registry: ScheduleRegistry,
    private readonly jobs: Pick<TickJobs, 'encodePayload'>,
    private readonly declaredBy: string,
  ) {}

  /** Writes what is not there as this process declares it, and tells that this process declares what is. */
  async declare(): Promise<void> {
    let left = this.registry.all;
    const own: string[] = [];
    for (let tries = 1; left.length > 0 && tries <= TRIES; tries++) {
      const look = await this.queue.schedules.look(left.map(({ schedule }) => schedule.name));
      this.began ??= look.now;
      const written = await this.writeAll(left, look, this.process);
      own.push(...written.own);
      left = written.left;
    }
    if (own.length > 0) await this.queue.schedules.seen(own, this.process);
  }

  /** Deletes schedules that no process has declared for a day. For after a `declare`. @returns their names */
  expire(): Promise<string[]> {
    return this.queue.schedules.expire(EXPIRES_AFTER_MS);
  }

  private get process(): DeclaringProcess {
    return { declaredBy: this.declaredBy, declaredAt: this.began! };
  }

  /** @returns the names of those that are as they are declared here, and those that others were writing at the same moment */
  private async writeAll(
    all: readonly DeclaredSchedule[],
    { now, schedules }: SchedulesLook,
    by: DeclaringProcess,
  ) {
    const rows = new Map(schedules.map((stored) => [stored.name, stored]));
    const own: string[] = [];
    const left: DeclaredSchedule[] = [];
    for (const declared of all) {
      const { name } = declared.schedule;
      const stored = rows.get(name);
      if (stored !== undefined && this.isAsDeclared(declared, stored)) own.push(name);
      else if (stored !== undefined && !this.hasTheWord(stored, now)) continue;
      else if (await this.write(declared, stored, now, by)) own.push(name);
      else left.push(declared);
    }
    return { own, left };
  }

  private hasTheWord(stored: StoredSchedule, now: Date): boolean {
    const { declaredAt } = stored;
    return declaredAt === null || declaredAt <= this.began! || !isSeen(stored, now);
  }

  private isAsDeclared(declared: DeclaredSchedule, stored: StoredSchedule): boolean {
    return isAsDeclared(declared, stored) && sameJson(stored.payload, this.payloadOf(declared.schedule));
  }

  /** A tick that is due already stays due, unless the schedule ticks at other instants now. */
  private write(
    { schedule, rule }: DeclaredSchedule,
    stored: StoredSchedule | undefined,
    now: Date,
    by: DeclaringProcess,
  ): Promise<boolean> {
    const { name, kind } = schedule;
    const anchorAt = stored?.anchorAt ?? now;
    const terms = termsOf({ name, rule, anchorAt });
    const isKept = stored !== undefined && haveSameTimes(stored, rule);
    return this.queue.schedules.save({
      ...{ name, kind, rule, payload: this.payloadOf(schedule), anchorAt, ...by },
      nextAt: isKept ? stored.nextAt : firstTick(terms, now, stored?.lastTick),
      revision: stored?.revision ?? null,
    });
  }

  private payloadOf({ payload }: DeclaredSchedule['schedule']): string | null {
    const isInCode = typeof payload === 'function' || payload instanceof Uint8Array;
    return isInCode ? null : this.jobs.encodePayload(payload);
  }
}
