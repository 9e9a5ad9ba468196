import { describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import type { JobPage } from '../../../lib/dashboard/api/job-screens.js';
import type { JobsDashboardOptions } from '../../../lib/dashboard/index.js';
import { defineJob, JobHandler, type Job } from '../../../lib/index.js';
import { ended } from '../../support/applications.js';
import { TestDashboards } from '../../support/dashboard.js';

const SECRET = '4111-1111';
const Pay = defineJob('pay', {
  schema: z.object({
    amount: z.number(),
    card: z.object({ number: z.string().meta({ redact: true }), owner: z.string() }),
    pins: z.array(z.string().meta({ 'x-redact': true })).optional(),
  }),
});
const payload = { amount: 5, card: { number: SECRET, owner: 'Ada' }, pins: [SECRET, SECRET] };

@Injectable()
class Payments {
  @JobHandler(Pay)
  pay(): object {
    return { receipt: SECRET };
  }

  @JobHandler('plain')
  plain({ payload }: Job): unknown {
    return payload;
  }
}

describe('What the dashboard hides', () => {
  const dashboards = TestDashboards.here();
  const start = (options: Partial<JobsDashboardOptions> = {}) =>
    dashboards.start({
      root: { providers: [Payments] },
      options: { roles: { reveal: () => false }, ...options },
      jobs: { contextCarrier: { capture: () => ({ token: SECRET }), restore: (_carried, work) => work() } },
    });
  const job = async (id: string) => {
    const { text, json } = await dashboards.get(`/admin/jobs/api/job?id=${id}`);
    return { text, ...(json() as JobPage).job };
  };
  const found = async (query: string) => (await dashboards.get(`/admin/jobs/api/jobs?${query}`)).status;

  it('is what the schema of a kind marks, also in lists', async () => {
    await start();
    await dashboards.client.enqueue(Pay, payload, { id: 'a', delayMs: 60_000 });
    const { payload: seen } = await job('a');
    expect(JSON.parse(seen.text)).toEqual({
      ...{ amount: 5, card: { number: '[redacted]', owner: 'Ada' }, pins: ['[redacted]', '[redacted]'] },
    });
    expect([seen.redacted, seen.size]).toEqual([true, Buffer.byteLength(JSON.stringify(payload))]);
    for (const path of ['jobs', 'jobs?kind=pay', 'counts', 'overview', 'audit'])
      expect((await dashboards.get(`/admin/jobs/api/${path}`)).text).not.toContain(SECRET);
  });

  it('is everything of kinds whose schemas this process does not know, and nothing of kinds without one', async () => {
    await start();
    await dashboards.client.enqueue('elsewhere', payload, { id: 'a' });
    await dashboards.client.enqueue('plain', { card: 'no secret' }, { id: 'b' });
    await ended(dashboards.client, 'b');
    const unknown = await job('a');
    expect([unknown.payload.text, unknown.payload.redacted]).toEqual(['"[redacted]"', true]);
    expect([unknown.carried.text, unknown.carried.redacted]).toEqual(['"[redacted]"', true]);
    expect(unknown.text).not.toContain(SECRET);
    const plain = await job('b');
    expect([plain.payload.redacted, plain.result.redacted]).toEqual([false, false]);
    expect(plain.result.text).toContain('no secret');
  });

  it('is what a function says beside the marks, of payload, result and carried context', async () => {
    const paths: string[] = [];
    const redact = ({ kind }: Job, path: string) => {
      paths.push(`${kind} ${path}`);
      return ['result.receipt', 'carried.token', 'payload.card.owner'].includes(path);
    };
    await start({ redact });
    await dashboards.client.enqueue(Pay, payload, { id: 'a' });
    await ended(dashboards.client, 'a');
    const seen = await job('a');
    expect(seen.text).not.toContain(SECRET);
    expect(JSON.parse(seen.result.text)).toEqual({ receipt: '[redacted]' });
    expect(JSON.parse(seen.carried.text)).toEqual({ token: '[redacted]' });
    expect(JSON.parse(seen.payload.text)).toMatchObject({
      card: { number: '[redacted]', owner: '[redacted]' },
    });
    expect(paths).toContain('pay payload.pins');
    expect(paths).not.toContain('pay payload.card.number'); // it is hidden already
  });

  it('is all where the function fails, where it says so, and nothing where it says that', async () => {
    await start({
      redact: () => {
        throw new Error('no rules');
      },
    });
    await dashboards.client.enqueue('plain', payload, { id: 'a', delayMs: 60_000 });
    expect((await job('a')).payload).toMatchObject({ text: '"[redacted]"', redacted: true });
    await start({ redact: true });
    expect((await job('a')).payload).toMatchObject({ text: '"[redacted]"', redacted: true });
    await start({ redact: false });
    expect((await job('a')).payload).toMatchObject({ redacted: false });
    expect((await job('a')).text).toContain(SECRET);
  });

  it('is revealed to those who may, and the audit says to whom', async () => {
    await start({ roles: {}, who: () => 'ada' });
    await dashboards.client.enqueue(Pay, payload, { id: 'a' });
    await ended(dashboards.client, 'a');
    expect((await job('a')).payload.text).not.toContain(SECRET); // not even then without asking
    const { json } = await dashboards.act('reveal', { id: 'a' });
    expect(json()).toMatchObject({
      payload: { text: JSON.stringify(payload, null, 2), redacted: false },
      result: { text: JSON.stringify({ receipt: SECRET }, null, 2) },
      carried: { text: JSON.stringify({ token: SECRET }, null, 2) },
    });
    expect((await dashboards.queue.audit.read(null, 9)).actions).toMatchObject([
      { who: 'ada', action: 'reveal', target: 'job a', changed: 0, problem: null },
    ]);
  });

  it('cannot be found out by searching for it, nor by acting on what is found', async () => {
    await start();
    await dashboards.client.enqueue(Pay, payload, { id: 'a', delayMs: 60_000 });
    expect(await found(`kind=pay&payload=amount=5`)).toBe(200);
    expect(await found(`kind=plain&payload=amount=5`)).toBe(200);
    expect(await found(`kind=pay&payload=card.number=${SECRET}`)).toBe(403);
    expect(await found(`kind=pay&payload=pins.0=${SECRET}`)).toBe(403);
    expect(await found(`payload=amount=5`)).toBe(403); // of any kind
    expect(await found(`kind=pay&kind=elsewhere&payload=amount=5`)).toBe(403);
    const filter = `kind=pay&payload=card.number=${SECRET}`;
    expect(await dashboards.get(`/admin/jobs/api/counts?${filter}`)).toMatchObject({ status: 403 });
    expect(await dashboards.act('cancel', { filter, dryRun: true })).toMatchObject({ status: 403 });
    expect(await dashboards.act('cancel', { filter })).toMatchObject({ status: 403 });
    await start({ roles: {} });
    expect(await found(filter)).toBe(200);
    await start({ redact: false });
    expect(await found(filter)).toBe(200);
    await start({ redact: () => false });
    expect(await found('kind=plain&payload=amount=5')).toBe(403); // it cannot be known what the function hides
  });
});

describe('Hostile texts in the dashboard', () => {
  const dashboards = TestDashboards.here();
  const HOSTILE = `</script><script>alert(1)</script><!--'"&amp;\u202e\u0000\u2028`.replaceAll('\u0000', '');

  it('are escaped in the page, and stand as data in JSON that no browser takes for HTML', async () => {
    await dashboards.start({ options: { title: HOSTILE, redact: false } });
    await dashboards.client.enqueue(HOSTILE, { [HOSTILE]: HOSTILE }, { id: HOSTILE, tags: [HOSTILE] });
    await dashboards.act('pause', { kind: HOSTILE, reason: HOSTILE });
    const { text } = await dashboards.get('/admin/jobs');
    expect(text.match(/<script/g)).toHaveLength(1);
    expect(text).not.toContain('alert(1)</script>');
    expect(text).not.toContain('<!--');
    const attribute = /<meta name="session" content="([^"]*)">/.exec(text)![1]!;
    expect(attribute).not.toMatch(/[<>']/);
    const id = encodeURIComponent(HOSTILE);
    for (const path of ['jobs', `job?id=${id}`, 'kinds', 'overview', 'audit', `jobs?kind=${id}`]) {
      const answer = await dashboards.get(`/admin/jobs/api/${path}`);
      expect([path, answer.status]).toEqual([path, 200]);
      expect(answer.headers).toMatchObject({
        'content-type': 'application/json; charset=utf-8',
        'x-content-type-options': 'nosniff',
      });
      expect(answer.text).not.toContain('<');
      expect(JSON.stringify(answer.json())).toContain('alert(1)');
    }
  });

  it('in a URL come back as data as well', async () => {
    await dashboards.start();
    const { status, text, headers } = await dashboards.get('/admin/jobs/api/job?id=%3Cscript%3E');
    expect([status, headers['content-type']]).toEqual([404, 'application/json; charset=utf-8']);
    expect(text).not.toContain('<');
  });
});
