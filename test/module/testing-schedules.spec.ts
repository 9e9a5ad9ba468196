import 'reflect-metadata';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import {
  JobHandler,
  JobSchedule,
  JobSchedules,
  JobsError,
  UnknownScheduleError,
  type Job,
  type JobContext,
} from '../../lib/index.js';
import { JobsTestingModule, jobsTester } from '../../lib/testing/index.js';

const DAY = 86_400_000;

@Injectable()
class Reports {
  @JobHandler('report.nightly')
  @JobSchedule('0 3 * * *', {
    timeZone: 'Europe/Berlin',
    payload: (tick: Date) => tick.toISOString().slice(0, 10),
  })
  nightly({ payload }: Job<string>, { tick }: JobContext) {
    return `${payload} ${tick!.toISOString()}`;
  }

  @JobSchedule({ everyMs: 60_000 }, { name: 'sync', overlap: 'queue' })
  sync() {
    return 'synced';
  }

  @JobSchedule('0 0 1 1 *', { name: 'broken', payload: () => Promise.reject(new Error('no customers')) })
  broken() {}
}

describe('Schedules in a test', () => {
  let app: TestingModule;
  afterEach(() => app.close());

  const compile = async () => {
    app = await Test.createTestingModule({
      imports: [JobsTestingModule.forRoot()],
      providers: [Reports],
    }).compile();
    return jobsTester(app);
  };

  it('are listed, and fire nothing by themselves', async () => {
    const tester = await compile();
    await app.init();
    expect((await tester.schedules()).map(({ name }) => name)).toEqual(['broken', 'report.nightly', 'sync']);
    await app.get(JobSchedules).upsert('made', { kind: 'sync', everyMs: DAY });
    tester.advance(DAY);
    expect(await tester.drain()).toEqual([]);
    expect((await tester.schedules()).map(({ name }) => name)).toContain('made');
  });

  it('come to their next tick, and the clock with them', async () => {
    const tester = await compile();
    const first = await tester.tick('report.nightly');
    expect(first!.tick).toEqual(tester.now);
    const hour = new Intl.DateTimeFormat('en', { timeZone: 'Europe/Berlin', hour: '2-digit', hour12: false });
    expect(hour.format(first!.tick)).toBe('03');
    const [ran] = await tester.drain();
    const iso = first!.tick!.toISOString();
    expect(ran).toMatchObject({ kind: 'report.nightly', job: { result: `${iso.slice(0, 10)} ${iso}` } });
    const second = await tester.tick('report.nightly');
    expect(second!.tick!.getTime() - first!.tick!.getTime()).toBeGreaterThanOrEqual(DAY - 3_600_000);
    expect(await tester.tick('report.nightly')).toBeNull(); // the job of the day before has not been run
  });

  it('fire all ticks that have come, in their order, and heed an overlap', async () => {
    const tester = await compile();
    await tester.schedules();
    tester.advance(3 * 60_000);
    const jobs = await tester.fireSchedules();
    expect(jobs.filter(({ kind }) => kind === 'sync')).toHaveLength(1); // one waits behind it, one is skipped
    expect(await tester.drain()).toHaveLength(jobs.length);
    const waiting = await tester.fireSchedules();
    expect(waiting).toMatchObject([{ kind: 'sync', schedule: 'sync' }]);
    expect((await tester.schedules()).find(({ name }) => name === 'sync')).toMatchObject({ skipped: 1 });
  });

  it('are triggered, and refuse what cannot be', async () => {
    const tester = await compile();
    expect(await tester.trigger('sync', { payload: 1 })).toMatchObject({ kind: 'sync', payload: 1 });
    await expect(tester.trigger('none')).rejects.toThrow(UnknownScheduleError);
    await expect(tester.tick('none')).rejects.toThrow(UnknownScheduleError);
    await app.get(JobSchedules).pause('sync');
    await expect(tester.tick('sync')).rejects.toThrow(JobsError);
    await expect(tester.tick('broken')).rejects.toThrow('no customers');
  });
});
