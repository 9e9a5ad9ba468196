import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll } from '@jest/globals';
import type { DynamicModule, INestApplication, LoggerService, ModuleMetadata, Type } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import type { JobsDashboardOptions } from '../../lib/dashboard/index.js';
import { JobsDashboardModule } from '../../lib/dashboard/index.js';
import { JobClient, JobKinds, JobQueue, JobsModule, JobSchedules } from '../../lib/index.js';
import type { JobsModuleOptions } from '../../lib/index.js';
import { TestApplications } from './applications.js';
import { anyServer, type TestServer } from './databases.js';

export type Platform = 'express' | 'fastify';

/** What an application does before it listens: a prefix, versions, helmet. */
export type Setup = (app: INestApplication) => void;

export interface DashboardAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly json: () => unknown;
}

/** Nest applications with a dashboard that listen, on a database of the test's own, and requests to them. */
export class TestDashboards {
  assetsFolder!: string;
  private readonly apps: INestApplication[] = [];
  private port = 0;
  private app!: INestApplication;

  private constructor(private readonly databases: TestApplications) {}

  /** For the tests of the `describe` that this is called in. */
  static here(): TestDashboards {
    return TestDashboards.on(anyServer());
  }

  /** The same on a server that matters. */
  static on(server: TestServer): TestDashboards {
    const databases = TestApplications.on(server);
    const dashboards = new TestDashboards(databases);
    beforeAll(() => dashboards.writeAssets());
    afterAll(() => rm(dashboards.assetsFolder, { recursive: true, force: true }));
    afterEach(() => dashboards.close());
    return dashboards;
  }

  /** An application that listens; the one before it, if there is one, has ended then. Without `guards` the dashboard is unguarded. */
  async start({
    platform = 'express',
    fastify = {},
    options = {},
    jobs = {},
    root = {},
    setup = () => undefined,
    dashboards = [],
    logger = SILENT,
  }: {
    readonly platform?: Platform;
    /** What its adapter is made with. */
    readonly fastify?: ConstructorParameters<typeof FastifyAdapter>[0];
    readonly options?: Partial<JobsDashboardOptions>;
    readonly jobs?: JobsModuleOptions;
    readonly root?: ModuleMetadata;
    readonly setup?: Setup;
    /** In the place of the one that `options` make. */
    readonly dashboards?: readonly DynamicModule[];
    readonly logger?: LoggerService;
  } = {}): Promise<INestApplication> {
    await this.close();
    const unguarded = options.guards === undefined ? { unguarded: true } : {};
    const all = { path: 'admin/jobs', assetsFolder: this.assetsFolder, ...unguarded, ...options };
    const builder = Test.createTestingModule({
      ...root,
      imports: [
        ...(root.imports ?? []),
        this.databases.typeOrm(),
        JobsModule.forRoot({ unknownKinds: 'allow', ...jobs }),
        ...(dashboards.length > 0 ? dashboards : [JobsDashboardModule.forRoot(all)]),
      ],
    });
    builder.setLogger(logger);
    const compiled = await builder.compile();
    const adapter = platform === 'express' ? new ExpressAdapter() : new FastifyAdapter(fastify);
    const app = compiled.createNestApplication(adapter, { logger });
    this.apps.push(app);
    setup(app);
    await app.listen(0, '127.0.0.1');
    this.app = app;
    this.port = (app.getHttpServer() as { address(): AddressInfo }).address().port;
    return app;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get client(): JobClient {
    return this.app.get(JobClient);
  }

  get kinds(): JobKinds {
    return this.app.get(JobKinds);
  }

  get schedules(): JobSchedules {
    return this.app.get(JobSchedules);
  }

  /** A provider of the application. */
  find<T>(type: Type<T>): T {
    return this.app.get(type);
  }

  get queue(): JobQueue {
    return this.app.get(JobQueue);
  }

  get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<DashboardAnswer> {
    return this.request('GET', path, headers);
  }

  /** As a page of the dashboard sends it. */
  act(
    name: string,
    body: unknown,
    headers: Readonly<Record<string, string>> = { 'sec-fetch-site': 'same-origin' },
    path = '/admin/jobs',
  ): Promise<DashboardAnswer> {
    const all = { 'content-type': 'application/json', ...headers };
    return this.request('POST', `${path}/api/act/${name}`, all, JSON.stringify(body));
  }

  async request(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>> = {},
    body?: string,
  ): Promise<DashboardAnswer> {
    const response = await this.open(method, path, headers, body);
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    return {
      status: response.statusCode!,
      headers: response.headers,
      text,
      json: () => JSON.parse(text) as unknown,
    };
  }

  /** An answer whose body has not been read. @param path or a whole URL */
  open(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>> = {},
    body?: string,
  ): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const sent = httpRequest(new URL(path, this.origin), { method, headers }, resolve);
      sent.on('error', reject);
      sent.end(body);
    });
  }

  private async writeAssets(): Promise<void> {
    this.assetsFolder = await mkdtemp(join(tmpdir(), 'dashboard-assets-'));
    const files = {
      'manifest.json': JSON.stringify({ 'main.js': 'main-abc123.js', 'main.css': 'main-def456.css' }),
      'main-abc123.js': 'console.log("ünï");\n',
      'main-def456.css': 'body { color: red }\n',
      'secret.js': 'not in the manifest\n',
    };
    for (const [name, text] of Object.entries(files)) await writeFile(join(this.assetsFolder, name), text);
  }

  private async close(): Promise<void> {
    for (const app of this.apps.splice(0)) await app.close();
  }
}

const SILENT: LoggerService = { log: () => undefined, warn: () => undefined, error: () => undefined };
