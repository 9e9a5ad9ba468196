import type { Job } from '../../job/job.js';
import {
  INSPECTED,
  Inspector,
  type ExpiredLeases,
  type Inspection,
  type OverdueSchedule,
} from '../../queue/inspector.js';
import type { ScheduleStore } from '../../queue/schedule-store.js';
import { SCHEMA_VERSIONS } from '../sql/schema-version.js';

/** What an inspector of a queue in memory has from it. */
export interface MemoryInspectorParts {
  readonly now: () => number;
  readonly list: () => Job[];
  readonly schedules: () => Pick<ScheduleStore, 'list'>;
}

/* eslint-disable @typescript-eslint/require-await -- the contract is asynchronous, a Map is not */

/** Looks at a queue in memory, which has no server, and so nothing that could be wrong with one. */
export class MemoryInspector extends Inspector {
  constructor(private readonly parts: MemoryInspectorParts) {
    super();
  }

  async inspect(): Promise<Inspection> {
    const schemaVersion = SCHEMA_VERSIONS.at(-1)!.version;
    return { server: 'memory', table: 'jobs', schemaVersion, isUsable: true, findings: [] };
  }

  async overdueSchedules(lateMs: number, limit: number): Promise<OverdueSchedule[]> {
    const now = this.parts.now();
    const all = await this.parts.schedules().list({ limit: Infinity });
    return all
      .flatMap(({ name, kind, nextAt, pausedAt }) =>
        nextAt === null || pausedAt !== null ? [] : { name, kind, nextAt, lateMs: now - nextAt.getTime() },
      )
      .filter((schedule) => schedule.lateMs > lateMs)
      .toSorted((one, other) => other.lateMs - one.lateMs)
      .slice(0, limit);
  }

  async expiredLeases(lateMs: number): Promise<ExpiredLeases> {
    const now = this.parts.now();
    const late = this.parts
      .list()
      .flatMap(({ status, lockedUntil }) =>
        status === 'PENDING' && lockedUntil !== undefined ? now - lockedUntil.getTime() : [],
      )
      .filter((ms) => ms > lateMs);
    return { count: Math.min(late.length, INSPECTED), longestMs: Math.max(0, ...late) };
  }
}
