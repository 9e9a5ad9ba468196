import { describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import type { Counts, JobPage, Jobs } from '../../../lib/dashboard/api/job-screens.js';
import type {
  Audit,
  Errors,
  Form,
  Kinds,
  Overview,
  Schedules,
  Workers,
} from '../../../lib/dashboard/api/screens.js';
import type { JobsDashboardOptions } from '../../../lib/dashboard/index.js';
import { defineJob, JobHandler, JobSchedule, type Job, type JobContext } from '../../../lib/index.js';
import { ended } from '../../support/applications.js';
import { TestDashboards } from '../../support/dashboard.js';
import { until } from '../../support/until.js';

const HOUR = 3_600_000;
const Mail = defineJob('mail', { schema: z.object({ to: z.string(), n: z.number().optional() }) });

@Injectable()
class Mails {
  @JobHandler(Mail)
  send({ payload }: Job<{ to: string }>, { log, progress, attempt }: JobContext): unknown {
    log(`attempt ${attempt}`);
    log({ to: payload.to }, 'warn');
    progress(0.5);
    if (payload.to === 'nobody') throw new Error(`No mailbox of "${payload.to}", 4711`);
    if (payload.to === 'panic') throw new TypeError('oops');
    return { sent: true };
  }

  @JobSchedule({ everyMs: HOUR }, { name: 'hourly' })
  hourly(): void {}

  @JobSchedule('0 3 * * *', { name: 'nightly', timeZone: 'Europe/Berlin' })
  nightly(): void {}
}

describe('The screens of the dashboard', () => {
  const dashboards = TestDashboards.here();
  const start = (options: Partial<JobsDashboardOptions> = {}) =>
    dashboards.start({ root: { providers: [Mails] }, options });
  const screen = async <T>(path: string) => {
    const { status, json, text } = await dashboards.get(`/admin/jobs/api/${path}`);
    if (status !== 200) throw new Error(`${path}: ${status} ${text}`);
    return json() as T;
  };
  const refusal = async (path: string) => {
    const { status, json } = await dashboards.get(`/admin/jobs/api/${path}`);
    const { error } = json() as { error: { code: string; message: string } };
    return [status, error.code, error.message] as const;
  };
  const ran = async (id: string, to: string, settings = {}) => {
    await dashboards.client.enqueue(Mail, { to }, { id, maxAttempts: 1, ...settings });
    return ended(dashboards.client, id);
  };

  it('show jobs by every filter, a page at a time', async () => {
    await start();
    const { client } = dashboards;
    await client.enqueue(
      'other',
      { a: { b: 'x=y' }, n: 5 },
      { id: 'a', tags: ['t', 'u'], delayMs: HOUR, priority: 3 },
    );
    await client.enqueue('other', { n: '5' }, { id: 'b', tags: ['t'], delayMs: HOUR, unique: { key: 'k' } });
    await ran('c', 'nobody');
    const ids = async (query: string) => (await screen<Jobs>(`jobs?${query}`)).jobs.map(({ id }) => id);
    expect(await ids('')).toEqual(['c', 'b', 'a']);
    expect(await ids('order=oldest')).toEqual(['a', 'b', 'c']);
    expect(await ids('state=scheduled&state=failed')).toEqual(['c', 'b', 'a']);
    expect(await ids('state=failed')).toEqual(['c']);
    expect(await ids('kind=mail&kind=gone')).toEqual(['c']);
    expect(await ids('tag=t')).toEqual(['b', 'a']);
    expect(await ids('tag=t&tag=u')).toEqual(['a']);
    expect(await ids('id=a&id=gone')).toEqual(['a']);
    expect(await ids('kind=other&key=k')).toEqual(['b']);
    expect(await ids('schedule=gone')).toEqual([]);
    expect(await ids('error=No%20mailbox')).toEqual(['c']);
    expect(await ids('payload=n=5')).toEqual(['a']);
    expect(await ids('payload=n=%225%22')).toEqual(['b']);
    expect(await ids('payload=a.b=x=y&payload=n=5')).toEqual(['a']);
    const soon = Date.now() + HOUR / 2;
    expect(await ids(`runAfter=${soon}`)).toEqual(['b', 'a']);
    expect(await ids(`runBefore=${soon}`)).toEqual(['c']);
    expect(await ids(`createdAfter=${soon}`)).toEqual([]);
    expect(await ids(`updatedBefore=${soon}&createdBefore=${soon}`)).toEqual(['c', 'b', 'a']);
    const page = await screen<Jobs>('jobs?limit=2');
    expect([page.jobs.map(({ id }) => id), page.complete]).toEqual([['c', 'b'], true]);
    expect((await screen<Jobs>(`jobs?limit=2&after=${page.next!}`)).jobs.map(({ id }) => id)).toEqual(['a']);
    const [row] = (await screen<Jobs>('jobs?id=a')).jobs;
    const job = (await client.get('a'))!;
    expect(row).toEqual({
      ...{ id: 'a', kind: 'other', state: 'scheduled', status: 'PENDING', priority: 3, tags: ['t', 'u'] },
      ...{
        createdAt: job.createdAt.getTime(),
        runAt: job.runAt.getTime(),
        updatedAt: job.updatedAt.getTime(),
      },
      ...{ lastAttemptAt: null, attemptsDone: 0, maxAttempts: null, crashes: 0, uniqueKey: null },
      ...{ schedule: null, lockedBy: null, error: null, progress: null },
    });
    expect((await screen<Jobs>('jobs?id=c')).jobs[0]).toMatchObject({
      ...{ state: 'failed', error: 'Error: No mailbox of "nobody", 4711', attemptsDone: 1, progress: 0.5 },
    });
    const { states } = await screen<Counts>('counts?state=failed&tag=t');
    expect(states).toMatchObject({ scheduled: { value: 2, capped: false }, failed: { value: 0 } });
    expect(Object.keys(states)).toHaveLength(10);
  });

  it('say what is wrong with a query', async () => {
    await start();
    const told = (message: string) => [400, 'invalid', expect.stringContaining(message)];
    expect(await refusal('jobs?colour=red')).toEqual(told('"colour"'));
    expect(await refusal('jobs?limit=0')).toEqual(told('limit'));
    expect(await refusal('jobs?limit=many')).toEqual(told('limit'));
    expect(await refusal('jobs?order=up')).toEqual(told('order'));
    expect(await refusal('jobs?state=ill')).toEqual(told('"ill"'));
    expect(await refusal('jobs?key=k')).toEqual(told('uniqueKey'));
    expect(await refusal('jobs?createdAfter=1e300')).toEqual(told('createdAfter'));
    expect(await refusal('jobs?payload=nothing')).toEqual(told('customer.id=4711'));
    expect(await refusal('counts?payload=a={}')).toEqual(told('payload'));
    expect(await refusal('job')).toEqual(told('id is missing'));
    expect(await refusal('audit?after=x')).toEqual(told('after'));
    expect(await refusal('preview')).toEqual(told('either cron'));
    expect(await refusal('preview?cron=61%20*%20*%20*%20*')).toEqual(told('cron'));
    expect(await refusal('job?id=gone')).toEqual([404, 'not-found', expect.stringContaining('"gone"')]);
  });

  it('show all of a job', async () => {
    await start();
    const job = await ran('b', 'nobody', { tags: ['t'], backoff: { type: 'fixed', delayMs: 5_000 } });
    for (const id of ['a', 'c']) await ran(id, 'somebody');
    const page = await screen<JobPage>('job?id=b');
    expect(page.job).toMatchObject({
      ...{ id: 'b', state: 'failed', payloadVersion: 1, backoff: { type: 'fixed', delayMs: 5_000 } },
      ...{
        tick: null,
        cancelReason: null,
        lockedUntil: null,
        traceId: null,
        traceUrl: null,
        lastError: job.lastError,
      },
      payload: { type: 'json', text: '{\n  "to": "nobody"\n}', size: 15, truncated: false, redacted: false },
      result: { type: 'none', text: '', size: 0 },
    });
    expect(page.attempts).toMatchObject([
      { attempt: 1, outcome: 'failed', error: job.lastError, nextAt: null },
    ]);
    expect(page.logs.lines.map(({ level, text }) => [level, text])).toEqual([
      ['info', 'attempt 1'],
      ['warn', '{"to":"nobody"}'],
    ]);
    expect(page.explain).toEqual([{ code: 'settled', text: expect.stringContaining('It ended as FAILED') }]);
    expect(page.neighbours).toEqual({ older: 'a', newer: 'c' });
    expect((await screen<JobPage>('job?id=a')).job.result.text).toBe('{\n  "sent": true\n}');
    expect((await screen<JobPage>('job?id=c')).neighbours).toEqual({ older: 'b', newer: null });
  });

  it('show bytes, and the beginning of what is large', async () => {
    await start({ redact: false });
    await dashboards.client.enqueue('other', new Uint8Array(5_000).fill(255), { id: 'bytes' });
    await dashboards.client.enqueue('other', 'x'.repeat(100_000), { id: 'long' });
    expect((await screen<JobPage>('job?id=bytes')).job.payload).toEqual({
      ...{ type: 'bytes', text: 'ff'.repeat(4_096), truncated: true, size: 5_000, redacted: false },
    });
    const { payload } = (await screen<JobPage>('job?id=long')).job;
    expect([payload.text.length, payload.truncated, payload.size]).toEqual([65_536, true, 100_002]);
  });

  it('show how kinds fare, and what is wrong', async () => {
    await start();
    for (const id of ['a', 'b']) await ran(id, 'somebody');
    await ran('c', 'nobody');
    await ran('d', 'panic');
    await dashboards.client.enqueueMany([
      { kind: 'nowhere' },
      { kind: 'nowhere' },
      { kind: 'later', delayMs: HOUR },
    ]);
    await dashboards.kinds.pause('mail', { reason: 'no server', wait: true }); // has the worker tell of itself
    await until(async () =>
      (await screen<Kinds>('kinds')).kinds.some(({ spark }) => spark.some((n) => n > 0)),
    );
    const { kinds, allPaused } = await screen<Kinds>('kinds');
    expect(allPaused).toBeNull();
    expect(kinds.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(['mail', 'hourly', 'nightly', 'nowhere']),
    );
    const mail = kinds.find(({ kind }) => kind === 'mail')!;
    expect(mail).toMatchObject({ workers: 1, failedInDay: 2, paused: { kind: 'mail', reason: 'no server' } });
    expect(mail.spark).toHaveLength(60);
    expect(mail.spark.reduce((sum, n) => sum + n, 0)).toBe(4);
    expect(mail.waitMs!.p95).toBeGreaterThan(0);
    const overview = await screen<Overview>('overview');
    const sum = (points: Overview['minutes']) =>
      points.reduce((total, { counts }) => total + counts.done + counts.failed + counts.panicked, 0);
    expect([sum(overview.minutes), sum(overview.hours)]).toEqual([4, 4]);
    expect(overview.minutes.at(-1)!.at % 60_000).toBe(0);
    expect(overview.now - overview.minutes.at(-1)!.at).toBeLessThan(120_000);
    expect(overview.workers).toMatchObject({ live: 1, running: 0, stopping: 0 });
    expect(overview.backlog).toMatchObject({ ready: { value: 2, capped: false } });
    expect(overview.problems.map(({ code, severity, query }) => [code, severity, query])).toEqual([
      ['no-worker', 'error', 'view=jobs&kind=nowhere&state=ready'],
      ['panics', 'error', 'view=jobs&kind=mail&state=panic'],
      ['paused', 'warning', 'view=kinds'],
    ]);
  });

  it('show workers and schedules', async () => {
    await start();
    await until(async () => (await screen<Workers>('workers')).workers.length === 1);
    const [worker] = (await screen<Workers>('workers')).workers;
    expect(worker).toMatchObject({
      pid: process.pid,
      kinds: expect.arrayContaining(['mail']),
      stopping: false,
    });
    await until(async () => (await screen<Schedules>('schedules')).schedules.length === 2);
    const { schedules, next, now } = await screen<Schedules>('schedules');
    expect(next).toBeNull();
    expect(schedules).toMatchObject([
      {
        name: 'hourly',
        everyMs: HOUR,
        cron: null,
        declared: true,
        enabled: true,
        paused: null,
        overdue: false,
      },
      { name: 'nightly', cron: '0 3 * * *', timeZone: 'Europe/Berlin', everyMs: null },
    ]);
    for (const { ticks, nextAt } of schedules) {
      expect(ticks).toHaveLength(5);
      expect(ticks[0]).toBe(nextAt);
      expect(ticks[0]!).toBeGreaterThan(now);
      expect(ticks).toEqual(ticks.toSorted((one, other) => one - other));
    }
    expect(schedules[0]!.ticks[4]! - schedules[0]!.ticks[0]!).toBe(4 * HOUR);
  });

  it('group errors that are one and the same', async () => {
    await start();
    await ran('a', 'nobody');
    await ran('b', 'nobody');
    await ran('c', 'panic');
    const { groups, searched, next } = await screen<Errors>('errors');
    expect([searched, next]).toEqual([3, null]);
    expect(groups).toMatchObject([
      { title: 'Error: No mailbox of …', count: 2, kinds: ['mail'], jobIds: ['b', 'a'] },
      { title: 'panic: TypeError: oops', count: 1, jobIds: ['c'] },
    ]);
    expect(groups[0]!.frame).toMatch(/^Mails\.send \(dashboard\/screens\.spec\.ts\)$/);
    expect(groups[0]!.fingerprint).toMatch(/^[0-9a-f]{16}$/);
    expect(groups[0]!.lastAt).toBeGreaterThanOrEqual(groups[0]!.firstAt);
    expect((await screen<Errors>('errors?kind=other')).groups).toEqual([]);
    expect((await screen<Errors>('errors?after=b')).groups).toMatchObject([{ count: 1, jobIds: ['a'] }]);
  });

  it('show what a new job looks like, by the schema of its kind', async () => {
    await start();
    expect(await screen<Form>('form')).toEqual({ kinds: ['hourly', 'mail', 'nightly'], schema: null });
    expect((await screen<Form>('form?kind=mail')).schema).toMatchObject({
      ...{ type: 'object', properties: { to: { type: 'string' }, n: { type: 'number' } }, required: ['to'] },
    });
    expect((await screen<Form>('form?kind=gone')).schema).toBeNull();
  });

  it('show the audit a page at a time', async () => {
    await start();
    for (let n = 0; n < 101; n++)
      await dashboards.queue.audit.begin({ who: 'ada', action: 'retry', target: `job ${n}` });
    const first = await screen<Audit>('audit');
    expect([first.entries.length, first.entries[0]!.target]).toEqual([100, 'job 100']);
    expect(first.entries[0]).toMatchObject({ changed: null, problem: expect.stringContaining('not ended') });
    const second = await screen<Audit>(`audit?after=${first.next!}`);
    expect([second.entries.map(({ target }) => target), second.next]).toEqual([['job 0'], null]);
  });
});
