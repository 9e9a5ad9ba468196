import { setTimeout as sleep } from 'node:timers/promises';
import { JobEntity } from 'nestjs-typeorm-jobs';
import { DataSource, type DataSourceOptions } from 'typeorm';
import type { Scenario } from '../scenario.js';
import { postgresAt } from '../servers/postgres.js';
import type { PostgresCluster } from './postgres.js';

const LOAD_MS = 4_000;
const DOWN_MS = 3_000;
/** The aliases by which TypeORM's own statements are known. */
const BY_REPOSITORY = /AS "nest_jobs_id"/;

/** The option `replication` of the DataSource, with a slave that is two seconds behind. */
export const POSTGRES_REPLICATION: Scenario<PostgresCluster> = {
  name: 'PostgreSQL, replication of TypeORM: lagging slave, master dead and back',
  async play(stage, cluster) {
    const { primary, laggard } = cluster;
    const database = 'replication';
    await cluster.create(database);
    const options = replicated(primary.port, laggard.port, database);
    const before = laggard.log.length;
    stage.worker('w1', options);
    stage.worker('w2', options);
    stage.enqueuer('e1', options, { readsBack: true });
    await stage.ready();
    await sleep(LOAD_MS);

    await primary.kill();
    await sleep(DOWN_MS);
    await primary.start();
    stage.healed();
    await sleep(LOAD_MS);

    const { stale, reads } = (await stage.conclude({ query: (text) => primary.query(database, text) }))
      .counts;
    stage.expect(reads > 0 && stale === 0, `${stale} of ${reads} reads after an enqueue were stale`);
    await readFromSlave(options);
    const seen = laggard.log.slice(before).split('\n');
    const statements = seen.filter((line) => line.includes('statement:') || line.includes('execute '));
    stage.expect(
      statements.some((line) => BY_REPOSITORY.test(line)),
      'the slave was not read, so its log proves nothing',
    );
    const ours = statements.filter(
      (line) => /nest_jobs|LISTEN|NOTIFY/i.test(line) && !BY_REPOSITORY.test(line),
    );
    stage.expect(ours.length === 0, `the slave was sent statements of the queue, such as ${ours[0]}`);
    stage.notes.push(`the slave was sent ${ours.length} statements of the queue`);
  },
};

/** As an application does that queries the table: through a repository, which reads from the slave. */
async function readFromSlave(options: DataSourceOptions): Promise<void> {
  const dataSource = await new DataSource({ ...options, entities: [JobEntity] }).initialize();
  await dataSource.getRepository(JobEntity).findOneBy({ id: 'e1-0' });
  await dataSource.destroy();
}

function replicated(master: number, slave: number, database: string): DataSourceOptions {
  const credentials = ({ host, port, username }: Record<string, unknown>) => ({
    host,
    port,
    username,
    database,
  });
  const options = postgresAt(master, database) as unknown as Record<string, unknown>;
  const { type, poolSize, extra } = options;
  return {
    type,
    poolSize,
    extra,
    replication: {
      master: credentials(options),
      slaves: [credentials(postgresAt(slave, database) as unknown as Record<string, unknown>)],
    },
  } as unknown as DataSourceOptions;
}
