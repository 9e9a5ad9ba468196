import { Inject, Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { JobClient, JobEntity } from 'nestjs-typeorm-jobs';
import { DataSource, In, type EntityManager } from 'typeorm';
import { Order } from '../orders/order.entity.js';
import { SETTINGS } from '../settings.token.js';
import type { Settings } from '../settings.js';
import { Reminder } from './reminder.entity.js';
import { RemindCustomer } from './reminder.jobs.js';

/** A reminder that waits until its order has not changed for a while. */
export interface WaitingReminder {
  readonly order: Order;
  readonly runAt: Date;
}

@Injectable()
export class RemindersService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    @Inject(SETTINGS) private readonly settings: Settings,
    private readonly jobs: JobClient,
  ) {}

  /** Each change of an order puts its reminder off, so several changes make one. Orders keep the id of the job. */
  async remindLater(orders: readonly Order[], manager: EntityManager): Promise<void> {
    const { remindAfterMs: waitMs, remindWithinMs: maxWaitMs } = this.settings;
    const reminders = await this.jobs.enqueueMany(
      orders.map(({ id }) =>
        RemindCustomer.with({ orderId: id }, { debounce: { key: id, waitMs, maxWaitMs } }),
      ),
    );
    await manager.save(
      orders.map((order, index) => Object.assign(order, { reminderId: reminders[index]!.id })),
    );
  }

  find(orderId: string, manager: EntityManager): Promise<Order | null> {
    return manager.findOne(Order, { where: { id: orderId }, relations: { lines: true } });
  }

  async markSent(jobId: string, { id, number, changes }: Order, manager: EntityManager): Promise<void> {
    await manager.insert(Reminder, { jobId, orderId: id, orderNumber: number, changes });
  }

  countSent(): Promise<number> {
    return this.dataSource.manager.count(Reminder);
  }

  latest(count: number): Promise<Reminder[]> {
    return this.dataSource.manager.find(Reminder, { order: { sentAt: 'DESC' }, take: count });
  }

  /** The next ones. */
  async waiting(count: number): Promise<WaitingReminder[]> {
    const { manager } = this.dataSource;
    const jobs = await manager.find(JobEntity, {
      where: { kind: RemindCustomer.kind, status: 'PENDING' },
      order: { runAt: 'ASC' },
      take: count,
    });
    const orders = await manager.findBy(Order, { reminderId: In(jobs.map(({ id }) => id)) });
    return jobs.flatMap(({ id, runAt }) => {
      const order = orders.find(({ reminderId }) => reminderId === id);
      return order === undefined ? [] : [{ order, runAt }];
    });
  }
}
