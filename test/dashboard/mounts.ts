import { createServer, request as httpRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach } from '@jest/globals';
import { VersioningType } from '@nestjs/common';
import helmet from 'helmet';
import type { Platform, Setup } from '../support/dashboard.js';

/** The built pages. */
export const ASSETS = join(import.meta.dirname, '../../dist/dashboard/assets');

export const PLATFORMS: readonly Platform[] = ['express', 'fastify'];

/** Where a dashboard may stand. */
export interface Mount {
  readonly name: string;
  readonly setup?: Setup;
  readonly path: string;
  /** What a proxy takes away. */
  readonly stripped?: string;
}

export const AS_IT_IS: Mount = { name: 'as it is', path: '/admin/jobs' };

export const MOUNTS: readonly Mount[] = [
  AS_IT_IS,
  { name: 'with a global prefix', setup: (app) => app.setGlobalPrefix('api/v2'), path: '/api/v2/admin/jobs' },
  {
    name: 'with versions in URLs',
    setup: (app) => app.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' }),
    path: '/admin/jobs',
  },
  { name: 'under helmet', setup: (app) => app.use(helmet()), path: '/admin/jobs' },
  { name: 'behind a proxy that strips a prefix', path: '/ops/west/admin/jobs', stripped: '/ops/west' },
];

/** Proxies that take a prefix away, until the end of each test. */
export class Proxies {
  private readonly servers: Server[] = [];

  /** For the tests of the `describe` that this is called in. */
  static here(): Proxies {
    const proxies = new Proxies();
    afterEach(() => proxies.close());
    return proxies;
  }

  /** The address of the dashboard of an application, as a browser reaches it. */
  async urlOf(origin: string, { path, stripped }: Mount): Promise<string> {
    return `${stripped === undefined ? origin : await this.to(origin, stripped)}${path}`;
  }

  private async to(target: string, stripped: string): Promise<string> {
    const proxy = createServer((request, response) => {
      const path = request.url!.slice(stripped.length);
      const { method, headers } = request;
      const passed = httpRequest(new URL(path, target), { method, headers }, (answer) => {
        response.writeHead(answer.statusCode!, answer.headers);
        answer.pipe(response);
      });
      passed.on('error', () => response.destroy());
      response.on('close', () => passed.destroy());
      request.pipe(passed);
    });
    this.servers.push(proxy);
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  }

  private close(): void {
    for (const server of this.servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  }
}
