import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Browser, CDPSession, Page } from 'playwright-core';
import { sleep } from '../../lib/async/timers.js';
import { until } from '../support/until.js';
import { openBrowser, openPage, settled, type OpenPage } from './browser.js';
import { MockDashboard } from './mock/server.js';

/* How the page stays up to date, and what that costs. */
const dashboard = new MockDashboard();
let browser: Browser;
let open: OpenPage;
let page: Page;

beforeAll(async () => {
  await dashboard.start();
  browser = await openBrowser();
});

afterAll(async () => {
  await browser.close();
  await dashboard.stop();
});

beforeEach(async () => {
  dashboard.become('jobs');
  dashboard.isStreamSilent = false;
  dashboard.isChanging = false;
  dashboard.streamEveryMs = 1_000;
  open = await openPage(browser);
  ({ page } = open);
});

afterEach(() => open.context.close());

/** Makes the page believe that it is in the background, or in the foreground. */
async function show(isVisible: boolean): Promise<void> {
  await page.evaluate(
    (state) => {
      Object.defineProperty(document, 'visibilityState', { value: state, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    },
    isVisible ? 'visible' : 'hidden',
  );
}

const readsOf = (name: string) => dashboard.reads.filter((read) => read.startsWith(`${name}?`)).length;

describe('The overview', () => {
  it('has one stream while it can be seen, and none in the background or on another screen', async () => {
    await page.goto(dashboard.url);
    await page.getByText('live', { exact: true }).waitFor();
    expect(dashboard.openStreams).toBe(1);
    await show(false);
    await until(() => dashboard.openStreams === 0);
    await show(true);
    await until(() => dashboard.openStreams === 1);
    await page.getByRole('link', { name: 'Kinds' }).first().click();
    await until(() => dashboard.openStreams === 0);
    expect(readsOf('overview')).toBe(0);
  });

  it('is shown also where a name and a password stand in the address', async () => {
    await page.goto(dashboard.url.replace('//', '//ada:secret@'));
    await page.getByText('live', { exact: true }).waitFor();
    await page.getByRole('link', { name: 'Kinds' }).first().click();
    await page.getByRole('button', { name: 'Pause mail.send' }).waitFor();
  });

  it('is asked for every 5 s where a proxy holds the stream back, until a message comes', async () => {
    dashboard.isStreamSilent = true;
    await page.clock.install();
    await page.goto(dashboard.url);
    await page.clock.runFor(6_000);
    await page.getByText('every 5 s').waitFor();
    await until(() => readsOf('overview') === 1);
    await page.getByText('Needs your attention').waitFor();
    await page.clock.runFor(6_000);
    await until(() => readsOf('overview') === 2);
    dashboard.isStreamSilent = false;
    await page.getByText('live', { exact: true }).waitFor();
  });

  it('does not grow while two thousand messages tell of other kinds, problems and numbers', async () => {
    dashboard.streamEveryMs = 4;
    await page.goto(dashboard.url);
    await page.getByText('live', { exact: true }).waitFor();
    const session = await open.context.newCDPSession(page);
    await changes(500);
    const before = await sizeOf(session);
    await changes(2_000);
    expectNoGrowth(before, await sizeOf(session));
  });
});

describe('Other screens', () => {
  it('are asked for again every 5 s, but not in the background', async () => {
    await page.clock.install();
    await page.goto(`${dashboard.url}?view=workers`);
    await until(() => readsOf('workers') === 1);
    await settled(page);
    await page.clock.runFor(5_100);
    await until(() => readsOf('workers') === 2);
    await show(false);
    await page.clock.runFor(60_000);
    expect(readsOf('workers')).toBe(2);
    await show(true);
    await until(() => readsOf('workers') === 3);
  });

  it('keep scroll, focus and selection, and leave nothing behind, while they are asked for again', async () => {
    await page.clock.install();
    await page.goto(`${dashboard.url}?view=jobs`);
    await settled(page);
    await page
      .getByRole('checkbox', { name: /^Select (?!all)/ })
      .nth(30)
      .check();
    await page.keyboard.press('j');
    const place = () =>
      page.evaluate(() => ({ scroll: scrollY, row: (document.activeElement as HTMLElement).dataset.key }));
    const beforePlace = await place();
    expect(beforePlace.scroll).toBeGreaterThan(100);
    const session = await open.context.newCDPSession(page);
    await polls(5);
    const before = await sizeOf(session);
    await polls(20);
    const after = await sizeOf(session);
    expect(await place()).toEqual(beforePlace);
    await page.getByText('1 selected').waitFor();
    expectNoGrowth(before, after);
  });

  it('do not grow while jobs come and go', async () => {
    await page.clock.install();
    await page.goto(`${dashboard.url}?view=jobs`);
    await settled(page);
    const session = await open.context.newCDPSession(page);
    const first = () => page.locator('tbody tr').first().getAttribute('data-key');
    dashboard.isChanging = true;
    await polls(10);
    const [before, firstBefore] = [await sizeOf(session), await first()];
    await polls(40);
    const after = await sizeOf(session);
    expect(await first()).not.toBe(firstBefore);
    expectNoGrowth(before, after);
  });

  it('keep what they show through an outage, say so, and go on after it', async () => {
    await page.clock.install();
    await page.goto(`${dashboard.url}?view=kinds`);
    await page.getByRole('link', { name: 'mail.send' }).waitFor();
    dashboard.become('outage');
    await page.clock.runFor(5_100);
    await page.getByText('What you see is not up to date.').waitFor();
    await page.getByRole('link', { name: 'mail.send' }).waitFor();
    dashboard.become('jobs');
    await page.getByRole('button', { name: 'Try now' }).click();
    await page.getByText('What you see is not up to date.').waitFor({ state: 'detached' });
  });

  it('tell somebody whose session has ended to sign in again', async () => {
    await page.route('**/api/kinds', (route) =>
      route.fulfill({ contentType: 'text/html', body: '<p>Sign in</p>' }),
    );
    await page.goto(`${dashboard.url}?view=kinds`);
    await page.getByText('You seem to be signed out.').waitFor();
    await page.getByRole('button', { name: 'Load the page again' }).waitFor();
  });
});

/** Lets so many messages change what the overview shows. Then it shows again what it did at first, and no message is under way. */
async function changes(count: number): Promise<void> {
  dashboard.isStreamSilent = false;
  dashboard.isChanging = true;
  await messages(count);
  dashboard.isChanging = false;
  await messages(5);
  dashboard.isStreamSilent = true;
  await page.getByRole('link', { name: 'mail.send', exact: true }).waitFor();
}

/** Waits until so many further messages of the stream have come. */
async function messages(count: number): Promise<void> {
  const start = dashboard.streamed;
  await until(() => dashboard.streamed >= start + count);
}

/** Lets the page poll so many times, each time when the answer before is there. */
async function polls(count: number): Promise<void> {
  for (let done = 0; done < count; done++) {
    const answer = page.waitForResponse((response) => response.url().includes('api/jobs?'));
    await page.clock.fastForward(5_100);
    await (await answer).finished();
  }
}

interface Size {
  readonly nodes: number;
  readonly listeners: number;
  readonly heapBytes: number;
}

/** A node, a listener or a hundred bytes for each of hundreds of changes would be more. */
function expectNoGrowth(before: Size, after: Size): void {
  expect(after.nodes).toBeLessThanOrEqual(before.nodes + 50);
  expect(after.listeners).toBeLessThanOrEqual(before.listeners + 20);
  expect(after.heapBytes).toBeLessThanOrEqual(before.heapBytes + 500_000);
}

/** The least of several: an answer that the page still reads is no growth. */
async function sizeOf(session: CDPSession): Promise<Size> {
  const sizes: Size[] = [];
  for (let measured = 0; measured < 4; measured++) {
    await sleep(50);
    sizes.push(await measure(session));
  }
  return sizes.reduce((least, size) => (size.heapBytes < least.heapBytes ? size : least));
}

async function measure(session: CDPSession): Promise<Size> {
  await session.send('HeapProfiler.collectGarbage');
  await session.send('Performance.enable');
  const { metrics } = await session.send('Performance.getMetrics');
  const value = (name: string) => metrics.find((metric) => metric.name === name)!.value;
  return { nodes: value('Nodes'), listeners: value('JSEventListeners'), heapBytes: value('JSHeapUsedSize') };
}
