import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { NARROW, openBrowser, openPage, seriousFindings, settled, WIDE, type OpenPage } from './browser.js';
import { idOf } from './mock/clock.js';
import { MockDashboard } from './mock/server.js';

/* What lies over a screen: dialogs, results of actions, and the menu of a narrow screen. */
const FOLDER = join(import.meta.dirname, 'screenshots');
const dashboard = new MockDashboard();
let browser: Browser;

beforeAll(async () => {
  await mkdir(FOLDER, { recursive: true });
  await dashboard.start();
  browser = await openBrowser();
});

afterAll(async () => {
  await browser.close();
  await dashboard.stop();
});

/** @returns what opens the dialog behind a button, and waits until it shows this */
function dialogOf(button: string | RegExp, shown?: string): (page: Page) => Promise<void> {
  return async (page) => {
    await page.getByRole('button', { name: button }).first().click();
    const dialog = page.getByRole('dialog');
    await (shown === undefined ? dialog : dialog.getByText(shown)).waitFor();
  };
}

/** Where each is, and how it is opened. */
const OPENED: Readonly<Record<string, readonly [search: string, open: (page: Page) => Promise<void>]>> = {
  'all that match': [
    '?view=jobs&state=failed',
    async (page) => {
      await page.getByRole('checkbox', { name: /All that match/ }).check();
      await dialogOf('Delete', 'jobs will be deleted')(page);
    },
  ],
  'a span of time': ['?view=jobs', dialogOf('Time…')],
  edit: [`?view=job&id=${idOf(6)}`, dialogOf('Edit')],
  clone: [`?view=job&id=${idOf(6)}`, dialogOf('Clone')],
  reschedule: [`?view=job&id=${idOf(6)}`, dialogOf('Reschedule')],
  pause: ['?view=kinds', dialogOf('Pause invoice.create')],
  preview: ['?view=schedules', dialogOf('Preview report.nightly', 'From now')],
  backfill: ['?view=schedules', dialogOf('Backfill report.nightly', '2 jobs will be enqueued.')],
  'retry a group': ['?view=errors', dialogOf(/^Retry all/, '128 jobs will be ready')],
  shortcuts: [
    '',
    async (page) => {
      await page.keyboard.press('?');
      await page.getByRole('dialog').waitFor();
    },
  ],
  results: [
    '?view=kinds',
    async (page) => {
      await page.getByRole('button', { name: 'Resume webhook.deliver' }).click();
      await page.getByText('Resumed: webhook.deliver.').waitFor();
    },
  ],
  stack: [
    `?view=job&id=${idOf(20)}`,
    async (page) => {
      await page.locator('.stack summary').last().click();
      await page.getByText('at async').last().waitFor();
    },
  ],
  search: ['?view=jobs&kind=mail.send&error=Greylisted&createdAfter=1795000000000', () => Promise.resolve()],
  outage: [
    '?view=kinds',
    async (page) => {
      dashboard.become('outage');
      await page.getByText('What you see is not up to date.').waitFor();
    },
  ],
};

describe.each([
  ['wide', WIDE, 'light'],
  ['narrow', NARROW, 'dark'],
] as const)('On a %s screen', (width, viewport, colorScheme) => {
  let open: OpenPage;

  beforeAll(async () => {
    open = await openPage(browser, viewport);
    await open.page.emulateMedia({ colorScheme });
  });

  afterAll(() => open.context.close());

  it.each(Object.keys(OPENED))('%s is readable, raises no complaint, and fits', async (name) => {
    const [search, show] = OPENED[name]!;
    const { page, complaints } = open;
    dashboard.become('jobs');
    await page.goto(`${dashboard.url}${search}`);
    await settled(page);
    await show(page);
    await page.screenshot({ path: join(FOLDER, `over-${name.replaceAll(' ', '-')}-${width}.png`) });
    expect(await seriousFindings(page)).toEqual([]);
    const overflow = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    expect(overflow).toBe(0);
    expect(await cutOff(page)).toEqual([]);
    expect(complaints).toEqual([]);
  });
});

/** The parts of a dialog whose content is wider than they are. */
function cutOff(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const parts = [
      ...document.querySelectorAll<HTMLElement>('dialog, dialog form, dialog .field, dialog .dialog-buttons'),
    ];
    return parts
      .filter((part) => part.scrollWidth > part.clientWidth + 1)
      .map((part) => part.outerHTML.slice(0, 80));
  });
}

describe('On a narrow screen', () => {
  it('the menu opens and closes', async () => {
    const { page, context } = await openPage(browser, NARROW);
    dashboard.become('jobs');
    await page.goto(dashboard.url);
    const menu = page.getByRole('button', { name: 'Menu' });
    await menu.click();
    await page.screenshot({ path: join(FOLDER, 'over-menu-narrow.png') });
    expect(await seriousFindings(page)).toEqual([]);
    await page.getByRole('link', { name: 'Workers' }).first().click();
    await page.getByRole('heading', { name: 'Workers' }).waitFor();
    expect(await menu.getAttribute('aria-expanded')).toBe('false');
    await context.close();
  });
});
