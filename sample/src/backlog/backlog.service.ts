import { readFile } from 'node:fs/promises';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { JobEntity, type JobRecord, type JobStatus } from 'nestjs-typeorm-jobs';
import type { Repository } from 'typeorm';
import { Invoice } from '../invoices/invoice.entity.js';
import { InvoiceFiles } from '../invoices/invoice-files.js';
import { isRefused, MailServer } from '../mail/mail-server.js';
import { Order } from '../orders/order.entity.js';

/** How many jobs of a kind are in a status, and how many attempts they took. */
export interface BacklogGroup {
  readonly kind: string;
  readonly status: JobStatus;
  readonly jobs: number;
  readonly attempts: number;
  /** How many of them are waiting for a retry. */
  readonly retrying: number;
}

/** Reports what is left to do, and checks what has been done. Reads jobs through TypeORM's repository. */
@Injectable()
export class BacklogService {
  constructor(
    @InjectRepository(JobEntity) private readonly jobs: Repository<JobRecord>,
    @InjectRepository(Order) private readonly orders: Repository<Order>,
    @InjectRepository(Invoice) private readonly invoices: Repository<Invoice>,
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
      .addSelect(
        "SUM(CASE WHEN job.status = 'PENDING' AND job.attemptsDone > 0 THEN 1 ELSE 0 END)",
        'retrying',
      )
      .groupBy('job.kind')
      .addGroupBy('job.status')
      .orderBy('job.kind')
      .addOrderBy('job.status')
      .getRawMany<{ kind: string; status: JobStatus; jobs: string; attempts: string; retrying: string }>();
    return rows.map(({ kind, status, jobs, attempts, retrying }) => ({
      ...{ kind, status },
      ...{ jobs: Number(jobs), attempts: Number(attempts), retrying: Number(retrying) },
    }));
  }

  countOrders(): Promise<number> {
    return this.orders.count();
  }

  /** Describes what is missing or wrong; empty if all is well. Call it only once the backlog is drained. */
  async problems(): Promise<string[]> {
    const orders = await this.orders.find();
    const failed = await this.jobs.find({ where: { status: 'FAILED' } });
    const refused = orders.filter(({ email }) => isRefused(email));
    const broken = await Promise.all(
      orders.map(async ({ number }) => ((await this.isWhole(number)) ? [] : [number])),
    );
    const [mails, expected] = [await this.mails.count(), orders.length - refused.length];
    const invoices = await this.invoices.count();
    const expectedFailures = refused.map(({ id }) => `mail-${id}`).toSorted();
    return [
      ...broken.flat().map((number) => `The invoice ${number}.pdf is missing or broken.`),
      ...(invoices === orders.length ? [] : [`There are ${invoices} invoices instead of ${orders.length}.`]),
      ...(mails === expected ? [] : [`${mails} mails have arrived instead of ${expected}.`]),
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
