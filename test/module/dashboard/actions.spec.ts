import { describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { ACTION_NAMES } from '../../../lib/dashboard/actions/actions.js';
import type { Actions } from '../../../lib/dashboard/api/actions.js';
import type { Audit, Kinds } from '../../../lib/dashboard/api/screens.js';
import { JobHandler, JobSchedule, type Job } from '../../../lib/index.js';
import { TestDashboards, type Platform } from '../../support/dashboard.js';
import { until } from '../../support/until.js';
import { ended } from '../../support/applications.js';

const HOUR = 3_600_000;

@Injectable()
class Mails {
  @JobHandler('mail')
  send({ payload }: Job): string {
    if (payload === 'fail') throw new RangeErrorOfOurs('No mailbox 4711');
    return 'sent';
  }

  @JobSchedule('0 3 * * *', { name: 'nightly', timeZone: 'UTC' })
  nightly(): void {}
}

class RangeErrorOfOurs extends Error {
  override readonly name = 'MailboxError';
}

const PLATFORMS: readonly Platform[] = ['express', 'fastify'];

describe.each(PLATFORMS)('The actions of the dashboard on %s', (platform) => {
  const dashboards = TestDashboards.here();
  const start = () =>
    dashboards.start({
      platform,
      root: { providers: [Mails] },
      options: { who: (request: { headers: Record<string, string> }) => request.headers.user ?? 'nobody' },
    });
  const act = async <Name extends keyof Actions>(name: Name, body: Actions[Name][0]) => {
    const headers = { 'sec-fetch-site': 'same-origin', user: 'ada' };
    const { status, json } = await dashboards.act(name, body, headers);
    return { status, answer: json() as Actions[Name][1] };
  };
  const audit = async () => ((await dashboards.get('/admin/jobs/api/audit')).json() as Audit).entries;
  const later = (id: string, payload: unknown = null) =>
    dashboards.client.enqueue('mail', payload, { id, delayMs: HOUR });
  const failed = async (id: string) => {
    await dashboards.client.enqueue('mail', 'fail', { id, maxAttempts: 1 });
    expect(await ended(dashboards.client, id)).toMatchObject({ status: 'FAILED' });
  };
  const stateOf = async (id: string) => (await dashboards.client.get(id))?.state;

  it('retry, cancel, delete and start jobs by their ids, and say which they could not change', async () => {
    await start();
    for (const id of ['a', 'b', 'c']) await later(id);
    await failed('f');
    const cancelled = await act('cancel', { ids: ['a', 'gone'], reason: 'not needed' });
    expect(cancelled.answer).toEqual({
      ...{ matched: 2, changed: 1 },
      problems: [{ id: 'gone', problem: expect.stringContaining('is gone') }],
    });
    expect(await dashboards.client.get('a')).toMatchObject({
      state: 'cancelled',
      cancelReason: 'not needed',
    });
    expect((await act('run-now', { ids: ['b'] })).answer).toMatchObject({ changed: 1, problems: [] });
    expect(await ended(dashboards.client, 'b')).toMatchObject({ status: 'DONE' });
    expect((await act('run-now', { ids: ['b'] })).answer).toMatchObject({ changed: 0, matched: 1 });
    expect((await act('retry', { ids: ['f', 'a', 'c'] })).answer).toMatchObject({ matched: 3, changed: 2 });
    await until(async () => (await dashboards.client.get('f'))?.attemptsDone === 2);
    expect(await ended(dashboards.client, 'a')).toMatchObject({ status: 'DONE' });
    expect((await act('delete', { ids: ['c', 'b'] })).answer).toMatchObject({ matched: 2, changed: 2 });
    expect([await stateOf('c'), await stateOf('b')]).toEqual([undefined, undefined]);
  });

  it('retry, cancel, delete and start all jobs of a filter, after a preview that changes nothing', async () => {
    await start();
    for (const id of ['a', 'b']) await later(id);
    await dashboards.client.enqueue('other', null, { id: 'other', delayMs: HOUR });
    const filter = 'kind=mail&state=scheduled&state=failed';
    const preview = { matched: 2, changed: 0, capped: false, problems: [] };
    for (const name of ['cancel', 'run-now', 'delete'] as const)
      expect([name, (await act(name, { filter, dryRun: true })).answer]).toEqual([name, preview]);
    expect((await act('retry', { filter, dryRun: true })).answer).toMatchObject({ matched: 0 });
    expect(await audit()).toEqual([]);
    expect((await act('cancel', { filter })).answer).toEqual({ matched: 2, changed: 2, problems: [] });
    expect((await act('retry', { filter: 'kind=mail' })).answer).toMatchObject({ matched: 2, changed: 2 });
    for (const id of ['a', 'b']) expect(await ended(dashboards.client, id)).toMatchObject({ status: 'DONE' });
    await later('c');
    expect((await act('run-now', { filter: 'kind=mail' })).answer).toMatchObject({ matched: 1, changed: 1 });
    expect(await ended(dashboards.client, 'c')).toMatchObject({ status: 'DONE' });
    expect((await act('delete', { filter: '' })).answer).toMatchObject({ matched: 4, changed: 4 });
    expect(await dashboards.client.count()).toMatchObject({ value: 0 });
    expect(await audit()).toMatchObject([
      { action: 'delete', target: 'all jobs', changed: 4, who: 'ada', problem: null },
      { action: 'run-now', target: 'jobs with kind=mail', changed: 1 },
      { action: 'retry', target: 'jobs with kind=mail', changed: 2 },
      { action: 'cancel', target: `jobs with ${filter}`, changed: 2 },
    ]);
  });

  it('previews the ids of a selection as well', async () => {
    await start();
    for (const id of ['a', 'b']) await later(id);
    const { answer } = await act('cancel', { ids: ['a', 'gone'], dryRun: true });
    expect(answer).toEqual({ matched: 1, changed: 0, capped: false, problems: [] });
    expect(await stateOf('a')).toBe('scheduled');
  });

  it('enqueue, change and copy jobs', async () => {
    await start();
    const at = Date.now() + HOUR;
    const made = await act('enqueue', {
      ...{ kind: 'mail', payload: '{"n":1e3}', runAt: at, priority: -1, maxAttempts: 3, tags: ['t'] },
    });
    const { id } = made.answer;
    expect(await dashboards.client.get(id)).toMatchObject({
      ...{ payload: { n: 1000 }, runAt: new Date(at), priority: -1, maxAttempts: 3, tags: ['t'] },
    });
    await act('update', { id, payload: '{"n":2}', runAt: at + HOUR, priority: 4, maxAttempts: 5, tags: [] });
    const changed = await dashboards.client.get(id);
    expect(changed).toMatchObject({
      payload: { n: 2 },
      runAt: new Date(at + HOUR),
      priority: 4,
      maxAttempts: 5,
    });
    expect(changed!.tags ?? []).toEqual([]);
    const copy = await act('clone', { id });
    const other = await act('clone', { id, payload: '"other"' });
    expect(await dashboards.client.get(copy.answer.id)).toMatchObject({ payload: { n: 2 } });
    expect(await dashboards.client.get(other.answer.id)).toMatchObject({ payload: 'other' });
    const reveal = await act('reveal', { id });
    expect(reveal.answer).toMatchObject({
      payload: { type: 'json', text: '{\n  "n": 2\n}', redacted: false, size: 7, truncated: false },
      result: { type: 'none' },
    });
    expect((await audit()).map(({ action, target, changed: count }) => [action, target, count])).toEqual([
      ['reveal', `job ${id}`, 0],
      ['clone', `job ${id}`, 1],
      ['clone', `job ${id}`, 1],
      ['update', `job ${id}`, 1],
      ['enqueue', 'a job of the kind mail', 1],
    ]);
  });

  it('retry a group of errors, after a preview', async () => {
    await start();
    for (const id of ['f1', 'f2']) await failed(id);
    const errors = (await dashboards.get('/admin/jobs/api/errors')).json() as {
      groups: { fingerprint: string; kinds: string[]; title: string; count: number; jobIds: string[] }[];
    };
    expect(errors.groups).toMatchObject([
      { title: 'MailboxError: No mailbox …', count: 2, kinds: ['mail'], jobIds: ['f2', 'f1'] },
    ]);
    const { fingerprint, kinds } = errors.groups[0]!;
    expect((await act('retry-group', { fingerprint, kinds, dryRun: true })).answer).toMatchObject({
      ...{ matched: 2, changed: 0, capped: false },
    });
    expect((await act('retry-group', { fingerprint: '0', kinds })).answer).toMatchObject({ matched: 0 });
    expect((await act('retry-group', { fingerprint, kinds: ['other'] })).answer).toMatchObject({
      matched: 0,
    });
    expect((await act('retry-group', { fingerprint, kinds })).answer).toMatchObject({
      matched: 2,
      changed: 2,
    });
    for (const id of ['f1', 'f2'])
      await until(async () => (await dashboards.client.get(id))?.attemptsDone === 2);
  });

  it('pause and resume kinds', async () => {
    await start();
    const until = Date.now() + HOUR;
    await act('pause', { kind: 'mail', reason: 'no server', until, stopRunning: true });
    expect((await dashboards.kinds.stats('mail')).paused).toMatchObject({
      ...{ reason: 'no server', until: new Date(until), stopsRunning: true },
    });
    await act('pause', { kind: '*' });
    expect((await dashboards.get('/admin/jobs/api/kinds')).json()).toMatchObject({
      allPaused: { kind: '*', reason: null, until: null, stopsRunning: false },
    });
    for (const kind of ['mail', '*', '*']) expect((await act('resume', { kind })).answer).toEqual({});
    expect((await dashboards.kinds.stats('mail')).paused).toBeNull();
    expect((await audit()).map(({ action, target, changed }) => [action, target, changed])).toEqual([
      ['resume', 'all kinds', 0],
      ['resume', 'all kinds', 1],
      ['resume', 'the kind mail', 1],
      ['pause', 'all kinds', 1],
      ['pause', 'the kind mail', 1],
    ]);
  });

  it('show at once, though what kinds do is read but once a second for all who look', async () => {
    await start();
    const pauses = async () => {
      const { json } = await dashboards.get('/admin/jobs/api/kinds');
      const { allPaused, kinds } = json() as Kinds;
      return [
        allPaused?.reason ?? null,
        ...kinds.filter(({ paused }) => paused !== null).map(({ kind }) => kind),
      ];
    };
    expect(await pauses()).toEqual([null]);
    await act('pause', { kind: 'mail' });
    expect(await pauses()).toEqual([null, 'mail']);
    await act('pause', { kind: '*', reason: 'no server' });
    expect((await pauses())[0]).toBe('no server');
    for (const kind of ['*', 'mail']) await act('resume', { kind });
    expect(await pauses()).toEqual([null]);
  });

  it('pause, resume, run and backfill schedules', async () => {
    await start();
    await until(async () => (await dashboards.schedules.get('nightly')) !== null);
    await act('pause-schedule', { name: 'nightly', reason: 'holiday' });
    expect(await dashboards.schedules.get('nightly')).toMatchObject({
      paused: true,
      pausedReason: 'holiday',
    });
    await act('resume-schedule', { name: 'nightly' });
    expect(await dashboards.schedules.get('nightly')).toMatchObject({ paused: false });
    const run = await act('run-schedule', { name: 'nightly' });
    expect(await ended(dashboards.client, run.answer.id)).toMatchObject({
      schedule: 'nightly',
      status: 'DONE',
    });
    const days = { name: 'nightly', from: Date.UTC(2026, 0, 1), to: Date.UTC(2026, 0, 4) };
    const preview = async (body: object) =>
      (await act('backfill', { ...days, ...body, dryRun: true })).answer;
    expect(await preview({})).toEqual({ created: 3, existing: 0 });
    expect(await preview({ limit: 2 })).toEqual({ created: 2, existing: 0 });
    expect((await act('backfill', { ...days, limit: 1 })).answer).toEqual({ created: 1, existing: 0 });
    expect(await preview({})).toEqual({ created: 2, existing: 1 });
    const tooMany = await dashboards.act('backfill', { ...days, from: 0, dryRun: true });
    expect([tooMany.status, tooMany.text]).toEqual([400, expect.stringContaining('limit')]);
    expect((await act('backfill', days)).answer).toEqual({ created: 2, existing: 1 });
    expect((await act('backfill', { ...days, limit: 1 })).answer).toEqual({ created: 0, existing: 1 });
    expect((await audit())[1]).toMatchObject({
      target: 'the schedule nightly from 2026-01-01T00:00:00.000Z to 2026-01-04T00:00:00.000Z',
      changed: 2,
    });
  });

  it('tell what is wrong with a request, and the audit has those that began', async () => {
    await start();
    await later('a');
    const problem = async (name: keyof Actions, body: unknown) => {
      const answer = await dashboards.act(name, body);
      return [answer.status, (answer.json() as { error: { code: string; message: string } }).error];
    };
    const told = (code: string, message: string) => ({
      code,
      message: expect.stringContaining(message),
    });
    expect(await problem('retry', {})).toEqual([400, told('invalid', 'Give ids, or a filter')]);
    expect(await problem('retry', [])).toEqual([400, told('invalid', 'no JSON object')]);
    expect(await problem('cancel', { ids: 'a' })).toEqual([400, told('invalid', 'ids must be a list')]);
    expect(await problem('cancel', { filter: 'colour=red' })).toEqual([400, told('invalid', '"colour"')]);
    expect(await problem('cancel', { filter: 'state=red' })).toEqual([400, told('invalid', 'red')]);
    expect(await problem('cancel', { ids: ['a'], dryRun: 'yes' })).toEqual([400, told('invalid', 'dryRun')]);
    expect(await problem('enqueue', { kind: 'mail', payload: '{n:1}' })).toEqual([
      ...[400, told('invalid', 'payload is no JSON')],
    ]);
    expect(await problem('update', { id: 'gone' })).toEqual([409, told('conflict', 'gone')]);
    expect(await problem('clone', { id: 'gone' })).toEqual([400, told('invalid', 'no such job')]);
    expect(await problem('reveal', { id: 'gone' })).toEqual([404, told('not-found', 'gone')]);
    expect(await problem('pause', { kind: 'x', until: 'soon' })).toEqual([400, told('invalid', 'until')]);
    expect(await problem('run-schedule', { name: 'gone' })).toEqual([404, told('not-found', 'gone')]);
    const entries = await audit();
    expect(entries.length).toBeGreaterThan(5);
    for (const { changed, problem: why } of entries) expect([changed, typeof why]).toEqual([null, 'string']);
    expect(entries[0]).toMatchObject({ action: 'run-schedule', target: 'the schedule gone' });
  });

  it('are all of the contract', () => {
    const all: Record<keyof Actions, true> = {
      ...{
        retry: true,
        cancel: true,
        delete: true,
        'run-now': true,
        update: true,
        clone: true,
        enqueue: true,
      },
      ...{ reveal: true, 'retry-group': true, pause: true, resume: true, 'pause-schedule': true },
      ...{ 'resume-schedule': true, 'run-schedule': true, backfill: true },
    };
    expect(ACTION_NAMES.toSorted()).toEqual(Object.keys(all).toSorted());
  });
});
