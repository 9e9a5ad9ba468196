import { Inject, Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { JobClient } from 'nestjs-typeorm-jobs';
import { DataSource, IsNull, type EntityManager } from 'typeorm';
import { Order, totalCents } from '../orders/order.entity.js';
import { SETTINGS } from '../settings.token.js';
import type { Settings } from '../settings.js';
import { Customer } from './customer.entity.js';
import { RefreshCustomer } from './customer.jobs.js';
import { RefreshRequest } from './refresh-request.entity.js';

/** How often a refresh was enqueued, how many of these joined one that waited, and how many have run. */
export interface RefreshCounts {
  readonly enqueued: number;
  readonly joined: number;
  readonly run: number;
}

/** A customer, and how many of its refreshes were joined. */
export interface CustomerView extends Customer {
  readonly joined: number;
}

@Injectable()
export class CustomersService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    @Inject(SETTINGS) private readonly settings: Settings,
    private readonly jobs: JobClient,
  ) {}

  /** Enqueues a refresh of each customer, one for each change of its orders, and notes which of them were joined. */
  async refreshLater(customers: readonly string[], manager: EntityManager): Promise<void> {
    const { refreshAfterMs: delayMs } = this.settings;
    const jobs = await this.jobs.enqueueMany(
      customers.map((customer) => RefreshCustomer.with({ customer }, { delayMs })),
    );
    const requests = jobs.map(({ id, enqueued }, index) => ({
      customer: customers[index]!,
      jobId: id,
      joined: enqueued === 'joined',
    }));
    await manager.insert(RefreshRequest, requests);
  }

  /** The row is locked before the orders are read, so that a refresh which follows does not overtake this one. */
  async refresh(email: string, manager: EntityManager): Promise<{ orders: number; totalCents: number }> {
    await manager.upsert(Customer, { email, refreshedAt: new Date() }, ['email']);
    const orders = await manager.find(Order, {
      where: { email, cancelledAt: IsNull() },
      relations: { lines: true },
    });
    const total = orders.reduce((sum, order) => sum + totalCents(order), 0);
    const sums = { orders: orders.length, totalCents: total };
    await manager.update(Customer, email, { ...sums, refreshes: () => 'refreshes + 1' });
    return sums;
  }

  async counts(): Promise<RefreshCounts> {
    const { manager } = this.dataSource;
    const [enqueued, joined] = [
      await manager.count(RefreshRequest),
      await manager.countBy(RefreshRequest, { joined: true }),
    ];
    return { enqueued, joined, run: (await manager.sum(Customer, 'refreshes')) ?? 0 };
  }

  /** Those that were refreshed last. */
  async latest(count: number): Promise<CustomerView[]> {
    const { manager } = this.dataSource;
    const customers = await manager.find(Customer, { order: { refreshedAt: 'DESC' }, take: count });
    return Promise.all(
      customers.map(async (customer) => ({
        ...customer,
        joined: await manager.countBy(RefreshRequest, { customer: customer.email, joined: true }),
      })),
    );
  }
}
