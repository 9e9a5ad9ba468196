import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { INestApplicationContext } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { JobClient, PermanentError, RetryableError } from 'nestjs-typeorm-jobs';
import { JobsTestingModule, jobsTester, type JobsTester } from 'nestjs-typeorm-jobs/testing';
import { InvoiceFiles } from '../src/invoices/invoice-files.js';
import { MailInvoice } from '../src/invoices/invoice.jobs.js';
import { InvoicesHandler } from '../src/invoices/invoices.handler.js';
import { Mailer } from '../src/mail/mailer.js';
import type { Order } from '../src/orders/order.entity.js';
import { OrdersService } from '../src/orders/orders.service.js';

const ORDER_ID = 'b6c58c1e-6f0f-4f5e-9c0f-3d2c1a0b9e8d';
const ORDER = { id: ORDER_ID, number: 'W-1', cancelledAt: null } as Order;

/** Needs no database, no mail server and no waiting. */
describe('Mailing an invoice', () => {
  let app: INestApplicationContext;
  let tester: JobsTester;
  let folder: string;
  let sent: string[];
  let order: Order;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shop-'));
    [sent, order] = [[], ORDER];
    const files = new InvoiceFiles({ dataDir: folder } as never);
    await files.write(ORDER.number, Buffer.from('a PDF'), 'attempt-1');
    const orders = { find: (id: string) => Promise.resolve(id === ORDER_ID ? order : null) };
    const mailer = {
      sendInvoice: ({ number }: Order, invoice: Buffer) => {
        sent.push(`${number}: ${invoice.toString()}`);
        return Promise.resolve(`<invoice-${number}@shop.example>`);
      },
    };
    app = await Test.createTestingModule({
      imports: [JobsTestingModule.forRoot()],
      providers: [
        InvoicesHandler,
        { provide: InvoiceFiles, useValue: files },
        { provide: OrdersService, useValue: orders },
        { provide: Mailer, useValue: mailer },
      ],
    }).compile();
    tester = jobsTester(app);
  });

  afterEach(async () => {
    await app.close();
    await rm(folder, { recursive: true });
  });

  const enqueue = (orderId = ORDER_ID) => app.get(JobClient).enqueue(MailInvoice, { orderId });

  it('sends the file and keeps the message id', async () => {
    await enqueue();
    const [attempt] = await tester.drain();
    expect(attempt).toMatchObject({
      outcome: 'done',
      job: { result: { messageId: '<invoice-W-1@shop.example>' } },
    });
    expect(sent).toEqual(['W-1: a PDF']);
  });

  it('retries when the mail server asked it to, and no sooner', async () => {
    await enqueue();
    tester.failNext(MailInvoice, new RetryableError('later', { retryAfterMs: 60_000 }));
    expect(await tester.drain()).toMatchObject([{ outcome: 'retry' }]);
    tester.advance(59_999);
    expect(await tester.drain()).toEqual([]);
    tester.advance(1);
    expect(await tester.drain()).toMatchObject([{ attempt: 2, outcome: 'done' }]);
  });

  it('gives up if the mail server refuses for good or the order is gone', async () => {
    await enqueue();
    tester.failNext(MailInvoice, new PermanentError('no such mailbox'));
    expect(await tester.drain()).toMatchObject([{ outcome: 'failed' }]);
    await enqueue('5f0c9a52-0d1e-4a86-8d0a-7a3e2b1c4d5e');
    expect(await tester.drain()).toMatchObject([
      { outcome: 'failed', error: { message: expect.stringContaining('There is no order') } },
    ]);
    expect(sent).toEqual([]);
  });

  it('sends nothing for an order that was cancelled', async () => {
    await enqueue();
    order = { ...ORDER, cancelledAt: new Date() };
    expect(await tester.drain()).toMatchObject([
      { outcome: 'cancelled', job: { cancelReason: 'The order W-1 was cancelled.' } },
    ]);
    expect(sent).toEqual([]);
  });

  it('sends the same mail again if its process died before the outcome was written', async () => {
    await enqueue();
    tester.crashDuring(MailInvoice);
    expect(await tester.drain()).toMatchObject([{ outcome: 'crashed' }]);
    tester.advance(31_000);
    expect(await tester.drain()).toMatchObject([{ attempt: 2, outcome: 'done', job: { crashes: 1 } }]);
    expect(sent).toEqual(['W-1: a PDF', 'W-1: a PDF']);
  });
});
