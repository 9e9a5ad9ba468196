import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { INestApplicationContext } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { getDataSourceToken } from '@nestjs/typeorm';
import { JobsTestingModule, jobsTester, type JobsTester } from 'nestjs-typeorm-jobs/testing';
import type { EntityManager } from 'typeorm';
import { CustomersHandler } from '../src/customers/customers.handler.js';
import { CustomersService } from '../src/customers/customers.service.js';
import { SETTINGS } from '../src/settings.token.js';

const [ADA, BEN] = ['ada@example.com', 'ben@example.com'];

/** Needs no database. */
describe('The refresh of a customer', () => {
  let app: INestApplicationContext;
  let tester: JobsTester;
  let refreshed: string[];
  let joined: boolean[];

  beforeEach(async () => {
    [refreshed, joined] = [[], []];
    app = await Test.createTestingModule({
      imports: [JobsTestingModule.forRoot()],
      providers: [
        CustomersHandler,
        CustomersService,
        { provide: SETTINGS, useValue: { refreshAfterMs: 2_000 } },
        { provide: getDataSourceToken(), useValue: undefined },
      ],
    }).compile();
    const refresh = (email: string) => {
      refreshed.push(email);
      return Promise.resolve({ orders: 1, totalCents: 100 });
    };
    Object.assign(app.get(CustomersService), { refresh });
    tester = jobsTester(app);
  });

  afterEach(() => app.close());

  async function order(...customers: readonly string[]): Promise<void> {
    const insert = (_entity: unknown, requests: readonly { joined: boolean }[]) => {
      joined.push(...requests.map((request) => request.joined));
      return Promise.resolve();
    };
    await app.get(CustomersService).refreshLater(customers, { insert } as unknown as EntityManager);
  }

  it('runs once for all orders that come while it waits, and once for each customer', async () => {
    await order(ADA, BEN, ADA);
    await order(ADA);
    expect(joined).toEqual([false, false, true, true]);
    tester.advance(2_000);
    await tester.drain();
    expect(refreshed.toSorted()).toEqual([ADA, BEN]);
  });

  it('runs once more for an order that comes later', async () => {
    await order(ADA);
    tester.advance(2_000);
    await tester.drain();
    await order(ADA);
    expect(joined).toEqual([false, false]);
    tester.advance(2_000);
    await tester.drain();
    expect(refreshed).toEqual([ADA, ADA]);
  });
});
