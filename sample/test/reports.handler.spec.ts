import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { INestApplicationContext } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { JobsTestingModule, jobsTester, type JobsTester } from 'nestjs-typeorm-jobs/testing';
import { ReportsHandler } from '../src/reports/reports.handler.js';
import { ReportsService } from '../src/reports/reports.service.js';
import { SHOP_TIME_ZONE } from '../src/settings.js';

/** Needs no database and no night. */
describe('The nightly report', () => {
  let app: INestApplicationContext;
  let tester: JobsTester;
  let made: { jobId: string; madeFor: Date }[];

  beforeEach(async () => {
    made = [];
    const make = (_manager: unknown, jobId: string, madeFor: Date) => {
      made.push({ jobId, madeFor });
      return Promise.resolve({ invoices: 2, totalCents: 4_200 });
    };
    app = await Test.createTestingModule({
      imports: [JobsTestingModule.forRoot()],
      providers: [ReportsHandler, { provide: ReportsService, useValue: { make } }],
    }).compile();
    tester = jobsTester(app);
  });

  afterEach(() => app.close());

  it("is made at 3 o'clock by the clock of the shop, and for that instant", async () => {
    const job = await tester.tick('report.nightly');
    const time = new Intl.DateTimeFormat('en-GB', { timeZone: SHOP_TIME_ZONE, timeStyle: 'short' });
    expect(time.format(job!.tick)).toBe('03:00');
    expect(await tester.drain()).toMatchObject([{ kind: 'report.nightly', outcome: 'done' }]);
    expect(made).toEqual([{ jobId: job!.id, madeFor: job!.tick }]);
  });

  it('is made once more for each night, and once for a press of the button', async () => {
    const [first, second] = [await tester.tick('report.nightly'), await tester.drain()];
    expect(second).toHaveLength(1);
    const next = await tester.tick('report.nightly');
    expect(next!.tick!.getTime()).toBeGreaterThan(first!.tick!.getTime());
    await tester.trigger('report.nightly', {});
    await tester.drain();
    expect(made).toHaveLength(3);
  });
});
