import { describe, expect, it, jest } from '@jest/globals';
import {
  Global,
  Injectable,
  Module,
  UnauthorizedException,
  type CanActivate,
  type ExecutionContext,
  type LoggerService,
} from '@nestjs/common';
import { of } from 'rxjs';
import { ACTION_NAMES } from '../../../lib/dashboard/actions/actions.js';
import type { Session } from '../../../lib/dashboard/api/screens.js';
import { JobsDashboardModule, type JobsDashboardOptions } from '../../../lib/dashboard/index.js';
import { InvalidOptionError } from '../../../lib/index.js';
import { TestDashboards } from '../../support/dashboard.js';

const PLATFORMS = ['express', 'fastify'] as const;
const GETS = [
  ...['', '/api/overview', '/api/live', '/api/kinds', '/api/jobs', '/api/counts', '/api/job?id=a'],
  ...[
    '/api/schedules',
    '/api/workers',
    '/api/errors',
    '/api/audit',
    '/api/form',
    '/api/preview?everyMs=1000',
  ],
  '/assets/main-abc123.js',
];

@Injectable()
class Passwords {
  readonly password = 'secret';
}

@Module({ providers: [Passwords], exports: [Passwords] })
class PasswordsModule {}

/** Depends on something that another module has. */
@Injectable()
class PasswordGuard implements CanActivate {
  constructor(private readonly passwords: Passwords) {}

  canActivate(context: ExecutionContext): boolean {
    const { headers } = context.switchToHttp().getRequest<{ headers: Record<string, unknown> }>();
    if (headers.authorization !== this.passwords.password) throw new UnauthorizedException('no password');
    return true;
  }
}

describe('The options of the dashboard', () => {
  const refused = (options: object, message: RegExp) => {
    const make = () => JobsDashboardModule.forRoot(options as JobsDashboardOptions);
    expect(make).toThrow(InvalidOptionError);
    expect(make).toThrow(message);
  };

  it('must have guards, or say that there are none', () => {
    refused({ path: 'jobs' }, /"guards".*unguarded: true/);
    refused({ path: 'jobs', guards: [] }, /"guards"/);
    refused({ path: 'jobs', guards: [], unguarded: false }, /"guards"/);
    refused({ path: 'jobs', guards: [PasswordGuard], unguarded: true }, /"guards"/);
    expect(() =>
      JobsDashboardModule.forRootAsync({ path: 'jobs', useFactory: () => ({ readOnly: true }) }),
    ).toThrow(/"guards"/);
  });

  it('are refused where they are wrong, each by its name', () => {
    const path = { path: 'jobs', unguarded: true };
    refused({ unguarded: true }, /"path"/);
    refused({ ...path, guards: [{}] }, /"guards\[0\]"/);
    refused({ ...path, guards: [() => true] }, /"guards\[0\]"/);
    refused({ ...path, roles: { write: () => true } }, /"roles.write".*read, act, reveal/);
    refused({ ...path, roles: { act: 'admin' } }, /"roles.act"/);
    refused({ ...path, redact: 'payload' }, /"redact"/);
    refused({ ...path, readonly: true }, /"readonly".*Did you mean "readOnly"/);
    refused({ ...path, who: 'me' }, /"who"/);
    for (const traceUrl of [
      ...['', '/trace/{traceId}', 'tempo.example/{traceId}', 'javascript:alert("{traceId}")'],
      ...['https://tempo.example/trace', 'file:///{traceId}', 7, null],
    ])
      refused({ ...path, traceUrl }, /"traceUrl".*http:\/\/ or https:\/\/ and has \{traceId\} in it/);
    refused({ ...path, trustForwardedHost: 1 }, /"trustForwardedHost"/);
    refused({ ...path, name: 'a b' }, /"name"/);
  });
});

describe.each(PLATFORMS)('Who gets into the dashboard on %s', (platform) => {
  const dashboards = TestDashboards.here();

  it('is said by its guards, with what they depend on, for every route', async () => {
    const options = { guards: [PasswordGuard], imports: [PasswordsModule] };
    await dashboards.start({ platform, options });
    for (const path of GETS) {
      const { status, headers } = await dashboards.get(`/admin/jobs${path}`);
      expect([path, status]).toEqual([path, 401]);
      expect(headers['content-security-policy']).toContain(`default-src 'none'`);
    }
    for (const name of ACTION_NAMES)
      expect([name, (await dashboards.act(name, {})).status]).toEqual([name, 401]);
    expect(await dashboards.get('/admin/jobs', { authorization: 'secret' })).toMatchObject({ status: 200 });
  });

  it('is everybody where it is unguarded, and a warning says so at each start', async () => {
    const warn = jest.fn();
    const logger: LoggerService = { log: () => undefined, error: () => undefined, warn };
    await dashboards.start({ platform, logger });
    expect(await dashboards.get('/admin/jobs')).toMatchObject({ status: 200 });
    expect(warn.mock.calls.map(([text]) => text)).toContainEqual(
      expect.stringMatching(/^The dashboard at admin\/jobs has no guards \(unguarded: true\)/),
    );
  });

  it('is said by instances of guards as well, and by several', async () => {
    const guards = [{ canActivate: () => true }, { canActivate: () => of(false) }];
    await dashboards.start({ platform, options: { guards } });
    expect(await dashboards.get('/admin/jobs')).toMatchObject({ status: 403 });
  });

  it('is nobody where the role to read is missing, and the answer names it', async () => {
    const roles = { read: () => false, act: () => true, reveal: () => true };
    await dashboards.start({ platform, options: { roles } });
    for (const path of GETS) {
      const { status, json } = await dashboards.get(`/admin/jobs${path}`);
      expect([path, status]).toEqual([path, 403]);
      expect(json()).toEqual({ error: { code: 'forbidden', message: 'This takes the role "read".' } });
    }
    for (const name of ACTION_NAMES) {
      const { status, json } = await dashboards.act(name, {});
      const role = name === 'reveal' ? 'reveal' : 'act';
      expect([name, status]).toEqual([name, 403]);
      expect(json()).toMatchObject({ error: { message: `This takes the role "${role}".` } });
    }
  });

  it('does nothing without the role to act, whatever the action', async () => {
    await dashboards.start({ platform, options: { roles: { act: () => Promise.resolve(false) } } });
    await dashboards.client.enqueue('mail', null, { id: 'a', delayMs: 60_000 });
    const bodies = {
      kind: 'mail',
      name: 's',
      id: 'a',
      ids: ['a'],
      fingerprint: 'x',
      kinds: [],
      from: 0,
      to: 1,
    };
    for (const name of ACTION_NAMES) {
      const { status, json } = await dashboards.act(name, bodies);
      expect([name, status]).toEqual([name, 403]);
      const role = name === 'reveal' ? 'reveal' : 'act';
      expect(json()).toEqual({ error: { code: 'forbidden', message: `This takes the role "${role}".` } });
    }
    expect(await dashboards.client.get('a')).toMatchObject({ state: 'scheduled' });
    expect(await dashboards.client.count()).toMatchObject({ value: 1 });
    expect((await dashboards.queue.audit.read(null, 10)).actions).toEqual([]);
    expect(sessionOf((await dashboards.get('/admin/jobs')).text).may).toEqual({ act: false, reveal: false });
  });

  it('may act without a right to reveal, and the other way round', async () => {
    const roles = {
      act: (request: { headers: Record<string, unknown> }) => request.headers.role === 'operator',
      reveal: { canActivate: (context: ExecutionContext) => of(roleOf(context) === 'auditor') },
    };
    await dashboards.start({ platform, options: { roles } });
    await dashboards.client.enqueue('mail', { secret: 1 }, { id: 'a', delayMs: 60_000 });
    const status = async (name: string, role: string) =>
      (await dashboards.act(name, { id: 'a', ids: ['a'] }, { 'sec-fetch-site': 'same-origin', role })).status;
    expect(await status('reveal', 'operator')).toBe(403);
    expect(await status('reveal', 'auditor')).toBe(200);
    expect(await status('cancel', 'auditor')).toBe(403);
    expect(await status('cancel', 'operator')).toBe(200);
    const may = async (role: string) => sessionOf((await dashboards.get('/admin/jobs', { role })).text).may;
    expect(await may('operator')).toEqual({ act: true, reveal: false });
    expect(await may('auditor')).toEqual({ act: false, reveal: true });
  });

  it('has the rights of a guard class with its dependencies, and none where that throws', async () => {
    const options = { roles: { act: PasswordGuard }, imports: [PasswordsModule] };
    await dashboards.start({ platform, options });
    const act = (headers: Record<string, string>) =>
      dashboards.act('enqueue', { kind: 'mail' }, { 'sec-fetch-site': 'same-origin', ...headers });
    expect(await act({})).toMatchObject({ status: 403 });
    expect(await act({ authorization: 'secret' })).toMatchObject({ status: 200 });
  });

  it('changes nothing where the dashboard is read-only, and may still reveal', async () => {
    await dashboards.start({ platform, options: { readOnly: true } });
    await dashboards.client.enqueue('mail', 1, { id: 'a' });
    for (const name of ACTION_NAMES) {
      const { status, json } = await dashboards.act(name, { id: 'a' });
      expect([name, status]).toEqual([name, name === 'reveal' ? 200 : 403]);
      if (name !== 'reveal') expect(json()).toMatchObject({ error: { code: 'read-only' } });
    }
    const { readOnly, may } = sessionOf((await dashboards.get('/admin/jobs')).text);
    expect([readOnly, may]).toEqual([true, { act: false, reveal: true }]);
  });

  it('is said by options that other providers make', async () => {
    @Global()
    @Module({ providers: [Passwords], exports: [Passwords] })
    class GlobalPasswords {}
    const dashboard = JobsDashboardModule.forRootAsync({
      ...{ path: 'admin/jobs', guards: [PasswordGuard], inject: [Passwords] },
      useFactory: ({ password }: Passwords) =>
        Promise.resolve({ readOnly: true, title: `of ${password}`, assetsFolder: dashboards.assetsFolder }),
    });
    await dashboards.start({ platform, root: { imports: [GlobalPasswords] }, dashboards: [dashboard] });
    expect(await dashboards.get('/admin/jobs')).toMatchObject({ status: 401 });
    const { text } = await dashboards.get('/admin/jobs', { authorization: 'secret' });
    expect(sessionOf(text)).toMatchObject({ name: 'of secret', readOnly: true });
  });
});

describe.each(PLATFORMS)('A request of another site to the dashboard on %s', (platform) => {
  const dashboards = TestDashboards.here();
  const enqueue = async (headers: Record<string, string>, type = 'application/json') => {
    const all = { 'content-type': type, ...headers };
    const path = '/admin/jobs/api/act/enqueue';
    const answer = await dashboards.request('POST', path, all, JSON.stringify({ kind: 'mail' }));
    const { error } = answer.json() as { error?: { code: string; message: string } };
    return error ?? answer.status;
  };

  it('is refused by Sec-Fetch-Site, and else by Origin', async () => {
    await dashboards.start({ platform });
    const { origin } = dashboards;
    const host = new URL(origin).host;
    for (const site of ['cross-site', 'same-site', 'none'])
      expect(await enqueue({ 'sec-fetch-site': site, origin })).toEqual({
        code: 'cross-site',
        message: expect.stringContaining(`Sec-Fetch-Site is "${site}"`),
      });
    for (const other of ['https://evil.example', 'null', `${origin}0`, 'http://127.0.0.1', ''])
      expect(await enqueue({ origin: other })).toEqual({
        code: 'cross-site',
        message: expect.stringContaining(
          `Origin is ${JSON.stringify(other)}, and the host of the dashboard is "${host}"`,
        ),
      });
    expect(await enqueue({})).toMatchObject({ message: expect.stringContaining('are missing') });
    expect(await dashboards.client.count()).toMatchObject({ value: 0 });
    expect(await enqueue({ origin })).toBe(200);
    expect(await enqueue({ 'sec-fetch-site': 'same-origin' })).toBe(200);
    expect(await dashboards.client.count()).toMatchObject({ value: 2 });
  });

  it('reads nothing, also where the application allows every origin', async () => {
    await dashboards.start({ platform, setup: (app) => app.enableCors({ origin: true, credentials: true }) });
    const screens = GETS.filter((path) => path.startsWith('/api/'));
    for (const path of screens)
      for (const site of ['cross-site', 'same-site']) {
        const headers = { 'sec-fetch-site': site, origin: 'https://evil.example' };
        const { status, json } = await dashboards.get(`/admin/jobs${path}`, headers);
        expect([path, status]).toEqual([path, 403]);
        expect(json()).toMatchObject({ error: { code: 'cross-site' } });
      }
    for (const site of ['same-origin', 'none'])
      expect(await dashboards.get('/admin/jobs/api/jobs', { 'sec-fetch-site': site })).toMatchObject({
        status: 200,
      });
    // A link of a chat leads here.
    expect(await dashboards.get('/admin/jobs', { 'sec-fetch-site': 'cross-site' })).toMatchObject({
      status: 200,
    });
  });

  it('is refused where it is no JSON, as every form of another page is', async () => {
    await dashboards.start({ platform });
    const own = { 'sec-fetch-site': 'same-origin' };
    const types =
      platform === 'express' ? ['text/plain', 'application/x-www-form-urlencoded'] : ['text/plain'];
    for (const type of types)
      expect(await enqueue(own, type)).toMatchObject({
        code: 'cross-site',
        message: expect.stringContaining(`Content-Type is "${type}"`),
      });
    expect(await enqueue(own, 'application/json; charset=utf-8')).toBe(200);
    expect(await dashboards.client.count()).toMatchObject({ value: 1 });
  });

  it('is told by X-Forwarded-Host only where that is trusted', async () => {
    const headers = { origin: 'https://ops.example', 'x-forwarded-host': 'ops.example' };
    await dashboards.start({ platform });
    expect(await enqueue(headers)).toMatchObject({
      message: expect.stringContaining('trustForwardedHost: true'),
    });
    await dashboards.start({ platform, options: { trustForwardedHost: true } });
    expect(await enqueue(headers)).toBe(200);
    expect(await enqueue({ ...headers, 'x-forwarded-host': 'ops.example:443, inner' })).toBe(200);
    expect(await enqueue({ ...headers, origin: 'https://evil.example' })).toMatchObject({
      code: 'cross-site',
    });
  });
});

function roleOf(context: ExecutionContext): unknown {
  return context.switchToHttp().getRequest<{ headers: Record<string, unknown> }>().headers.role;
}

function sessionOf(html: string): Session {
  const attribute = /<meta name="session" content="([^"]*)">/.exec(html)![1]!;
  return JSON.parse(attribute.replaceAll('&quot;', '"').replaceAll('&amp;', '&')) as Session;
}
