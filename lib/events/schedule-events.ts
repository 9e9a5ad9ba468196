/** What becomes of schedules. */
export interface ScheduleEventMap {
  /**
   * Ticks have made no job: because the last job of the schedule had not ended, or because they passed while no worker
   * ran. Told by the process that fired the schedule.
   */
  readonly scheduleSkipped: {
    readonly schedule: string;
    readonly kind: string;
    /** The first of them. */
    readonly tick: Date;
    readonly reason: 'overlap' | 'missed';
    /** How many. Missed ones are counted up to 10,000. */
    readonly count: number;
    /** How many have been skipped since the last job, these included. */
    readonly inRow: number;
  };
  /** The last job of a schedule is cancelled for the next one. `isRunning`: its worker is to stop it. */
  readonly scheduleCancelled: {
    readonly schedule: string;
    readonly kind: string;
    readonly tick: Date;
    readonly job: { readonly id: string; readonly isRunning: boolean };
  };
  /** The job of a tick could not be made; it is tried again. `failures` counts those in a row, this one included. */
  readonly scheduleFailed: {
    readonly schedule: string;
    readonly kind: string;
    readonly tick: Date;
    readonly error: unknown;
    readonly failures: number;
  };
  /** The database did not answer a look for schedules. `failures` counts those in a row, this one included. */
  readonly schedulingFailed: { readonly error: unknown; readonly failures: number };
  /** Schedules are fired again, after so many failures in a row. */
  readonly schedulingRecovered: { readonly failures: number };
}
