import { InvalidScheduleError } from '../job/errors.js';
import type { StoredSchedule } from '../queue/schedule-store.js';
import type { DeclaredSchedule, ScheduleTerms } from '../schedules/schedule-terms.js';
import { payloadOf, storedPayloadOf } from '../schedules/tick-jobs.js';

/** A schedule of which this process knows the row, its own declaration, or both. */
export interface KnownSchedule {
  readonly name: string;
  readonly kind: string;
  readonly terms: ScheduleTerms;
  readonly stored?: StoredSchedule;
  readonly declared: DeclaredSchedule | undefined;
  /** By the clock of the storage. */
  readonly now: Date;
}

/** How the payloads of a schedule are made here. @throws InvalidScheduleError where only another process can */
export function payloadMaker({
  name,
  terms: { isPayloadInCode },
  stored,
  declared,
}: KnownSchedule): (tick: Date) => Promise<unknown> {
  if (stored !== undefined && !isPayloadInCode) return () => Promise.resolve(storedPayloadOf(stored));
  if (declared !== undefined) return (tick) => payloadOf(declared.schedule, tick);
  throw new InvalidScheduleError(
    'payload',
    `of schedule "${name}" is made by code that this process does not have. Give a payload, or call this where the ` +
      `schedule is declared.`,
  );
}
