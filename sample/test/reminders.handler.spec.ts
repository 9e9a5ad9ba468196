import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { INestApplicationContext } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { getDataSourceToken } from '@nestjs/typeorm';
import { JobsTestingModule, jobsTester, type JobsTester } from 'nestjs-typeorm-jobs/testing';
import type { EntityManager } from 'typeorm';
import { Mailer } from '../src/mail/mailer.js';
import type { Order } from '../src/orders/order.entity.js';
import { RemindersHandler } from '../src/reminders/reminders.handler.js';
import { RemindersService } from '../src/reminders/reminders.service.js';
import { SETTINGS } from '../src/settings.token.js';

const ORDER_ID = 'b6c58c1e-6f0f-4f5e-9c0f-3d2c1a0b9e8d';
const MANAGER = { save: () => Promise.resolve() } as unknown as EntityManager;

/** Needs no database, no mail server and no waiting. */
describe('The reminder of an order', () => {
  let app: INestApplicationContext;
  let tester: JobsTester;
  let order: Order;
  let sent: string[];

  beforeEach(async () => {
    order = { id: ORDER_ID, number: 'W-1', paidAt: null, cancelledAt: null } as Order;
    sent = [];
    const sendReminder = (_order: Order, id: string) => {
      sent.push(id);
      return Promise.resolve(`<reminder-${id}@shop.example>`);
    };
    app = await Test.createTestingModule({
      imports: [JobsTestingModule.forRoot()],
      providers: [
        RemindersHandler,
        RemindersService,
        { provide: SETTINGS, useValue: { remindAfterMs: 5_000, remindWithinMs: 12_000 } },
        { provide: getDataSourceToken(), useValue: undefined },
        { provide: Mailer, useValue: { sendReminder } },
      ],
    }).compile();
    const withoutDatabase = { find: () => Promise.resolve(order), markSent: () => Promise.resolve() };
    Object.assign(app.get(RemindersService), withoutDatabase);
    tester = jobsTester(app);
  });

  afterEach(() => app.close());

  const change = () => app.get(RemindersService).remindLater([order], MANAGER);

  it('is put off by each change, and sent once when the changes have paused', async () => {
    await change();
    tester.advance(4_000);
    await change();
    tester.advance(4_999);
    expect(await tester.drain()).toEqual([]);
    tester.advance(1);
    expect(await tester.drain()).toMatchObject([{ outcome: 'done', job: { id: order.reminderId } }]);
    expect(sent).toEqual([order.reminderId]);
  });

  it('does not wait longer than it may, however often the order is changed', async () => {
    for (let ms = 0; ms < 12_000; ms += 3_000) {
      await change();
      expect(await tester.drain()).toEqual([]);
      tester.advance(3_000);
    }
    expect(await tester.drain()).toMatchObject([{ outcome: 'done' }]);
  });

  it('is not sent when the order is paid by then', async () => {
    await change();
    order.paidAt = new Date();
    tester.advance(5_000);
    expect(await tester.drain()).toMatchObject([{ job: { status: 'CANCELLED' } }]);
    expect(sent).toEqual([]);
  });
});
