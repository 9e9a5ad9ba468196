import { Injectable } from '@nestjs/common';
import { JobClient } from 'nestjs-typeorm-jobs';
import type { EntityManager } from 'typeorm';
import { CustomersService } from '../customers/customers.service.js';
import { jobIdsOf } from '../invoices/invoice.jobs.js';
import { RemindersService } from '../reminders/reminders.service.js';
import { isUnpaid, Order } from './order.entity.js';

/** Changes orders together with their jobs: each method is one transaction. @returns null where there is no such order */
@Injectable()
export class OrderChanges {
  constructor(
    private readonly jobs: JobClient,
    private readonly reminders: RemindersService,
    private readonly customers: CustomersService,
  ) {}

  /** Wraps an order as a gift, or unwraps it. Its reminder is put off. */
  toggleGiftWrap(id: string): Promise<Order | null> {
    return this.change(id, async (order, manager) => {
      order.giftWrapped = !order.giftWrapped;
      order.changes += 1;
      await manager.save(order);
      if (isUnpaid(order)) await this.reminders.remindLater([order], manager);
    });
  }

  /** Marks an order as paid. Its reminder is cancelled. */
  pay(id: string): Promise<Order | null> {
    return this.change(id, async (order, manager) => {
      order.paidAt ??= new Date();
      await manager.save(order);
      if (order.reminderId !== null)
        await this.jobs.cancel(order.reminderId, { reason: 'The order is paid.' });
    });
  }

  /** Cancels an order, and those of its jobs that have not ended. */
  cancel(id: string): Promise<Order | null> {
    return this.change(id, async (order, manager) => {
      order.cancelledAt = new Date();
      await manager.save(order);
      const { render, mail } = jobIdsOf(id);
      const reason = `The order ${order.number} was cancelled.`;
      for (const jobId of [render, mail, order.reminderId])
        if (jobId !== null) await this.jobs.cancel(jobId, { reason });
      await this.customers.refreshLater([order.email], manager);
    });
  }

  /** Changes to one order come one after another. An order that is cancelled stays as it is. */
  private change(
    id: string,
    apply: (order: Order, manager: EntityManager) => Promise<void>,
  ): Promise<Order | null> {
    return this.jobs.transaction(async (manager) => {
      const order = await manager.findOne(Order, { where: { id }, lock: { mode: 'pessimistic_write' } });
      if (order !== null && order.cancelledAt === null) await apply(order, manager);
      return order;
    });
  }
}
