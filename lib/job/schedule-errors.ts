import { branded } from './copies.js';
import { JobsError } from './errors.js';

/** Two schedules that are declared in code have one name. Thrown at start-up; the message names both. */
@branded('ScheduleExistsError')
export class ScheduleExistsError extends JobsError {
  constructor(
    readonly schedule: string,
    /** Where they are declared: `Reports.nightly in ReportModule`. */
    readonly places: readonly [string, string],
  ) {
    super(
      `The schedule "${schedule}" is declared twice: by ${places[0]} and by ${places[1]}. ` +
        `Give one of them another name: @JobSchedule(…, { name: '…' }).`,
    );
  }
}

/** A schedule is declared in code, so it cannot be written or deleted at run time. Nothing was changed. */
@branded('ScheduleDeclaredError')
export class ScheduleDeclaredError extends JobsError {
  constructor(
    readonly schedule: string,
    what: 'written' | 'deleted',
  ) {
    super(
      `The schedule "${schedule}" is declared in code, by @JobSchedule, and cannot be ${what} at run time; nothing was ` +
        `changed. Change the code, take another name, or pause it with pause().`,
    );
  }
}

/** There is no schedule with this name. Nothing was changed. */
@branded('UnknownScheduleError')
export class UnknownScheduleError extends JobsError {
  constructor(readonly schedule: string) {
    super(
      `There is no schedule "${schedule}"; nothing was changed. list() tells which there are. One that is declared in code ` +
        `is there from the start of the first worker on.`,
    );
  }
}
