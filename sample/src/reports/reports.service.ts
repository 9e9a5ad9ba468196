import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { JobClient, JobSchedules } from 'nestjs-typeorm-jobs';
import { DataSource, In, IsNull, type EntityManager } from 'typeorm';
import { Invoice } from '../invoices/invoice.entity.js';
import { Order, totalCents } from '../orders/order.entity.js';
import { Report, type ReportLine } from './report.entity.js';
import { MakeReport } from './report.jobs.js';

@Injectable()
export class ReportsService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly jobs: JobClient,
    private readonly schedules: JobSchedules,
  ) {}

  /** Stores a report of all invoices that are in none yet. */
  async make(manager: EntityManager, jobId: string, madeFor: Date): Promise<Report> {
    await manager.update(Invoice, { reportId: IsNull() }, { reportId: jobId });
    const invoices = await manager.findBy(Invoice, { reportId: jobId });
    const ids = invoices.map(({ orderId }) => orderId);
    const orders = await manager.find(Order, { where: { id: In(ids) }, relations: { lines: true } });
    const lines = linesOf(orders);
    const total = lines.reduce((sum, line) => sum + line.totalCents, 0);
    const report = { jobId, madeFor, invoices: invoices.length, totalCents: total, lines };
    await manager.insert(Report, report);
    return manager.create(Report, report);
  }

  /** Makes a report ahead of its time and waits for it. @returns null if all invoices are in one already */
  async makeNow(signal: AbortSignal): Promise<Report | null> {
    const { manager } = this.dataSource;
    if ((await manager.countBy(Invoice, { reportId: IsNull() })) === 0) return null;
    const { id } = await this.schedules.trigger(MakeReport.kind);
    await this.jobs.waitFor(id, { timeoutMs: Infinity, signal }).catch(unlessAborted(signal));
    return manager.findOneBy(Report, { jobId: id });
  }

  latest(count: number): Promise<Report[]> {
    return this.dataSource.manager.find(Report, { order: { madeFor: 'DESC' }, take: count });
  }
}

/** A report is not waited for any more where the sample is stopped. */
function unlessAborted(signal: AbortSignal) {
  return (error: unknown) => {
    if (!signal.aborted) throw error;
  };
}

function linesOf(orders: readonly Order[]): ReportLine[] {
  const byCountry = new Map<string, ReportLine>();
  for (const order of orders) {
    const { country } = order;
    const line = byCountry.get(country) ?? { country, invoices: 0, totalCents: 0 };
    byCountry.set(country, {
      country,
      invoices: line.invoices + 1,
      totalCents: line.totalCents + totalCents(order),
    });
  }
  return [...byCountry.values()].toSorted((one, other) => other.totalCents - one.totalCents);
}
