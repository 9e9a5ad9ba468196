import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { JobClient } from 'nestjs-typeorm-jobs';
import { DataSource, type EntityManager } from 'typeorm';
import { CustomersService } from '../customers/customers.service.js';
import { jobIdsOf, RenderInvoice } from '../invoices/invoice.jobs.js';
import { RemindersService } from '../reminders/reminders.service.js';
import { isUnpaid, Order } from './order.entity.js';
import type { PlaceOrderDto } from './place-order.dto.js';

/** An order from another shop system. It already has a number. */
export interface NumberedOrder extends PlaceOrderDto {
  readonly number: string;
  readonly placedAt: Date;
  /** Null for an order that is not paid yet. */
  readonly paidAt: Date | null;
}

@Injectable()
export class OrdersService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly jobs: JobClient,
    private readonly reminders: RemindersService,
    private readonly customers: CustomersService,
  ) {}

  /** Stores an order and its jobs: the invoice, a reminder, and the sums of its customer. All or none. */
  async place(dto: PlaceOrderDto): Promise<Order> {
    const number = `W-${Date.now().toString(36).toUpperCase()}`;
    const [order] = await this.placeAll([{ ...dto, number, placedAt: new Date(), paidAt: null }]);
    return order!;
  }

  /** Like `place`, for many orders in one transaction. */
  placeAll(orders: readonly NumberedOrder[]): Promise<Order[]> {
    return this.jobs.transaction(async (manager) => {
      const stored = await manager.save(orders.map((order) => this.create(manager, order)));
      const renderings = stored.map(({ id }) =>
        RenderInvoice.with({ orderId: id }, { id: jobIdsOf(id).render }),
      );
      await this.jobs.enqueueMany(renderings);
      await this.reminders.remindLater(stored.filter(isUnpaid), manager);
      await this.customers.refreshLater(
        stored.map(({ email }) => email),
        manager,
      );
      return stored;
    });
  }

  find(id: string, manager = this.dataSource.manager): Promise<Order | null> {
    return manager.findOne(Order, {
      where: { id },
      relations: { lines: true },
      order: { lines: { position: 'ASC' } },
    });
  }

  latest(count: number): Promise<Order[]> {
    return this.dataSource.manager.find(Order, { order: { placedAt: 'DESC' }, take: count });
  }

  count(): Promise<number> {
    return this.dataSource.manager.count(Order);
  }

  private create(manager: EntityManager, { lines, ...order }: NumberedOrder): Order {
    return manager.create(Order, {
      ...order,
      lines: lines.map((line, index) => ({ ...line, position: index + 1 })),
    });
  }
}
