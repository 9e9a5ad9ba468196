import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { Injectable, UseInterceptors } from '@nestjs/common';
import {
  CancelJobError,
  JobClient,
  JobHandler,
  PermanentError,
  type Job,
  type JobContext,
} from 'nestjs-typeorm-jobs';
import type { EntityManager } from 'typeorm';
import { Mailer } from '../mail/mailer.js';
import type { Order } from '../orders/order.entity.js';
import { OrdersService } from '../orders/orders.service.js';
import { InvoiceFiles } from './invoice-files.js';
import { renderInvoice } from './invoice-pdf.js';
import { Invoice } from './invoice.entity.js';
import { jobIdsOf, MailInvoice, RenderInvoice, type OfOrder } from './invoice.jobs.js';
import { SlowJobsInterceptor } from './slow-jobs.interceptor.js';

/**
 * Jobs run at least once, so both handlers may be called again for an order. The first is transactional, so its writes
 * to the database happen once, and it overwrites its file. The second sends its mail with the same message id each time.
 */
@Injectable()
@UseInterceptors(SlowJobsInterceptor)
export class InvoicesHandler {
  constructor(
    private readonly orders: OrdersService,
    private readonly files: InvoiceFiles,
    private readonly mailer: Mailer,
    private readonly jobs: JobClient,
  ) {}

  @JobHandler(RenderInvoice)
  async render({ payload: { orderId } }: Job<OfOrder>, { manager, leaseToken }: JobContext) {
    const order = await this.require(orderId, manager);
    const content = await renderInvoice(order);
    const path = await this.files.write(order.number, content, `attempt-${leaseToken}`);
    const rendered = { file: basename(path), bytes: content.length };
    await manager.insert(Invoice, { orderId, ...rendered });
    await this.jobs.enqueue(MailInvoice, { orderId }, { id: jobIdsOf(orderId).mail });
    return rendered;
  }

  @JobHandler(MailInvoice)
  async mail({ payload }: Job<OfOrder>) {
    const order = await this.require(payload.orderId);
    const invoice = await readFile(this.files.pathOf(order.number));
    return { messageId: await this.mailer.sendInvoice(order, invoice) };
  }

  private async require(orderId: string, manager?: EntityManager): Promise<Order> {
    const order = await this.orders.find(orderId, manager);
    if (order === null) throw new PermanentError(`There is no order ${orderId}.`);
    if (order.cancelledAt !== null) throw new CancelJobError(`The order ${order.number} was cancelled.`);
    return order;
  }
}
