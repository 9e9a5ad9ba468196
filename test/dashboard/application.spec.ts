import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { ended } from '../support/applications.js';
import { TestDashboards } from '../support/dashboard.js';
import { openBrowser, openPage, settled, type OpenPage } from './browser.js';
import { Mail, Mails } from './mails.js';
import { AS_IT_IS, ASSETS, MOUNTS, PLATFORMS, Proxies, type Mount } from './mounts.js';

/*
 * The pages in Nest applications, as users mount them: on both platforms, and wherever a dashboard may stand.
 */
const FOLDER = join(import.meta.dirname, 'screenshots');
const HOUR = 3_600_000;
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
  const proxies = Proxies.here();
  let open: OpenPage;
  let page: Page;

  beforeEach(async () => {
    open = await openPage(browser);
    ({ page } = open);
  });

  afterEach(() => open.context.close());

  const start = async (mount: Mount) => {
    await dashboards.start({
      platform,
      setup: mount.setup,
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
    return proxies.urlOf(dashboards.origin, mount);
  };

  it.each(MOUNTS)('show every screen, $name', async (mount) => {
    const url = await start(mount);
    await page.goto(url);
    await settled(page);
    await page.getByText('live', { exact: true }).waitFor();
    for (const screen of mount === AS_IT_IS ? MENU : SOME) {
      await page.getByRole('navigation', { name: 'Screens' }).getByRole('link', { name: screen }).click();
      await page.getByRole('heading', { name: screen, level: 1 }).waitFor();
      await settled(page);
      expect(await page.locator('.failure').allInnerTexts()).toEqual([]);
      if (mount === AS_IT_IS)
        await page.screenshot({ path: join(FOLDER, `real-${screen}-${platform}.png`), fullPage: true });
    }
    const { pathname } = new URL(page.url());
    expect(pathname).toBe(mount.path);
    await page.reload(); // the address of a view is one of the server's
    await page.getByRole('heading', { name: 'Audit' }).waitFor();
    await page.goto(`${url}?view=job&id=bad`);
    await page.getByText('No mailbox of "nobody", 4711').first().waitFor();
    await page.screenshot({ path: join(FOLDER, `real-job-${platform}.png`), fullPage: true });
    expect(open.complaints).toEqual([]);
  });
});
