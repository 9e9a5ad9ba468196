import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { openBrowser, openPage, settled } from './browser.js';
import { idOf } from './mock/clock.js';
import { MockDashboard } from './mock/server.js';

/* Everything with the keyboard alone. */
const dashboard = new MockDashboard();
let browser: Browser;
let page: Page;

beforeAll(async () => {
  await dashboard.start();
  browser = await openBrowser();
  ({ page } = await openPage(browser));
});

afterAll(async () => {
  await browser.close();
  await dashboard.stop();
});

beforeEach(() => dashboard.become('jobs'));

async function press(...keys: readonly string[]): Promise<void> {
  for (const key of keys) await page.keyboard.press(key);
}

/** The text, or the name, of what has the focus. */
function focused(): Promise<string> {
  return page.evaluate(() => {
    const element = document.activeElement as HTMLElement;
    return (element.getAttribute('aria-label') ?? element.innerText).trim();
  });
}

/** Goes forward with Tab until something has the focus. */
async function tabTo(name: RegExp): Promise<void> {
  for (let count = 0; count < 80; count++) {
    if (name.test(await focused())) return;
    await press('Tab');
  }
  throw new Error(`Tab does not come to ${name.source}.`);
}

describe('With the keyboard alone', () => {
  it('a failed group is found, one of its jobs looked at, and all of it retried', async () => {
    await page.goto(dashboard.url);
    await settled(page);
    await tabTo(/^Errors$/);
    await press('Enter');
    await page.getByRole('heading', { name: 'Errors' }).waitFor();
    await page.getByText('Greylisted').waitFor();
    expect(await focused()).toBe('Errors');
    await press('j', 'j');
    expect(await focused()).toMatch(/^FetchError/);
    await press('Enter');
    await page.getByRole('heading', { name: 'Timeline' }).waitFor();
    expect(new URL(page.url()).search).toBe(`?view=job&id=${idOf(25)}`);
    await page.goBack(); // Alt and the left arrow: a key of the browser, which the test cannot press
    await page.getByRole('heading', { name: 'Errors' }).waitFor();
    await page.getByText('Greylisted').waitFor();
    await press('j', 'j');
    await tabTo(/^Retry all: FetchError/);
    await press('Enter');
    await page.getByText('128 jobs will be ready at once').waitFor();
    await tabTo(/^Retry 128 jobs$/);
    await press('Enter');
    await page.getByText('128 jobs retried.').waitFor();
    expect(dashboard.asked.map(({ name, body }) => [name, body.dryRun])).toEqual([
      ['retry-group', true],
      ['retry-group', undefined],
    ]);
    expect(await focused()).toMatch(/^Retry all: FetchError/);
  });

  it('rows are gone through, selected and opened', async () => {
    await page.goto(`${dashboard.url}?view=jobs`);
    await settled(page);
    await press('j', 'x', 'j', 'ArrowDown', 'x', 'k');
    await page.getByText('2 selected').waitFor();
    const keys = await page
      .locator('tr.is-selected')
      .evaluateAll((rows) => rows.map((row) => (row as HTMLTableRowElement).sectionRowIndex));
    expect(keys).toEqual([0, 2]);
    expect(await page.evaluate(() => (document.activeElement as HTMLTableRowElement).sectionRowIndex)).toBe(
      1,
    );
    await press('Enter');
    await page.getByRole('heading', { name: 'Timeline' }).waitFor();
  });

  it('keys count that come faster than the page is drawn', async () => {
    await page.goto(`${dashboard.url}?view=jobs`);
    await settled(page);
    await page.evaluate(() => {
      for (const key of ['j', 'x', 'j', 'x', 'j', 'x'])
        document.activeElement!.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
    });
    await page.getByText('3 selected').waitFor();
  });

  it('the search has the focus after a slash, and typing there is no command', async () => {
    await page.goto(`${dashboard.url}?view=jobs`);
    await settled(page);
    await press('/');
    expect(await focused()).toBe('Search for jobs');
    await page.keyboard.type('jx?/');
    expect(await page.getByLabel('Search for jobs').inputValue()).toBe('jx?/');
    expect(await page.getByRole('dialog').count()).toBe(0);
  });

  it('Escape closes a dialog, and the focus goes back', async () => {
    await page.goto(`${dashboard.url}?view=kinds`);
    await settled(page);
    await tabTo(/^Pause mail.send$/);
    await press('Enter');
    await page.getByRole('dialog').waitFor();
    await press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(await focused()).toBe('Pause mail.send');
    expect(dashboard.asked).toEqual([]);
  });

  it('the first stop leads past the menu', async () => {
    await page.goto(`${dashboard.url}?view=jobs`);
    await settled(page);
    await press('Tab');
    expect(await focused()).toBe('Skip to the content');
    await press('Enter');
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('main');
    expect(new URL(page.url()).search).toBe('?view=jobs');
  });
});
