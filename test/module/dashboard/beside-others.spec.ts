import { describe, expect, it, jest } from '@jest/globals';
import {
  Catch,
  ValidationPipe,
  type CallHandler,
  type ExceptionFilter,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { map, tap } from 'rxjs';
import type { Overview } from '../../../lib/dashboard/api/screens.js';
import { JobsDashboardModule } from '../../../lib/dashboard/index.js';
import { JobQueue, JobsModule, getJobClientToken, type JobClient } from '../../../lib/index.js';
import { TestDashboards } from '../../support/dashboard.js';
import { until } from '../../support/until.js';

const PLATFORMS = ['express', 'fastify'] as const;

/** As many applications have one. */
class Wrap implements NestInterceptor {
  readonly seen: string[] = [];

  intercept(context: ExecutionContext, next: CallHandler) {
    this.seen.push(context.getHandler().name);
    return next.handle().pipe(
      map((data: unknown) => ({ success: true, data })),
      tap(() => this.seen.push('after')),
    );
  }
}

/** Answers all errors in a form of its own. */
@Catch()
class OwnErrors implements ExceptionFilter {
  catch(error: unknown): void {
    throw error;
  }
}

describe.each(PLATFORMS)('The dashboard in an application on %s', (platform) => {
  const dashboards = TestDashboards.here();

  it('holds beside global interceptors, pipes and filters', async () => {
    const wrap = new Wrap();
    await dashboards.start({
      platform,
      setup: (app) => {
        app.useGlobalInterceptors(wrap);
        app.useGlobalPipes(
          new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true, transform: true }),
        );
        app.useGlobalFilters(new OwnErrors());
        app.enableCors({ origin: true, credentials: true });
      },
    });
    expect((await dashboards.get('/admin/jobs')).text).toMatch(/^<!doctype html>/);
    expect((await dashboards.get('/admin/jobs/api/jobs')).json()).toMatchObject({ jobs: [], complete: true });
    expect((await dashboards.act('enqueue', { kind: 'mail' })).json()).toEqual({ id: expect.any(String) });
    expect((await dashboards.get('/admin/jobs/api/job?id=gone')).json()).toMatchObject({
      error: { code: 'not-found' },
    });
    const stream = await dashboards.open('GET', '/admin/jobs/api/live');
    for await (const chunk of stream) {
      if (!String(chunk).includes('data: ')) continue;
      expect(String(chunk)).toContain('data: {"now":');
      break;
    }
    expect(wrap.seen).toContain('live');
  });

  it('ends its streams when the application ends, which then closes', async () => {
    const app = await dashboards.start({ platform });
    const streams = await Promise.all([1, 2].map(() => dashboards.open('GET', '/admin/jobs/api/live')));
    const ends = streams.map(async (stream) => {
      for await (const _chunk of stream);
    });
    await app.close();
    await Promise.all(ends);
  });

  it('asks the database as often for many pages as for one, and not at all without one', async () => {
    const app = await dashboards.start({ platform });
    const counts = jest.spyOn(app.get(JobQueue).kinds, 'counts');
    const streams = await Promise.all(
      Array.from({ length: 10 }, () => dashboards.open('GET', '/admin/jobs/api/live')),
    );
    const heard = streams.map(async (stream) => {
      let text = '';
      for await (const chunk of stream) {
        text += String(chunk);
        if (text.split('data: ').length > 2) return text;
      }
      return text;
    });
    const texts = await Promise.all(heard);
    for (const text of texts) {
      expect(text).toMatch(/^retry: 2000\n\ndata: /);
      const [first] = text.split('data: ').slice(1);
      expect((JSON.parse(first!) as Overview).minutes).toHaveLength(60);
    }
    expect(counts.mock.calls.length).toBeLessThanOrEqual(4);
    counts.mockClear();
    const pages = Array.from({ length: 10 }, () => dashboards.get('/admin/jobs/api/overview'));
    await Promise.all(pages);
    expect(counts.mock.calls.length).toBeLessThanOrEqual(3);
    const { Dashboard } = await import('../../../lib/dashboard/dashboard.js');
    await until(() => app.get(Dashboard).parts.feed.size === 0);
  });

  it('stands beside another one, of another JobsModule', async () => {
    const options = { unguarded: true, assetsFolder: dashboards.assetsFolder };
    const app = await dashboards.start({
      platform,
      root: { imports: [JobsModule.forRoot({ name: 'mails', unknownKinds: 'allow' })] },
      dashboards: [
        JobsDashboardModule.forRoot({ ...options, path: 'admin/jobs' }),
        JobsDashboardModule.forRoot({ ...options, path: 'admin/mails', name: 'mails' }),
      ],
    });
    await app.get<JobClient>(getJobClientToken('mails')).enqueue('mail', 1, { id: 'of mails' });
    expect((await dashboards.get('/admin/jobs/api/jobs')).json()).toMatchObject({ jobs: [] });
    expect((await dashboards.get('/admin/mails/api/jobs')).json()).toMatchObject({
      jobs: [{ id: 'of mails' }],
    });
    expect((await dashboards.get('/admin/mails')).text).toContain('<title>mails</title>');
  });

  it('says what is missing where it cannot start', async () => {
    const start = (options: object) => dashboards.start({ platform, options });
    await expect(start({ name: 'mails' })).rejects.toThrow(
      /JobsModule "mails", which this application does not import/,
    );
    await expect(start({ assetsFolder: '/nowhere' })).rejects.toThrow(/are not in \/nowhere.*assetsFolder/s);
  });

  it('says so where the database does not answer, and shows nothing of its errors', async () => {
    const app = await dashboards.start({ platform });
    const queue = app.get(JobQueue);
    jest.spyOn(queue.reads, 'search').mockRejectedValue(new Error('password of the database'));
    const { status, text } = await dashboards.get('/admin/jobs/api/jobs');
    expect(status).toBe(500);
    expect(JSON.parse(text)).toMatchObject({ error: { code: 'internal' } });
    expect(text).not.toContain('password');
    jest.spyOn(queue.reads, 'search').mockReturnValue(new Promise(() => undefined));
    const slow = await dashboards.get('/admin/jobs/api/jobs');
    expect([slow.status, slow.json()]).toEqual([
      503,
      { error: { code: 'too-slow', message: expect.stringContaining('within 5 s') } },
    ]);
    jest.restoreAllMocks();
    expect(await dashboards.get('/admin/jobs/api/jobs')).toMatchObject({ status: 200 });
  });
});
