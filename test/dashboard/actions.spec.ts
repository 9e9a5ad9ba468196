import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { until } from '../support/until.js';
import { openBrowser, openPage, settled, type OpenPage } from './browser.js';
import { HOUR, idOf, NOW } from './mock/clock.js';
import { MockDashboard } from './mock/server.js';

/* What a click asks of the server, and what the page tells of the answer. */
const dashboard = new MockDashboard();
let browser: Browser;
let open: OpenPage;
let page: Page;

beforeAll(async () => {
  await dashboard.start();
  browser = await openBrowser();
  open = await openPage(browser);
  ({ page } = open);
});

afterAll(async () => {
  await browser.close();
  await dashboard.stop();
});

beforeEach(() => {
  dashboard.become('jobs');
  dashboard.session = { ...dashboard.session, readOnly: false, may: { act: true, reveal: true } };
});

afterEach(() => {
  expect(open.complaints.splice(0)).toEqual([]);
});

async function go(search: string): Promise<void> {
  await page.goto(`${dashboard.url}${search}`);
  await settled(page);
}

/** The actions that were asked for, as `[name, body]`; each as JSON. */
function asked(): unknown[] {
  expect(dashboard.asked.filter(({ contentType }) => contentType !== 'application/json')).toEqual([]);
  return dashboard.asked.map(({ name, body }) => [name, body]);
}

const button = (name: string, exact = true) => page.getByRole('button', { name, exact });
const inDialog = () => page.getByRole('dialog');
const toast = (text: string) => page.getByRole('status').getByText(text);

describe('A list of jobs', () => {
  it('retries what is selected, after a preview of the count', async () => {
    await go('?view=jobs&state=failed');
    const boxes = page.getByRole('checkbox', { name: /^Select (?!all)/ });
    const ids = await page
      .locator('tbody tr')
      .evaluateAll((rows) => rows.slice(0, 2).map((row) => (row as HTMLElement).dataset.key));
    await boxes.nth(0).check();
    await boxes.nth(1).check();
    await button('Retry').click();
    await inDialog().getByText('2 jobs will be retried').waitFor();
    expect(asked()).toEqual([['retry', { ids, dryRun: true }]]);
    await button('Retry 2 jobs').click();
    await toast('2 jobs retried.').waitFor();
    expect(asked().slice(1)).toEqual([['retry', { ids }]]);
    await page.getByText('0 selected').waitFor();
    await page.locator(`tr[data-key="${ids[0]!}"]`).waitFor({ state: 'detached' });
  });

  it('tells how many of the selected jobs are in a state for the action', async () => {
    await go('?view=jobs');
    await page.getByRole('checkbox', { name: 'Select all on this page' }).check();
    await button('Run now').click();
    await inDialog()
      .getByText(/6 of 40 jobs will be made ready/)
      .waitFor();
    await button('Run now 6 jobs').click();
    await toast('6 jobs made ready.').waitFor();
    expect(asked().at(-1)).toEqual(['run-now', { ids: expect.any(Array) }]);
  });

  it('acts on all that match by the filter of the list, when that is confirmed', async () => {
    await go('?view=jobs&state=failed&kind=mail.send');
    await page.getByRole('checkbox', { name: /All that match/ }).check();
    await button('Delete').click();
    await inDialog()
      .getByText(/jobs? will be deleted/)
      .waitFor();
    const confirm = inDialog().getByRole('button', { name: /^Delete/ });
    expect(await confirm.isDisabled()).toBe(true);
    await inDialog().getByRole('checkbox').check();
    await confirm.click();
    await toast('deleted.').waitFor();
    const filter = 'state=failed&kind=mail.send';
    expect(asked()).toEqual([
      ['delete', { filter, dryRun: true }],
      ['delete', { filter }],
    ]);
    await page.getByText('No job fulfils these conditions').waitFor();
  });

  it('cancels with a reason', async () => {
    await go('?view=jobs&state=running');
    await page.getByRole('checkbox', { name: 'Select all on this page' }).check();
    await button('Cancel').click();
    await inDialog().getByLabel('Reason').fill('The import was wrong.');
    await inDialog()
      .getByRole('button', { name: /^Cancel \d/ })
      .click();
    await toast('cancelled.').waitFor();
    expect(asked().at(-1)).toEqual(['cancel', { ids: expect.any(Array), reason: 'The import was wrong.' }]);
  });

  it('takes conditions from what is typed into its address and its requests', async () => {
    await go('?view=jobs');
    const search = page.getByLabel('Search for jobs');
    await search.fill('kind:webhook.deliver ECONNREFUSED');
    await search.press('Enter');
    await page.getByText('Without kind webhook.deliver').waitFor({ state: 'attached' });
    expect(new URL(page.url()).search).toBe('?view=jobs&kind=webhook.deliver&error=ECONNREFUSED');
    const isAsked = (read: string) => until(() => dashboard.reads.includes(read), { what: read }); // after it is drawn
    await isAsked('jobs?kind=webhook.deliver&error=ECONNREFUSED&limit=50');
    await isAsked('counts?kind=webhook.deliver&error=ECONNREFUSED');
    await page.getByRole('link', { name: 'Without error ECONNREFUSED' }).click();
    expect(new URL(page.url()).search).toBe('?view=jobs&kind=webhook.deliver');
    await page.goBack();
    expect(new URL(page.url()).search).toBe('?view=jobs&kind=webhook.deliver&error=ECONNREFUSED');
    await page.getByText('Without error ECONNREFUSED').waitFor({ state: 'attached' });
  });

  it('goes through its pages by key, and shows counts that are capped', async () => {
    dashboard.become('large');
    await go('?view=jobs');
    await page.getByText('10,000+').first().waitFor();
    const last = await page.locator('tbody tr').last().getAttribute('data-key');
    await page.getByRole('link', { name: 'Next page' }).click();
    await page.getByRole('link', { name: 'First page' }).waitFor();
    expect(new URL(page.url()).searchParams.get('after')).toBe(last);
    expect(await page.locator('tbody tr').count()).toBe(50);
  });

  it('keeps to a span of time, in the zone of the viewer', async () => {
    await go('?view=jobs');
    await button('Time…').click();
    await inDialog().getByLabel('After').fill('2026-11-27T09:00:00');
    await button('Show').click();
    await page.getByText('created after').first().waitFor();
    expect(new URL(page.url()).searchParams.get('createdAfter')).toBe(String(Date.UTC(2026, 10, 27, 8)));
  });
});

describe('A job', () => {
  it('is edited: only what was changed is sent, and a refusal is shown in the dialog', async () => {
    const scheduled = idOf(6);
    await go(`?view=job&id=${scheduled}`);
    await button('Edit').click();
    await inDialog().getByLabel('Priority').fill('13');
    await button('Save').click();
    await inDialog().getByRole('alert').getByText('The job runs by now. Cancel it first.').waitFor();
    await inDialog().getByLabel('Priority').fill('-5');
    await inDialog().getByLabel('Tags').fill('eu, vip');
    await button('Save').click();
    await toast('The job was changed.').waitFor();
    expect(asked().at(-1)).toEqual(['update', { id: scheduled, priority: -5, tags: ['eu', 'vip'] }]);
  });

  it('is rescheduled', async () => {
    const scheduled = idOf(6);
    await go(`?view=job&id=${scheduled}`);
    await button('Reschedule').click();
    await button('in 1 hour').click();
    await inDialog().getByRole('button', { name: 'Reschedule' }).click();
    await toast('The job was rescheduled.').waitFor();
    expect(asked()).toEqual([['update', { id: scheduled, runAt: NOW + HOUR }]]);
  });

  it('is cloned, and the page goes to the copy', async () => {
    await go(`?view=job&id=${idOf(25)}`);
    await button('Clone').click();
    await button('Enqueue a copy').click();
    await page.waitForURL(/view=job/);
    await toast('A copy was enqueued.').waitFor();
    expect(asked()).toEqual([['clone', { id: idOf(25) }]]);
  });

  it('is retried after a preview', async () => {
    await go(`?view=job&id=${idOf(25)}`);
    await button('Retry').click();
    await button('Retry 1 job').click();
    await toast('1 job retried.').waitFor();
    await page.getByRole('heading', { level: 1 }).getByText('ready').waitFor();
  });

  it('reveals what is hidden when asked, and shows it as text', async () => {
    await go(`?view=job&id=${idOf(25)}`);
    await page.getByText('"to": "[redacted]"').waitFor();
    await button('Reveal payload').click();
    await page.getByText('"to": "grace@example.com"').first().waitFor();
    expect(asked()).toEqual([['reveal', { id: idOf(25) }]]);
    await page.getByText('<script>alert(1)</script>').first().waitFor();
    await page.getByText('U+202E').first().waitFor();
  });

  it('is deleted, and the page goes to the others of its kind', async () => {
    await go(`?view=job&id=${idOf(25)}`);
    await button('Delete').click();
    await button('Delete 1 job').click();
    await toast('1 job deleted.').waitFor();
    await page.getByRole('heading', { name: 'Jobs' }).waitFor();
    expect(new URL(page.url()).search).toBe('?view=jobs&kind=invoice.create');
  });

  it('links to its trace, in another tab that learns nothing of this one, and asks nothing of that site by itself', async () => {
    const requested: string[] = [];
    page.on('request', (request) => requested.push(new URL(request.url()).origin));
    await go(`?view=job&id=${idOf(25)}`);
    const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
    const link = page.getByRole('link', { name: trace });
    const attributes = await link.evaluate((element: HTMLAnchorElement) => ({
      ...{ href: element.href, target: element.target, rel: element.rel },
    }));
    expect(attributes).toEqual({
      ...{ href: `https://tempo.example/trace/${trace}`, target: '_blank', rel: 'noreferrer noopener' },
    });
    expect(new Set(requested)).toEqual(new Set([new URL(dashboard.url).origin]));
    const headers: Record<string, string>[] = [];
    await open.context.route('https://tempo.example/**', async (route) => {
      headers.push(route.request().headers());
      await route.fulfill({ contentType: 'text/html', body: '<title>A trace</title>' });
    });
    const [tab] = await Promise.all([open.context.waitForEvent('page'), link.click()]);
    await tab.waitForLoadState();
    expect(await tab.title()).toBe('A trace');
    expect(await tab.evaluate(() => opener as unknown)).toBeNull();
    expect(headers[0]).not.toHaveProperty('referer');
    await tab.close();
  });

  it('that does not exist says why', async () => {
    await go('?view=job&id=gone');
    await page.getByText('There is no job gone.').waitFor();
  });
});

describe('A long list', () => {
  beforeEach(() => dashboard.become('large'));

  it('of problems shows the worst, and the others when asked', async () => {
    await go('');
    const problems = page.getByRole('region', { name: '100 problems' }).getByRole('listitem');
    expect(await problems.count()).toBe(6);
    await button('Show 94 more').click();
    expect(await problems.count()).toBe(100);
    expect(await page.getByRole('button', { name: /^Show .* more$/ }).count()).toBe(0);
  });

  it('of attempts shows the first entry and the last ones, and those in between when asked', async () => {
    await go(`?view=job&id=${idOf(25)}`);
    const entries = page.locator('.timeline > li');
    expect(await entries.count()).toBe(10);
    await page.getByText('Attempt 100 failed').waitFor();
    await button('Show 43 entries in between').click();
    await page.getByText('Attempt 51 failed').waitFor();
    expect(await entries.count()).toBe(52);
  });

  it('of kinds begins with those whose jobs run, and shows the others when asked', async () => {
    await go('?view=workers');
    const kinds = page.locator('tbody tr').first().locator('span.tag');
    expect(await kinds.first().innerText()).toBe('billing.send 61');
    expect(await kinds.count()).toBe(8);
    await button('Show 52 more kinds').first().click();
    expect(await kinds.count()).toBe(60);
  });

  it('of tags is told whole when it is pointed at', async () => {
    await go('?view=jobs');
    const more = page.locator('.job-under > [title]', { hasText: /^\+\d+$/ }).first();
    const names = (await more.getAttribute('title'))!.split(', ');
    expect(await more.innerText()).toBe(`+${names.length}`);
  });
});

describe('Kinds', () => {
  it('are paused with a reason, for a time, and with what runs', async () => {
    await go('?view=kinds');
    await button('Pause mail.send').click();
    await inDialog().getByLabel('Stop them').check();
    await inDialog().getByLabel('Until').selectOption('1 hour has passed');
    await inDialog().getByLabel('Reason').fill('The server is full.');
    await button('Pause').click();
    await toast('Paused: mail.send.').waitFor();
    expect(asked()).toEqual([
      ['pause', { kind: 'mail.send', reason: 'The server is full.', until: NOW + HOUR, stopRunning: true }],
    ]);
  });

  it('are drained: what runs may end', async () => {
    await go('?view=kinds');
    await button('Pause all kinds').click();
    await inDialog().getByRole('button', { name: 'Pause' }).click();
    await toast('Paused: all kinds.').waitFor();
    expect(asked()).toEqual([['pause', { kind: '*' }]]);
  });

  it('are resumed', async () => {
    await go('?view=kinds');
    await button('Resume webhook.deliver').click();
    await toast('Resumed: webhook.deliver.').waitFor();
    expect(asked()).toEqual([['resume', { kind: 'webhook.deliver' }]]);
  });
});

/** From midnight to midnight in Berlin. */
const BACKFILL = {
  name: 'report.nightly',
  from: Date.UTC(2026, 10, 19, 23),
  to: Date.UTC(2026, 10, 20, 23),
  limit: 100,
};

describe('Schedules', () => {
  it('are paused, resumed and run', async () => {
    await go('?view=schedules');
    await button('Pause report.nightly').click();
    await inDialog().getByLabel('Reason').fill('The numbers are wrong.');
    await inDialog().getByRole('button', { name: 'Pause' }).click();
    await toast('Paused: report.nightly.').waitFor();
    await button('Resume newsletter').click();
    await toast('Resumed: newsletter.').waitFor();
    await button('Run now sync.stripe').click();
    await toast('Enqueued a job of sync.stripe.').waitFor();
    expect(asked()).toEqual([
      ['pause-schedule', { name: 'report.nightly', reason: 'The numbers are wrong.' }],
      ['resume-schedule', { name: 'newsletter' }],
      ['run-schedule', { name: 'sync.stripe' }],
    ]);
  });

  it('are backfilled for a span in the zone of the viewer', async () => {
    await go('?view=schedules');
    await button('Backfill report.nightly').click();
    await inDialog().getByLabel('From').fill('2026-11-20T00:00:00');
    await inDialog().getByLabel('To').fill('2026-11-21T00:00:00');
    await inDialog().getByText('2 jobs will be enqueued. 1 tick of this span has one already.').waitFor();
    expect(asked().at(-1)).toEqual(['backfill', { ...BACKFILL, dryRun: true }]);
    await button('Enqueue').click();
    await toast('2 jobs enqueued. 1 tick had one already.').waitFor();
    expect(asked().at(-1)).toEqual(['backfill', BACKFILL]);
  });

  it('show their ticks, and those of another rule', async () => {
    await go('?view=schedules');
    await page.getByText('At 03:00').waitFor();
    await button('Preview report.nightly').click();
    await inDialog().getByLabel('Cron expression').fill('0 6 * * 1');
    await inDialog().getByText('At 06:00, only on Monday').waitFor();
    await button('Show its ticks').click();
    await inDialog().getByText('in 3 days').waitFor();
    expect(dashboard.reads).toContain('preview?cron=0+6+*+*+1&timeZone=Europe%2FBerlin');
    expect(asked()).toEqual([]);
  });
});

describe('A group of errors', () => {
  it('is retried after a preview', async () => {
    await go('?view=errors');
    await button('Retry all: FetchError', false).click();
    await button('Retry 128 jobs').click();
    await toast('128 jobs retried.').waitFor();
    const group = { fingerprint: '2'.repeat(16), kinds: ['webhook.deliver', 'invoice.create'] };
    expect(asked()).toEqual([
      ['retry-group', { ...group, dryRun: true }],
      ['retry-group', group],
    ]);
  });
});

describe('A new job', () => {
  it('is made by the form of its kind', async () => {
    await go('?view=new-job');
    await page.getByLabel('Kind').fill('mail.send');
    await page.getByLabel('Kind').press('Enter');
    await page.getByLabel('to', { exact: true }).fill('ada@example.com');
    await page.getByLabel('template').selectOption('order-shipped');
    await page.getByLabel('order.id').fill('4711');
    await page.getByLabel('order.gift (optional)').selectOption('true');
    await page.getByLabel('attachments (optional)').fill('invoice.pdf');
    await page.getByLabel('Tags').fill('eu');
    await button('Enqueue').click();
    await page
      .getByRole('alert')
      .getByText('attachments is not JSON. Put text into double quotes.')
      .waitFor();
    await page.getByLabel('attachments (optional)').fill('["invoice.pdf"]');
    await button('Enqueue').click();
    await toast('The job was enqueued.').waitFor();
    const [[name, body]] = asked() as [[string, { payload: string }]];
    expect(name).toBe('enqueue');
    expect(body).toEqual({ kind: 'mail.send', payload: expect.any(String), tags: ['eu'] });
    expect(JSON.parse(body.payload)).toEqual({
      to: 'ada@example.com',
      template: 'order-shipped',
      order: { id: 4711, gift: true },
      attachments: ['invoice.pdf'],
    });
  });

  it('is made of JSON where the kind has no schema', async () => {
    await go('?view=new-job&kind=report.nightly');
    await page.getByLabel('JSON').fill('[1, 2]');
    await page.getByLabel('Priority').fill('3');
    await button('Enqueue').click();
    await toast('The job was enqueued.').waitFor();
    expect(asked()).toEqual([['enqueue', { kind: 'report.nightly', payload: '[1, 2]', priority: 3 }]]);
  });
});

describe('A viewer who may not act', () => {
  const searches = ['', '?view=jobs', `?view=job&id=${idOf(25)}`, '?view=kinds', '?view=errors'];

  it.each(['readOnly', 'role'] as const)('sees no action (%s)', async (why) => {
    const may = { act: why === 'readOnly', reveal: false };
    dashboard.session = { ...dashboard.session, readOnly: why === 'readOnly', may };
    for (const search of searches) {
      await go(search);
      const names = await page.locator('main button').allInnerTexts();
      expect(names.filter((name) => !['Search', 'Time…', ''].includes(name))).toEqual([]);
      expect(await page.locator('main input[type=checkbox]').count()).toBe(0);
    }
    await go('?view=schedules');
    expect(new Set(await page.locator('main button').allInnerTexts())).toEqual(new Set(['Preview']));
    await go('?view=new-job&kind=mail.send');
    await page.getByText('You may look, but not act').waitFor();
  });
});
