import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';

/** The browser that the tests drive: CHROMIUM_PATH, or the one of the system. Without one the suite fails. */
export async function openBrowser(): Promise<Browser> {
  const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
  try {
    return await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  } catch (cause) {
    throw new Error(
      `The tests of the pages need Chromium, and ${executablePath} does not start. Set CHROMIUM_PATH.`,
      { cause },
    );
  }
}

export const WIDE = { width: 1440, height: 900 };
export const NARROW = { width: 390, height: 844 };

export interface OpenPage {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Errors of the console, failures of scripts, and what the content security policy refused. */
  readonly complaints: string[];
}

/** A page of a viewer in Berlin. It notes each complaint; answers with a status of 400 and more are no complaint of the page. */
export async function openPage(browser: Browser, viewport = WIDE): Promise<OpenPage> {
  const context = await browser.newContext({
    viewport,
    timezoneId: 'Europe/Berlin',
    locale: 'en-GB',
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const complaints: string[] = [];
  page.on('console', (message) => {
    const isAnswer = message.text().startsWith('Failed to load resource: the server responded with a status');
    if (message.type() === 'error' && !isAnswer) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.addInitScript(() => {
    const shifts: number[] = [];
    Object.assign(globalThis, { shifts });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as LayoutShift[])
        if (!entry.hadRecentInput) shifts.push(entry.value);
    }).observe({ type: 'layout-shift', buffered: true });
    document.addEventListener('securitypolicyviolation', (event) => {
      console.error(`CSP: ${event.violatedDirective} refused ${event.blockedURI}`);
    });
  });
  return { page, context, complaints };
}

interface LayoutShift extends PerformanceEntry {
  readonly value: number;
  readonly hadRecentInput: boolean;
}

/** How far what was seen has moved by itself since the page was loaded: the browser's measure, of which 0.1 is still good. */
export function shiftOf(page: Page): Promise<number> {
  return page.evaluate(() =>
    (globalThis as unknown as { shifts: number[] }).shifts.reduce((sum, value) => sum + value, 0),
  );
}

/** Waits until a screen shows its data, or why it has none. */
export async function settled(page: Page): Promise<void> {
  await page.locator('main[aria-busy="false"]').waitFor();
}

const AXE = join(import.meta.dirname, '../../node_modules/axe-core/axe.min.js');

/** What axe finds that is serious or critical, as `rule: element`. */
export async function seriousFindings(page: Page, rules?: readonly string[]): Promise<string[]> {
  const source = await readFile(AXE, 'utf8');
  // By the protocol, because the page's own policy refuses inline scripts.
  await page.evaluate(source);
  return page.evaluate(async (only) => {
    const { axe } = globalThis as unknown as { axe: Axe };
    const options = only === undefined ? {} : { runOnly: { type: 'rule', values: only } };
    const { violations } = await axe.run(document, { ...options, resultTypes: ['violations'] });
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`));
  }, rules);
}

interface Axe {
  run(
    root: Document,
    options: object,
  ): Promise<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }>;
}
