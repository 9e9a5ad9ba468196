import { createServer, request as httpRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Injectable, VersioningType } from '@nestjs/common';
import helmet from 'helmet';
import type { Browser, Page } from 'playwright-core';
import { z } from 'zod';
import { defineJob, JobHandler, JobSchedule, type Job, type JobContext } from '../../lib/index.js';
import { ended } from '../support/applications.js';
import { TestDashboards, type Platform, type Setup } from '../support/dashboard.js';
import { openBrowser, openPage, settled, type OpenPage } from './browser.js';

/*
 * The pages in Nest applications, as users mount them: on both platforms, and wherever a dashboard may stand.
 */
const ASSETS = join(import.meta.dirname, '../../dist/dashboard/assets');
const FOLDER = join(import.meta.dirname, 'screenshots');
const HOUR = 3_600_000;

const Mail = defineJob('mail', { schema: z.object({ to: z.string(), count: z.number().optional() }) });

@Injectable()
class Mails {
  @JobHandler(Mail)
  send({ payload }: Job<{ to: string }>, { log, progress }: JobContext): unknown {
    log(`Sending to ${payload.to}.`);
    progress(0.5);
    if (payload.to === 'nobody') throw new Error(`No mailbox of "${payload.to}", 4711`);
    return { sent: true };
  }

  @JobSchedule({ everyMs: HOUR }, { name: 'hourly' })
  hourly(): void {}

  @JobSchedule('0 3 * * *', { name: 'nightly', timeZone: 'Europe/Berlin' })
  nightly(): void {}
}

interface Place {
  readonly name: string;
  readonly setup?: Setup;
  readonly path: string;
  /** What a proxy takes away. */
  readonly stripped?: string;
}

const PLACES: readonly Place[] = [
  { name: 'as it is', path: '/admin/jobs' },
  { name: 'with a global prefix', setup: (app) => app.setGlobalPrefix('api/v2'), path: '/api/v2/admin/jobs' },
  {
    name: 'with versions in URLs',
    setup: (app) => app.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' }),
    path: '/admin/jobs',
  },
  { name: 'under helmet', setup: (app) => app.use(helmet()), path: '/admin/jobs' },
  { name: 'behind a proxy that strips a prefix', path: '/ops/west/admin/jobs', stripped: '/ops/west' },
];

const PLATFORMS: readonly Platform[] = ['express', 'fastify'];
const MENU = ['Overview', 'Jobs', 'Errors', 'Kinds', 'Schedules', 'Workers', 'Audit'] as const;
/** Where only the address of the dashboard is another one. */
const SOME = ['Overview', 'Jobs', 'Audit'] as const;

let browser: Browser;
beforeAll(async () => {
  await mkdir(FOLDER, { recursive: true });
  browser = await openBrowser();
});
afterAll(() => browser.close());

describe.each(PLATFORMS)('The pages in an application on %s', (platform) => {
  const dashboards = TestDashboards.here();
  const proxies: Server[] = [];
  let open: OpenPage;
  let page: Page;

  beforeEach(async () => {
    open = await openPage(browser);
    ({ page } = open);
  });

  afterEach(async () => {
    await open.context.close();
    for (const proxy of proxies.splice(0)) {
      proxy.closeAllConnections();
      proxy.close();
    }
  });

  const start = async ({ setup, path, stripped }: Place) => {
    await dashboards.start({
      platform,
      setup,
      root: { providers: [Mails] },
      options: { assetsFolder: ASSETS },
    });
    const { client } = dashboards;
    const settings = { maxAttempts: 1 };
    await client.enqueue(Mail, { to: 'ada' }, { id: 'good' });
    await client.enqueue(Mail, { to: 'nobody' }, { id: 'bad', ...settings });
    await client.enqueue(Mail, { to: 'nobody' }, { id: 'worse', ...settings });
    await client.enqueue('later\u202E', { secret: 1 }, { id: 'later', delayMs: HOUR, tags: ['t'] });
    for (const id of ['good', 'bad', 'worse']) await ended(client, id);
    const origin = stripped === undefined ? dashboards.origin : await proxyTo(dashboards.origin, stripped);
    return `${origin}${path}`;
  };

  async function proxyTo(target: string, stripped: string): Promise<string> {
    const proxy = createServer((request, response) => {
      const path = request.url!.slice(stripped.length);
      const { method, headers } = request;
      const passed = httpRequest(new URL(path, target), { method, headers }, (answer) => {
        response.writeHead(answer.statusCode!, answer.headers);
        answer.pipe(response);
      });
      passed.on('error', () => response.destroy());
      response.on('close', () => passed.destroy());
      request.pipe(passed);
    });
    proxies.push(proxy);
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  }

  it.each(PLACES)('show every screen, $name', async (place) => {
    const url = await start(place);
    await page.goto(url);
    await settled(page);
    await page.getByText('live', { exact: true }).waitFor();
    for (const screen of place === PLACES[0] ? MENU : SOME) {
      await page.getByRole('navigation', { name: 'Screens' }).getByRole('link', { name: screen }).click();
      await page.getByRole('heading', { name: screen, level: 1 }).waitFor();
      await settled(page);
      expect(await page.locator('.failure').allInnerTexts()).toEqual([]);
      if (place === PLACES[0])
        await page.screenshot({ path: join(FOLDER, `real-${screen}-${platform}.png`), fullPage: true });
    }
    const { pathname } = new URL(page.url());
    expect(pathname).toBe(place.path);
    await page.reload(); // the address of a view is one of the server's
    await page.getByRole('heading', { name: 'Audit' }).waitFor();
    await page.goto(`${url}?view=job&id=bad`);
    await page.getByText('No mailbox of "nobody", 4711').first().waitFor();
    await page.screenshot({ path: join(FOLDER, `real-job-${platform}.png`), fullPage: true });
    expect(open.complaints).toEqual([]);
  });

  it('do every action', async () => {
    const url = await start(PLACES[0]!);
    const button = (name: string) => page.getByRole('button', { name, exact: true });
    const inDialog = () => page.getByRole('dialog');
    const told = (text: string) => page.getByRole('status').getByText(text).waitFor();
    const go = async (search: string) => {
      await page.goto(`${url}?${search}`);
      await settled(page);
    };

    await go('view=errors');
    await button('Retry all: Error: No mailbox of "…", …')
      .or(page.getByRole('button', { name: /^Retry all/ }))
      .first()
      .click();
    await button('Retry 2 jobs').click();
    await told('2 jobs retried.');

    await go('view=job&id=later');
    await button('Reveal payload').click();
    await page.getByText('"secret": 1').waitFor();
    await button('Edit').click();
    await inDialog().getByLabel('Payload').fill('{"secret": 2}');
    await inDialog().getByLabel('Priority').fill('4');
    await inDialog().getByLabel('Tags').fill('t, u');
    await button('Save').click();
    await told('The job was changed.');
    await button('Reschedule').click();
    await button('in 1 day').click();
    await inDialog().getByRole('button', { name: 'Reschedule' }).click();
    await told('The job was rescheduled.');
    expect(await dashboards.client.get('later')).toMatchObject({ payload: { secret: 2 }, priority: 4 });
    await button('Clone').click();
    await button('Enqueue a copy').click();
    await told('A copy was enqueued.');

    await go('view=jobs&kind=later%E2%80%AE');
    await page
      .getByRole('checkbox', { name: /^Select later/ })
      .first()
      .check();
    await button('Run now').click();
    await button('Run now 1 job')
      .or(inDialog().getByRole('button', { name: /Run now/ }))
      .first()
      .click();
    await inDialog().waitFor({ state: 'detached' });
    await page.getByRole('checkbox', { name: /All that match/ }).check();
    await button('Cancel').click();
    await inDialog()
      .getByText(/2 jobs will be cancelled/)
      .waitFor();
    await inDialog().getByRole('checkbox').check();
    await inDialog().getByRole('button', { name: 'Cancel 2 jobs' }).click();
    await told('2 jobs cancelled.');
    await page.getByRole('checkbox', { name: /All that match/ }).check();
    await button('Delete').click();
    await inDialog()
      .getByText(/2 jobs will be deleted/)
      .waitFor();
    await inDialog().getByRole('checkbox').check();
    await inDialog().getByRole('button', { name: 'Delete 2 jobs' }).click();
    await told('2 jobs deleted.');
    expect(await dashboards.client.get('later')).toBeNull();

    await go('view=kinds');
    await button('Pause mail').click();
    await inDialog().getByLabel('Reason').fill('The server is full.');
    await inDialog().getByRole('button', { name: 'Pause' }).click();
    await told('Paused: mail.');
    await button('Resume mail').click();
    await told('Resumed: mail.');

    await go('view=schedules');
    await button('Preview nightly').click();
    await inDialog().getByLabel('Cron expression').fill('0 6 * * 1');
    await button('Show its ticks').click();
    await inDialog()
      .getByText(/06:00:00/)
      .first()
      .waitFor();
    await page.keyboard.press('Escape');
    await button('Pause nightly').click();
    await inDialog().getByRole('button', { name: 'Pause' }).click();
    await told('Paused: nightly.');
    await button('Resume nightly').click();
    await told('Resumed: nightly.');
    await button('Run now hourly').click();
    await told('Enqueued a job of hourly.');
    await button('Backfill hourly').click();
    await button('Enqueue').click();
    await told('jobs enqueued.');

    await go('view=new-job&kind=mail');
    await page.getByLabel('to', { exact: true }).fill('grace');
    await page.getByLabel('count (optional)').fill('3');
    await button('Enqueue').click();
    await told('The job was enqueued.');
    await page.getByText('Sending to grace.').waitFor();

    await go('view=audit');
    const actions = await page.locator('td code').allInnerTexts();
    expect(new Set(actions)).toEqual(
      new Set([
        ...['reveal', 'retry-group', 'update', 'clone', 'run-now', 'cancel', 'delete', 'pause', 'resume'],
        ...['pause-schedule', 'resume-schedule', 'run-schedule', 'backfill', 'enqueue'],
      ]),
    );
    expect(open.complaints).toEqual([]);
  });
});
