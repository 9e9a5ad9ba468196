import { expect } from '@jest/globals';
import type { Locator, Page } from 'playwright-core';
import type { ActionName } from '../../lib/dashboard/actions/action.js';
import { SNAPSHOT_MS } from '../../lib/dashboard/screens/overview.js';
import { sleep } from '../../lib/async/timers.js';
import type { EnqueueOptions, JobState } from '../../lib/index.js';
import { previewSchedule } from '../../lib/index.js';
import { ended } from '../support/applications.js';
import type { TestDashboards } from '../support/dashboard.js';
import { until } from '../support/until.js';
import { settled } from './browser.js';
import { Mail, Mails } from './mails.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A page of an application, and the application behind it. */
export class Stage {
  private search: string | undefined;

  /** @param loadsEachView rather than the first, from which it goes to the others as the browser's buttons do */
  constructor(
    readonly page: Page,
    private readonly url: string,
    readonly app: TestDashboards,
    private readonly loadsEachView: boolean,
  ) {}

  /** Goes to a view, with nothing told there that belongs to one before. */
  async go(search: string): Promise<void> {
    const address = `${this.url}?${search}`;
    const isFresh = this.search === undefined || this.search === search;
    if (this.loadsEachView || isFresh) await this.page.goto(address);
    else await this.page.evaluate(goBackTo, address);
    this.search = search;
    await settled(this.page);
  }

  button(name: string | RegExp): Locator {
    return this.page.getByRole('button', { name, exact: true });
  }

  get dialog(): Locator {
    return this.page.getByRole('dialog');
  }

  /** Confirms the dialog, and waits until it is closed. */
  async confirm(name: string): Promise<void> {
    await this.dialog.getByRole('button', { name, exact: true }).click();
    await this.dialog.waitFor({ state: 'detached' });
  }

  told(text: string): Promise<void> {
    return this.page.getByRole('status').getByText(text).waitFor();
  }

  /** Jobs of a kind that nobody serves, `<kind>-1` and so on: nothing else changes them. */
  async make(kind: string, count: number, options: EnqueueOptions = { delayMs: HOUR }): Promise<string[]> {
    const ids = Array.from({ length: count }, (_, index) => `${kind}-${index + 1}`);
    for (const id of ids) await this.app.client.enqueue(kind, { of: id }, { id, ...options });
    return ids;
  }

  /** Null for a job that is gone. */
  async states(ids: readonly string[]): Promise<(JobState | null)[]> {
    return Promise.all(ids.map(async (id) => (await this.app.client.get(id))?.state ?? null));
  }
}

/** Runs in the page. */
function goBackTo(address: string): void {
  for (const button of document.querySelectorAll<HTMLElement>('[role="status"] button')) button.click();
  history.pushState(null, '', address);
  dispatchEvent(new PopStateEvent('popstate'));
}

/** Something that can be clicked. */
export interface ClickedAction {
  readonly name: string;
  /** What the page asks the server to do. */
  readonly asks: readonly ActionName[];
  /** What is there before. */
  readonly given?: (stage: Stage) => Promise<unknown>;
  readonly clicks: (stage: Stage) => Promise<unknown>;
  /** What the storage holds afterwards. */
  readonly proof: (stage: Stage) => Promise<unknown>;
}

/** What can be done to jobs: to some, to all that match, and to one on its page. */
interface JobChange {
  readonly asks: ActionName;
  readonly label: string;
  readonly done: string;
  /** Jobs are cancelled before it; else they are scheduled. */
  readonly isOfEnded?: boolean;
  readonly isDanger?: boolean;
  /** Null where they are gone. */
  readonly after: JobState | null;
}

const CHANGES: readonly JobChange[] = [
  { asks: 'retry', label: 'Retry', done: 'retried', isOfEnded: true, after: 'ready' },
  { asks: 'run-now', label: 'Run now', done: 'made ready', after: 'ready' },
  { asks: 'cancel', label: 'Cancel', done: 'cancelled', isDanger: true, after: 'cancelled' },
  { asks: 'delete', label: 'Delete', done: 'deleted', isDanger: true, after: null },
];

function changes(change: JobChange): ClickedAction[] {
  const { asks, label, done, isOfEnded = false, isDanger = false, after } = change;
  const before: JobState = isOfEnded ? 'cancelled' : 'scheduled';
  const kind = (of: string) => `${of}.${asks}`;
  const given = (of: string, count: number) => async (stage: Stage) => {
    const ids = await stage.make(kind(of), count);
    if (isOfEnded) for (const id of ids) await stage.app.client.cancel(id);
  };
  const ids = (of: string, count: number) =>
    Array.from({ length: count }, (_, index) => `${kind(of)}-${index + 1}`);
  return [
    {
      name: `${label}: two of three jobs`,
      asks: [asks],
      given: given('some', 3),
      clicks: async (stage) => {
        await stage.go(`view=jobs&kind=${kind('some')}`);
        for (const id of ids('some', 2))
          await stage.page
            .getByRole('checkbox', { name: `Select ${kind('some')} ${id}`, exact: true })
            .check();
        await stage.button(label).click();
        await stage.dialog.getByText(`2 jobs will be ${done}.`).waitFor();
        await stage.confirm(`${label} 2 jobs`);
        await stage.told(`2 jobs ${done}.`);
      },
      proof: async (stage) => expect(await stage.states(ids('some', 3))).toEqual([after, after, before]),
    },
    {
      name: `${label}: all that match`,
      asks: [asks],
      given: async (stage) => {
        await given('all', 3)(stage);
        await given('other', 1)(stage);
      },
      clicks: async (stage) => {
        await stage.go(`view=jobs&kind=${kind('all')}`);
        await stage.page.getByRole('checkbox', { name: /^All that match/ }).check();
        await stage.button(label).click();
        await stage.dialog.getByText(`3 jobs will be ${done}.`).waitFor();
        if (isDanger) await stage.dialog.getByRole('checkbox').check();
        await stage.confirm(`${label} 3 jobs`);
        await stage.told(`3 jobs ${done}.`);
      },
      proof: async (stage) =>
        expect(await stage.states([...ids('all', 3), ...ids('other', 1)])).toEqual([
          after,
          after,
          after,
          before,
        ]),
    },
    {
      name: `${label}: one job`,
      asks: [asks],
      given: given('one', 2),
      clicks: async (stage) => {
        await stage.go(`view=job&id=${kind('one')}-1`);
        await stage.button(label).click();
        await stage.confirm(`${label} 1 job`);
        await stage.told(`1 job ${done}.`);
      },
      proof: async (stage) => expect(await stage.states(ids('one', 2))).toEqual([after, before]),
    },
  ];
}

const JOB: readonly ClickedAction[] = [
  {
    name: 'Cancel with a reason',
    asks: ['cancel'],
    given: (stage) => stage.make('reasons', 1),
    clicks: async (stage) => {
      await stage.go('view=job&id=reasons-1');
      await stage.button('Cancel').click();
      await stage.dialog.getByLabel('Reason').fill('Ordered „twice“.');
      await stage.confirm('Cancel 1 job');
    },
    proof: async ({ app }) =>
      expect(await app.client.get('reasons-1')).toMatchObject({ cancelReason: 'Ordered „twice“.' }),
  },
  {
    name: 'Reveal',
    asks: ['reveal'],
    given: (stage) => stage.make('hidden', 1),
    clicks: async (stage) => {
      await stage.go('view=job&id=hidden-1');
      await stage.page.getByText('"[redacted]"').waitFor();
      await stage.button('Reveal payload').click();
    },
    proof: async ({ page, app }) => {
      await page.getByText('"of": "hidden-1"').waitFor();
      const { actions } = await app.queue.audit.read(null, 1);
      expect(actions).toMatchObject([{ action: 'reveal', target: 'job hidden-1', changed: 0 }]);
    },
  },
  {
    name: 'Edit',
    asks: ['reveal', 'update'],
    given: (stage) => stage.make('edited', 1),
    clicks: async (stage) => {
      await stage.go('view=job&id=edited-1');
      await stage.button('Reveal payload').click();
      await stage.page.getByText('"of": "edited-1"').waitFor();
      await stage.button('Edit').click();
      await stage.dialog.getByLabel('Payload').fill('{"of": "somebody"}');
      await stage.dialog.getByLabel('Priority').fill('4');
      await stage.dialog.getByLabel('Attempts at most').fill('7');
      await stage.dialog.getByLabel('Tags').fill('t, u');
      await stage.confirm('Save');
    },
    proof: async ({ app }) =>
      expect(await app.client.get('edited-1')).toMatchObject({
        ...{ payload: { of: 'somebody' }, priority: 4, maxAttempts: 7, tags: ['t', 'u'], state: 'scheduled' },
      }),
  },
  {
    name: 'Reschedule',
    asks: ['update'],
    given: (stage) => stage.make('moved', 1),
    clicks: async (stage) => {
      await stage.go('view=job&id=moved-1');
      await stage.button('Reschedule').click();
      await stage.button('in 1 day').click();
      await stage.confirm('Reschedule');
    },
    proof: async ({ app }) => {
      const { runAt, createdAt } = (await app.client.get('moved-1'))!;
      expect(Math.abs(runAt.getTime() - createdAt.getTime() - DAY)).toBeLessThan(5 * MINUTE);
    },
  },
  {
    name: 'Clone',
    asks: ['clone'],
    given: (stage) => stage.make('cloned', 1, { delayMs: HOUR, tags: ['t'] }),
    clicks: async (stage) => {
      await stage.go('view=job&id=cloned-1');
      await stage.button('Clone').click();
      await stage.confirm('Enqueue a copy');
      await stage.told('A copy was enqueued.');
    },
    proof: async ({ app, page }) => {
      const { jobs } = await app.client.find({ kinds: ['cloned'] });
      expect(jobs).toHaveLength(2);
      const copy = jobs.find(({ id }) => id !== 'cloned-1')!;
      expect(copy).toMatchObject({ payload: { of: 'cloned-1' }, tags: ['t'], state: 'ready' });
      expect(new URL(page.url()).searchParams.get('id')).toBe(copy.id);
    },
  },
];

const ERRORS: readonly ClickedAction[] = [
  {
    name: 'Retry a group of errors',
    asks: ['retry-group'],
    given: async ({ app: { client } }) => {
      for (const id of ['bad', 'worse']) await client.enqueue(Mail, { to: 'nobody' }, { id, maxAttempts: 1 });
      for (const id of ['bad', 'worse']) expect(await ended(client, id)).toMatchObject({ state: 'failed' });
    },
    clicks: async (stage) => {
      await stage.go('view=errors');
      await stage.button(/^Retry all: Error: No mailbox/).click();
      await stage.confirm('Retry 2 jobs');
      await stage.told('2 jobs retried.');
    },
    // They fail once more, because the mailbox is still missing.
    proof: async ({ app: { client } }) => {
      for (const id of ['bad', 'worse'])
        await until(async () => {
          const job = (await client.get(id))!;
          return job.attemptsDone === 2 && job.attemptsBefore === 1 && job.state === 'failed';
        });
    },
  },
];

const KINDS: readonly ClickedAction[] = [
  {
    name: 'Drain a kind',
    asks: ['pause'],
    given: runSlow('drained'),
    clicks: async (stage) => {
      await stage.go('view=kinds');
      await stage.button('Pause slow').click();
      await stage.dialog.getByLabel('Drain').check();
      await stage.dialog.getByLabel('Until').selectOption('1 hour has passed');
      await stage.dialog.getByLabel('Reason').fill('The server is full.');
      await stage.confirm('Pause');
      await stage.told('Paused: slow.');
    },
    proof: async (stage) => {
      const { client, kinds } = stage.app;
      const { paused } = await kinds.stats('slow');
      expect(paused).toMatchObject({ kind: 'slow', reason: 'The server is full.', stopsRunning: false });
      expect(Math.round((paused!.until!.getTime() - paused!.since.getTime()) / (5 * MINUTE))).toBe(12);
      expect(await stage.states(['drained'])).toEqual(['running']);
      stage.app.find(Mails).letSlowEnd();
      expect(await ended(client, 'drained')).toMatchObject({ state: 'done' });
      await kinds.resume('slow');
      await sleep(SNAPSHOT_MS / 2); // pages may show for so long what was before a change that none of them made
    },
  },
  {
    name: 'Pause a kind and stop what runs',
    asks: ['pause'],
    given: runSlow('stopped'),
    clicks: async (stage) => {
      await stage.go('view=kinds');
      await stage.button('Pause slow').click();
      await stage.dialog.getByLabel('Stop them').check();
      await stage.confirm('Pause');
      await stage.told('Paused: slow.');
    },
    proof: async (stage) => {
      const { client, kinds } = stage.app;
      expect((await kinds.stats('slow')).paused).toMatchObject({
        stopsRunning: true,
        until: null,
        reason: null,
      });
      await until(async () => (await client.get('stopped'))!.state === 'ready');
      expect(await client.get('stopped')).toMatchObject({ attemptsDone: 0 });
      await client.cancel('stopped');
    },
  },
  {
    name: 'Resume a kind',
    asks: ['resume'],
    given: ({ app }) => app.kinds.pause('slow'),
    clicks: async (stage) => {
      await stage.go('view=kinds');
      await stage.button('Resume slow').click();
      await stage.told('Resumed: slow.');
    },
    proof: async ({ app }) => expect((await app.kinds.stats('slow')).paused).toBeNull(),
  },
  {
    name: 'Pause all kinds',
    asks: ['pause'],
    clicks: async (stage) => {
      await stage.go('view=kinds');
      await stage.button('Pause all kinds').click();
      await stage.confirm('Pause');
      await stage.page.getByText('All kinds are paused').waitFor();
    },
    proof: async ({ app }) => {
      expect((await app.kinds.stats('mail')).paused).toMatchObject({ kind: '*' });
      await app.kinds.resume('*');
    },
  },
  {
    name: 'Resume all kinds',
    asks: ['resume'],
    given: ({ app }) => app.kinds.pause('*'),
    clicks: async (stage) => {
      await stage.go('view=kinds');
      await stage.button('Resume all').click();
      await stage.told('Resumed: all kinds.');
    },
    proof: async ({ app }) => expect((await app.kinds.stats('mail')).paused).toBeNull(),
  },
];

/** A job that runs until it is let go. */
function runSlow(id: string): NonNullable<ClickedAction['given']> {
  return async ({ app: { client } }) => {
    await client.enqueue('slow', null, { id });
    await until(async () => (await client.get(id))!.state === 'running');
  };
}

const SCHEDULES: readonly ClickedAction[] = [
  {
    name: 'Preview the ticks of a schedule, and those of another rule',
    asks: [],
    clicks: async (stage) => {
      await stage.go('view=schedules');
      await stage.button('Preview nightly').click();
      await stage.dialog.getByLabel('Cron expression').fill('0 6 * * 1');
      await stage.button('Show its ticks').click();
    },
    proof: async ({ dialog, app }) => {
      const [tick] = previewSchedule({ cron: '0 6 * * 1', timeZone: 'Europe/Berlin' }, { count: 1 });
      await dialog.locator(`time[datetime="${tick!.toISOString()}"]`).waitFor();
      expect(await app.schedules.get('nightly')).toMatchObject({ cron: '0 3 * * *' });
      await dialog.press('Escape');
      await dialog.waitFor({ state: 'detached' });
    },
  },
  {
    name: 'Pause a schedule',
    asks: ['pause-schedule'],
    clicks: async (stage) => {
      await stage.go('view=schedules');
      await stage.button('Pause nightly').click();
      await stage.dialog.getByLabel('Reason').fill('The numbers are wrong.');
      await stage.confirm('Pause');
      await stage.told('Paused: nightly.');
    },
    proof: async ({ app }) => {
      const schedule = await app.schedules.get('nightly');
      expect(schedule).toMatchObject({ paused: true, pausedReason: 'The numbers are wrong.' });
      await app.schedules.resume('nightly');
    },
  },
  {
    name: 'Resume a schedule',
    asks: ['resume-schedule'],
    given: ({ app }) => app.schedules.pause('nightly'),
    clicks: async (stage) => {
      await stage.go('view=schedules');
      await stage.button('Resume nightly').click();
      await stage.told('Resumed: nightly.');
    },
    proof: async ({ app }) => expect(await app.schedules.get('nightly')).toMatchObject({ paused: false }),
  },
  {
    name: 'Run a schedule now',
    asks: ['run-schedule'],
    clicks: async (stage) => {
      await stage.go('view=schedules');
      await stage.button('Run now hourly').click();
      await stage.told('Enqueued a job of hourly.');
    },
    proof: async ({ app }) => {
      const { lastJobId } = (await app.schedules.get('hourly'))!;
      expect(await ended(app.client, lastJobId!)).toMatchObject({ kind: 'hourly', state: 'done' });
    },
  },
  {
    name: 'Backfill a schedule',
    asks: ['backfill'],
    clicks: async (stage) => {
      await stage.go('view=schedules');
      await stage.button('Backfill nightly').click();
      await stage.dialog.getByLabel('From').fill('2024-06-03T00:00:00');
      await stage.dialog.getByLabel('To').fill('2024-06-05T12:00:00');
      await stage.dialog.getByText('3 jobs will be enqueued.').waitFor();
      await stage.confirm('Enqueue');
      await stage.told('3 jobs enqueued.');
    },
    proof: async ({ app }) => {
      const { jobs } = await app.client.find({ schedule: 'nightly' });
      const ticks = jobs.map(({ tick }) => tick!.toISOString()).toSorted();
      expect(ticks).toEqual(['2024-06-03', '2024-06-04', '2024-06-05'].map((day) => `${day}T01:00:00.000Z`));
    },
  },
];

const NEW_JOB: readonly ClickedAction[] = [
  {
    name: 'Enqueue a job by the form of its kind',
    asks: ['enqueue'],
    clicks: async (stage) => {
      await stage.go('view=new-job&kind=mail');
      await stage.page.getByLabel('to', { exact: true }).fill('grace');
      await stage.page.getByLabel('count (optional)').fill('3');
      await stage.page.getByLabel('Tags').fill('by hand');
      await stage.button('Enqueue').click();
      await stage.told('The job was enqueued.');
    },
    proof: async ({ app, page }) => {
      const { jobs } = await app.client.find({ tags: ['by hand'] });
      expect(jobs).toMatchObject([{ kind: 'mail', payload: { to: 'grace', count: 3 } }]);
      expect(await ended(app.client, jobs[0]!.id)).toMatchObject({ state: 'done', result: { sent: true } });
      await page.getByText('Sending to grace.').waitFor();
    },
  },
  {
    name: 'Enqueue a job of JSON',
    asks: ['enqueue'],
    clicks: async (stage) => {
      await stage.go('view=new-job&kind=typed');
      await stage.page.getByLabel('JSON').fill('[1, "zwei", null]');
      await stage.page.getByLabel('Priority').fill('3');
      await stage.button('Enqueue').click();
      await stage.told('The job was enqueued.');
    },
    proof: async ({ app }) => {
      const { jobs } = await app.client.find({ kinds: ['typed'] });
      expect(jobs).toMatchObject([{ payload: [1, 'zwei', null], priority: 3, state: 'ready' }]);
    },
  },
];

/** All that can be clicked, in the order of the screens. */
export const EVERY_ACTION: readonly ClickedAction[] = [
  ...CHANGES.flatMap(changes),
  ...JOB,
  ...ERRORS,
  ...KINDS,
  ...SCHEDULES,
  ...NEW_JOB,
];
