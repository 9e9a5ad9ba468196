import { Injectable } from '@nestjs/common';
import { JobHandler, JobSchedule, type Job, type JobContext } from 'nestjs-typeorm-jobs';
import { SHOP_TIME_ZONE } from '../settings.js';
import { MakeReport } from './report.jobs.js';
import { ReportsService } from './reports.service.js';

/** However many processes the shop runs, one of them makes the job of a night. */
@Injectable()
export class ReportsHandler {
  constructor(private readonly reports: ReportsService) {}

  @JobHandler(MakeReport)
  @JobSchedule('0 3 * * *', { timeZone: SHOP_TIME_ZONE })
  async nightly({ id, createdAt }: Job, { tick = createdAt, manager }: JobContext) {
    const { invoices, totalCents } = await this.reports.make(manager, id, tick);
    return { invoices, totalCents };
  }
}
