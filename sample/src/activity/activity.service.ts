import { Injectable } from '@nestjs/common';
import { OnJobEvent, type JobEvent } from 'nestjs-typeorm-jobs';

const KEPT = 8;

/** What has happened lately to jobs that somebody should know of. */
@Injectable()
export class ActivityService {
  private events: readonly JobEvent[] = [];

  /** The newest first. */
  get latest(): readonly JobEvent[] {
    return this.events;
  }

  /** However many processes the shop runs, each hears of all. */
  @OnJobEvent(['retrying', 'failed', 'panicked', 'cancelled', 'worker.lost', 'schedule.skipped'], {
    scope: 'all',
  })
  remember(event: JobEvent): void {
    this.events = [event, ...this.events].slice(0, KEPT);
  }
}
