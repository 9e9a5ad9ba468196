import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { Injectable } from '@nestjs/common';
import {
  DuplicateJobError,
  JobClient,
  JobHandler,
  PermanentError,
  type Job,
  type JobContext,
} from 'nestjs-typeorm-jobs';
import { Mailer } from '../mail/mailer.js';
import type { Order } from '../orders/order.entity.js';
import { OrdersService } from '../orders/orders.service.js';
import { InvoiceFiles } from './invoice-files.js';
import { renderInvoice } from './invoice-pdf.js';
import { jobIdsOf, MailInvoice, RenderInvoice } from './invoice.jobs.js';

/**
 * A job runs at least once, so both handlers may be called again for an order: the file is written over, the mail job
 * has an id that can only be enqueued once, and the mail has the same message id each time.
 */
@Injectable()
export class InvoicesHandler {
  constructor(
    private readonly orders: OrdersService,
    private readonly files: InvoiceFiles,
    private readonly mailer: Mailer,
    private readonly jobs: JobClient,
  ) {}

  @JobHandler(RenderInvoice)
  async render({ payload }: Job<{ orderId: string }>, { leaseToken }: JobContext) {
    const order = await this.require(payload.orderId);
    const content = await renderInvoice(order);
    const path = await this.files.write(order.number, content, `attempt-${leaseToken}`);
    await this.enqueueMail(order.id);
    return { file: basename(path), bytes: content.length };
  }

  @JobHandler(MailInvoice)
  async mail({ payload }: Job<{ orderId: string }>) {
    const order = await this.require(payload.orderId);
    const invoice = await readFile(this.files.pathOf(order.number));
    return { messageId: await this.mailer.sendInvoice(order, invoice) };
  }

  private async enqueueMail(orderId: string): Promise<void> {
    try {
      await this.jobs.enqueue(MailInvoice, { orderId }, { id: jobIdsOf(orderId).mail });
    } catch (error) {
      if (!(error instanceof DuplicateJobError)) throw error; // an earlier attempt came as far as this
    }
  }

  private async require(orderId: string): Promise<Order> {
    const order = await this.orders.find(orderId);
    if (order === null) throw new PermanentError(`There is no order ${orderId}.`);
    return order;
  }
}
