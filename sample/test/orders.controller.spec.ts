import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ConflictException, NotFoundException, type INestApplicationContext } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { JobClient } from 'nestjs-typeorm-jobs';
import { JobsTestingModule } from 'nestjs-typeorm-jobs/testing';
import { InvoiceFiles } from '../src/invoices/invoice-files.js';
import { jobIdsOf, RenderInvoice } from '../src/invoices/invoice.jobs.js';
import { OrdersController } from '../src/orders/orders.controller.js';
import { OrdersService } from '../src/orders/orders.service.js';
import { SETTINGS } from '../src/settings.token.js';

const ORDER_ID = 'b6c58c1e-6f0f-4f5e-9c0f-3d2c1a0b9e8d';

/** No job runs here: the queue is in memory, and only a test would drain it. */
describe('A request for an invoice', () => {
  let app: INestApplicationContext;
  let client: AbortController;
  let response: ServerResponse;
  let settings: { invoiceWaitMs: number };

  beforeEach(async () => {
    client = new AbortController();
    settings = { invoiceWaitMs: 20 };
    response = { statusCode: 200 } as ServerResponse;
    app = await Test.createTestingModule({
      imports: [JobsTestingModule.forRoot({ unknownKinds: 'allow' })],
      controllers: [OrdersController],
      providers: [
        { provide: OrdersService, useValue: { find: () => Promise.resolve({ number: 'W-1' }) } },
        { provide: InvoiceFiles, useValue: {} },
        { provide: SETTINGS, useValue: settings },
      ],
    }).compile();
  });

  afterEach(() => app.close());

  const enqueue = () =>
    app.get(JobClient).enqueue(RenderInvoice, { orderId: ORDER_ID }, { id: jobIdsOf(ORDER_ID).render });
  const ask = (signal = client.signal) => app.get(OrdersController).awaitInvoice(ORDER_ID, signal, response);

  it('is told to come back where the rendering takes longer', async () => {
    await enqueue();
    expect(await ask()).toMatchObject({ number: 'W-1', message: expect.stringContaining('Ask again') });
    expect(response.statusCode).toBe(202);
  });

  it('is given up when its client has gone, and changes nothing', async () => {
    const { id } = await enqueue();
    settings.invoiceWaitMs = 1_000;
    const patient = ask(new AbortController().signal);
    const answer = ask(client.signal);
    client.abort();
    expect(await Promise.race([patient, answer])).toBeUndefined();
    expect(response.statusCode).toBe(200);
    await patient;
    expect(await app.get(JobClient).get(id)).toMatchObject({ status: 'PENDING' });
  });

  it('is refused where the job was cancelled, or is not kept any longer', async () => {
    const { id } = await enqueue();
    await app.get(JobClient).cancel(id, { reason: 'The order was cancelled.' });
    await expect(ask()).rejects.toThrow(ConflictException);
    await app.get(JobClient).delete(id);
    await expect(ask()).rejects.toThrow(NotFoundException);
  });
});
