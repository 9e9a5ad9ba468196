import { Injectable } from '@nestjs/common';
import { CancelJobError, JobHandler, PermanentError, type Job, type JobContext } from 'nestjs-typeorm-jobs';
import type { OfOrder } from '../invoices/invoice.jobs.js';
import { Mailer } from '../mail/mailer.js';
import { isUnpaid } from '../orders/order.entity.js';
import { RemindCustomer } from './reminder.jobs.js';
import { RemindersService } from './reminders.service.js';

/** May be called again for a job, and then sends its mail with the same message id. */
@Injectable()
export class RemindersHandler {
  constructor(
    private readonly reminders: RemindersService,
    private readonly mailer: Mailer,
  ) {}

  @JobHandler(RemindCustomer)
  async remind({ id, payload: { orderId } }: Job<OfOrder>, { manager }: JobContext) {
    const order = await this.reminders.find(orderId, manager);
    if (order === null) throw new PermanentError(`There is no order ${orderId}.`);
    if (!isUnpaid(order)) throw new CancelJobError(`The order ${order.number} is paid or cancelled.`);
    const messageId = await this.mailer.sendReminder(order, id);
    await this.reminders.markSent(id, order, manager);
    return { messageId };
  }
}
