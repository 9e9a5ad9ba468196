import { copyFile, mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import {
  NARROW,
  openBrowser,
  openPage,
  seriousFindings,
  settled,
  shiftOf,
  WIDE,
  type OpenPage,
} from './browser.js';
import { idOf } from './mock/clock.js';
import { MockDashboard, type World } from './mock/server.js';

/*
 * Each screen, as somebody sees it: light and dark, wide and narrow, with nothing in the database, with jobs, with a million of
 * them, and without a database. The pictures are in test/dashboard/screenshots. Look at them after a change.
 */
const FOLDER = join(import.meta.dirname, 'screenshots');
/** The one that README.md shows, and where that is. */
const SHOWN = 'overview-jobs-wide-light.png';
const README_PICTURE = join(import.meta.dirname, '../../docs/dashboard.png');
const MAX_PICTURE_BYTES = 200_000;
/** In pixels. A page of errors is six times as high. */
const MAX_PICTURE_HEIGHT = 3_500;

const SCREENS = {
  overview: '',
  jobs: '?view=jobs',
  job: `?view=job&id=${idOf(25)}`,
  kinds: '?view=kinds',
  schedules: '?view=schedules',
  workers: '?view=workers',
  errors: '?view=errors',
  audit: '?view=audit',
  'new-job': '?view=new-job&kind=mail.send',
} as const;

const WORLDS: readonly World[] = ['empty', 'jobs', 'large', 'outage'];
const WIDTHS = { wide: WIDE, narrow: NARROW } as const;

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

describe.each(Object.keys(WIDTHS) as (keyof typeof WIDTHS)[])('On a %s screen', (width) => {
  let open: OpenPage;

  beforeAll(async () => {
    open = await openPage(browser, WIDTHS[width]);
  });

  afterAll(() => open.context.close());

  describe.each(WORLDS)('with the world %s', (world) => {
    it.each(Object.keys(SCREENS) as (keyof typeof SCREENS)[])(
      '%s is readable, raises no complaint, and fits',
      async (screen) => {
        const { page, complaints } = open;
        dashboard.become(world);
        await page.emulateMedia({ colorScheme: 'light' });
        await page.goto(`${dashboard.url}${SCREENS[screen]}`);
        await settled(page);
        if (world === 'outage') await page.getByText('This screen has no data.').waitFor();
        expect(await seriousFindings(page)).toEqual([]);
        expect(await overflowOf(open)).toBe(0);
        expect(await shiftOf(page)).toBeLessThan(0.005);
        await picture(page, `${screen}-${world}-${width}-light.png`);
        await page.emulateMedia({ colorScheme: 'dark' });
        // A million jobs have the colours of forty, and on pages that long the look at each of them takes half a minute.
        if (world !== 'large') expect(await seriousFindings(page, ['color-contrast'])).toEqual([]);
        await picture(page, `${screen}-${world}-${width}-dark.png`);
        expect(complaints).toEqual([]);
      },
    );
  });
});

/** The page as somebody scrolls through it, but not farther than a few screens. */
async function picture(page: Page, name: string): Promise<void> {
  const { width, height } = await page.evaluate(() => {
    const { scrollWidth, scrollHeight } = document.documentElement;
    return { width: scrollWidth, height: scrollHeight };
  });
  const clip = { x: 0, y: 0, width, height: Math.min(height, MAX_PICTURE_HEIGHT) };
  await page.screenshot({ path: join(FOLDER, name), fullPage: true, clip });
}

/** By how many pixels the page is wider than the window. */
function overflowOf({ page }: OpenPage): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

it('makes the picture of README.md, which is small', async () => {
  if (process.env.UPDATE_README === '1') await copyFile(join(FOLDER, SHOWN), README_PICTURE);
  expect((await stat(README_PICTURE)).size).toBeLessThan(MAX_PICTURE_BYTES);
  expect((await stat(join(FOLDER, SHOWN))).size).toBeLessThan(MAX_PICTURE_BYTES);
});
