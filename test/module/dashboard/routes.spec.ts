import { createServer, request as httpRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { VersioningType } from '@nestjs/common';
import helmet from 'helmet';
import { ACTION_NAMES } from '../../../lib/dashboard/actions/actions.js';
import type { Overview } from '../../../lib/dashboard/api/screens.js';
import { TestDashboards, type Platform, type Setup } from '../../support/dashboard.js';

const CSP =
  `default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'self'; ` +
  `form-action 'none'; frame-ancestors 'none'`;

interface Place {
  readonly name: string;
  readonly setup: Setup;
  readonly page: string;
  /** What a proxy takes away. */
  readonly stripped?: string;
}

const PLACES: readonly Place[] = [
  { name: 'as it is', setup: () => undefined, page: '/admin/jobs' },
  { name: 'with a global prefix', setup: (app) => app.setGlobalPrefix('api/v2'), page: '/api/v2/admin/jobs' },
  {
    name: 'excluded from a global prefix',
    setup: (app) => app.setGlobalPrefix('api', { exclude: ['admin/jobs', 'admin/jobs/*path'] }),
    page: '/admin/jobs',
  },
  {
    name: 'with versions in URLs',
    setup: (app) => app.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' }),
    page: '/admin/jobs',
  },
  { name: 'under helmet', setup: (app) => app.use(helmet()), page: '/admin/jobs' },
  {
    name: 'behind a proxy that strips a prefix',
    setup: () => undefined,
    page: '/ops/west/admin/jobs',
    stripped: '/ops/west',
  },
];

const GETS = [
  ...['overview', 'kinds', 'jobs?state=ready', 'counts', 'job?id=first', 'schedules', 'workers', 'errors'],
  ...['audit', 'form', 'form?kind=x', 'preview?cron=0%208%20*%20*%20*&timeZone=UTC', 'preview?everyMs=60000'],
];

const PLATFORMS: readonly Platform[] = ['express', 'fastify'];

describe.each(PLATFORMS)('The routes of the dashboard on %s', (platform) => {
  const dashboards = TestDashboards.here();
  const proxies: Server[] = [];
  afterEach(() => proxies.splice(0).forEach((proxy) => proxy.close()));

  it.each(PLACES)('work $name', async ({ setup, page, stripped }) => {
    await dashboards.start({ platform, setup });
    await dashboards.client.enqueue('mail', { n: 1 }, { id: 'first' });
    const origin = stripped === undefined ? dashboards.origin : await proxy(stripped);
    const url = new URL(page, origin);
    const shown = await dashboards.get(url.href);
    expect(shown).toMatchObject({ status: 200, headers: { 'content-type': 'text/html; charset=utf-8' } });
    const base = new URL(attribute(shown.text, 'base href'), url);
    expect(base.pathname).toBe(`${page}/`);
    await expectAssets(base, shown.text);
    for (const path of GETS) {
      const answer = await dashboards.get(new URL(`api/${path}`, base).href);
      expect([path, answer.status]).toEqual([path, 200]);
      expect(answer.headers).toMatchObject({
        'content-type': 'application/json; charset=utf-8',
        'content-security-policy': CSP,
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cache-control': 'no-store',
      });
    }
    const retried = await dashboards.request(
      'POST',
      new URL('api/act/cancel', base).href,
      { 'content-type': 'application/json', 'sec-fetch-site': 'same-origin' },
      JSON.stringify({ ids: ['first'] }),
    );
    expect([retried.status, retried.json()]).toEqual([200, { matched: 1, changed: 1, problems: [] }]);
    await expectActions(base);
    await expectLive(base);
  });

  it('are as relative for a page whose URL ends in a slash', async () => {
    // Fastify takes such a URL only where it is told to.
    await dashboards.start({ platform, fastify: { routerOptions: { ignoreTrailingSlash: true } } });
    const { status, text } = await dashboards.get('/admin/jobs/');
    expect([status, attribute(text, 'base href')]).toEqual([200, './']);
  });

  it('have their headers also where nothing is found, and say so as JSON', async () => {
    await dashboards.start({ platform });
    for (const path of [
      'api/job?id=nothing',
      'assets/secret.js',
      'assets/manifest.json',
      'assets/..%2fmanifest.json',
    ]) {
      const { status, headers, json } = await dashboards.get(`/admin/jobs/${path}`);
      expect([path, status]).toEqual([path, 404]);
      expect(headers['content-security-policy']).toBe(CSP);
      expect(headers['cache-control']).toBe('no-store');
      expect(json()).toMatchObject({ error: { code: 'not-found', message: expect.any(String) } });
    }
  });

  async function expectAssets(base: URL, text: string): Promise<void> {
    const script = await dashboards.get(new URL(attribute(text, 'script type="module" src'), base).href);
    const style = await dashboards.get(new URL(attribute(text, 'link rel="stylesheet" href'), base).href);
    expect(script).toMatchObject({ status: 200, text: 'console.log("ünï");\n' });
    expect(style).toMatchObject({ status: 200, text: 'body { color: red }\n' });
    expect(script.headers['content-type']).toBe('text/javascript; charset=utf-8');
    expect(style.headers['content-type']).toBe('text/css; charset=utf-8');
    for (const { headers } of [script, style]) {
      expect(headers['cache-control']).toBe('public, max-age=31536000, immutable');
      expect(headers['content-security-policy']).toBe(CSP);
      expect(headers['x-content-type-options']).toBe('nosniff');
    }
  }

  /** Each has a route, and reads its body. */
  async function expectActions(base: URL): Promise<void> {
    for (const name of ACTION_NAMES) {
      const url = new URL(`api/act/${name}`, base).href;
      const headers = { 'content-type': 'application/json', 'sec-fetch-site': 'same-origin' };
      const answer = await dashboards.request('POST', url, headers, '[1]');
      expect([name, answer.status, answer.headers['content-security-policy']]).toEqual([name, 400, CSP]);
      expect(answer.json()).toMatchObject({
        error: { code: 'invalid', message: expect.stringContaining('no JSON object') },
      });
    }
  }

  async function expectLive(base: URL): Promise<void> {
    const stream = await dashboards.open('GET', new URL('api/live', base).href);
    expect(stream.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'content-security-policy': CSP,
      'x-content-type-options': 'nosniff',
    });
    let text = '';
    for await (const chunk of stream) {
      text += String(chunk);
      if (/data: .*\n\n/.test(text)) break;
    }
    const overview = JSON.parse(/data: (.*)\n\n/.exec(text)![1]!) as Overview;
    expect(overview.minutes).toHaveLength(60);
    expect(overview.hours).toHaveLength(24);
  }

  /** @returns the origin of a proxy that takes a prefix away and passes on all else */
  async function proxy(prefix: string): Promise<string> {
    const server = createServer((request, response) => {
      const { method, headers, url = '' } = request;
      if (!url.startsWith(`${prefix}/`)) return void response.writeHead(404).end();
      const target = new URL(url.slice(prefix.length), dashboards.origin);
      const passed = httpRequest(target, { method, headers }, (answer) => {
        response.writeHead(answer.statusCode!, answer.headers);
        answer.pipe(response);
        response.on('close', () => answer.destroy());
      });
      request.pipe(passed);
    });
    proxies.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
});

function attribute(html: string, start: string): string {
  return new RegExp(`<${start}="([^"]*)"`).exec(html)![1]!;
}
