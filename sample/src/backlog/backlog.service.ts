import { readFile } from 'node:fs/promises';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { JobEntity, type JobRecord, type JobStatus } from 'nestjs-typeorm-jobs';
import { IsNull, Not, type Repository } from 'typeorm';
import { Invoice } from '../invoices/invoice.entity.js';
import { InvoiceFiles } from '../invoices/invoice-files.js';
import { isRefused, MailServer } from '../mail/mail-server.js';
import { Order } from '../orders/order.entity.js';
import { RemindCustomer } from '../reminders/reminder.jobs.js';
import { Report } from '../reports/report.entity.js';

/** How many jobs of a kind are in a status, and how many attempts they took. */
export interface BacklogGroup {
  readonly kind: string;
  readonly status: JobStatus;
  readonly jobs: number;
  readonly attempts: number;
  /** How many of the attempts were not the first of their job. */
  readonly retries: number;
  /** How many of them are waiting for a retry. */
  readonly retrying: number;
}

/** As the drivers give it back: sums are texts. */
type RawGroup = Pick<BacklogGroup, 'kind' | 'status'> & {
  readonly [Count in 'jobs' | 'attempts' | 'retries' | 'retrying']: string;
};

/** Reports what is left to do, and checks what has been done. Reads jobs through TypeORM's repository. */
@Injectable()
export class BacklogService {
  constructor(
    @InjectRepository(JobEntity) private readonly jobs: Repository<JobRecord>,
    @InjectRepository(Order) private readonly orders: Repository<Order>,
    @InjectRepository(Invoice) private readonly invoices: Repository<Invoice>,
    @InjectRepository(Report) private readonly reports: Repository<Report>,
    private readonly files: InvoiceFiles,
    private readonly mails: MailServer,
  ) {}

  async groups(): Promise<BacklogGroup[]> {
    const rows = await this.jobs
      .createQueryBuilder('job')
      .select('job.kind', 'kind')
      .addSelect('job.status', 'status')
      .addSelect('COUNT(*)', 'jobs')
      .addSelect('SUM(job.attemptsDone)', 'attempts')
      .addSelect('SUM(CASE WHEN job.attemptsDone > 1 THEN job.attemptsDone - 1 ELSE 0 END)', 'retries')
      .addSelect(
        "SUM(CASE WHEN job.status = 'PENDING' AND job.attemptsDone > 0 THEN 1 ELSE 0 END)",
        'retrying',
      )
      .groupBy('job.kind')
      .addGroupBy('job.status')
      .orderBy('job.kind')
      .addOrderBy('job.status')
      .getRawMany<RawGroup>();
    return rows.map(({ kind, status, ...counts }) => ({
      ...{ kind, status },
      ...{ jobs: Number(counts.jobs), attempts: Number(counts.attempts) },
      ...{ retries: Number(counts.retries), retrying: Number(counts.retrying) },
    }));
  }

  countOrders(): Promise<number> {
    return this.orders.count();
  }

  countInvoices(): Promise<number> {
    return this.invoices.count();
  }

  /** Describes what is missing or wrong; empty if all is well. Call it only once the backlog is drained. */
  async problems(): Promise<string[]> {
    const orders = await this.orders.findBy({ cancelledAt: IsNull() });
    const failed = await this.jobs.findBy({ status: 'FAILED', kind: Not(RemindCustomer.kind) });
    const refused = orders.filter(({ email }) => isRefused(email));
    const broken = await Promise.all(
      orders.map(async ({ number }) => ((await this.isWhole(number)) ? [] : [number])),
    );
    const invoiced = new Set((await this.invoices.find()).map(({ orderId }) => orderId));
    const arrived = await this.mails.invoiced();
    const reported = (await this.reports.sum('invoices')) ?? 0;
    const expectedFailures = refused.map(({ id }) => `mail-${id}`).toSorted();
    return [
      ...broken.flat().map((number) => `The invoice ${number}.pdf is missing or broken.`),
      ...orders.filter(({ id }) => !invoiced.has(id)).map(({ number }) => `${number} has no invoice.`),
      ...(reported === invoiced.size ? [] : [`${reported} of ${invoiced.size} invoices are in a report.`]),
      ...orders
        .filter(({ number, email }) => arrived.has(number) === isRefused(email))
        .map(
          ({ number, email }) =>
            `The mail of ${number} to ${email} has ${isRefused(email) ? '' : 'not '}arrived.`,
        ),
      ...(String(failed.map(({ id }) => id).toSorted()) === String(expectedFailures)
        ? []
        : ['The failed jobs are not exactly those whose address does not exist.']),
    ];
  }

  private async isWhole(number: string): Promise<boolean> {
    if (!(await this.files.exists(number))) return false;
    const content = await readFile(this.files.pathOf(number), 'latin1');
    return content.startsWith('%PDF-') && content.trimEnd().endsWith('%%EOF');
  }
}
