import { Injectable } from '@nestjs/common';
import { JobClient, JobSchedules, type Job, type Schedule } from 'nestjs-typeorm-jobs';

/** A schedule, and the job that it has made last. */
export interface ScheduleView {
  readonly schedule: Schedule;
  /** Null if it has made none, or if it has been deleted. */
  readonly lastJob: Job | null;
}

@Injectable()
export class SchedulesService {
  constructor(
    private readonly schedules: JobSchedules,
    private readonly jobs: JobClient,
  ) {}

  async list(): Promise<ScheduleView[]> {
    const schedules = await this.schedules.list();
    return Promise.all(
      schedules.map(async (schedule) => ({
        schedule,
        lastJob: schedule.lastJobId === undefined ? null : await this.jobs.get(schedule.lastJobId),
      })),
    );
  }
}
