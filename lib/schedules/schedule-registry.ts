import { ScheduleExistsError } from '../job/schedule-errors.js';
import type { ResolvedSchedule } from './resolve-schedule.js';
import { encodeTerms, type DeclaredSchedule } from './schedule-terms.js';

/** The schedules that this process declares, by name. */
export class ScheduleRegistry {
  private readonly schedules = new Map<string, DeclaredSchedule>();

  /** @throws ScheduleExistsError */
  add(schedule: ResolvedSchedule, declaredAt: string): void {
    const existing = this.schedules.get(schedule.name);
    if (existing !== undefined)
      throw new ScheduleExistsError(schedule.name, [existing.declaredAt, declaredAt]);
    this.schedules.set(schedule.name, { schedule, declaredAt, rule: encodeTerms(schedule) });
  }

  get(name: string): DeclaredSchedule | undefined {
    return this.schedules.get(name);
  }

  get all(): readonly DeclaredSchedule[] {
    return [...this.schedules.values()];
  }

  get names(): readonly string[] {
    return [...this.schedules.keys()];
  }
}
