import 'reflect-metadata';
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Injectable, type DynamicModule, type Type } from '@nestjs/common';
import {
  DatabaseNotReadyError,
  DuplicateJobError,
  JobHandler,
  type Job,
  type JobClient,
} from '../../lib/index.js';
import { ended } from '../support/applications.js';
import { describeOn, ofType, oneOfEach, sqlite, type TestServer } from '../support/databases.js';
import { blocksIn, load, readPages } from '../support/pages.js';
import { clientOf, dataSourceOf, Shards } from '../support/shards.js';
import { until } from '../support/until.js';

const NAMES = ['north', 'south', 'west'] as const;

/** The block of docs/high-availability.md. */
interface Recipe {
  readonly shardFor: (key: string, shards?: readonly string[]) => string;
  readonly Invoices: Type<{ send(tenant: string, invoice: string): Promise<Job> }>;
  readonly AppModule: Type;
}

async function loadRecipe(): Promise<Recipe> {
  const [block] = blocksIn(await readPages()).filter(({ comment }) => comment === 'run shards');
  return (await load(block!)) as unknown as Recipe;
}

/** Whether calls reach the shard: its DataSource is initialized, and its table is there. */
const isOpen = (client: JobClient): Promise<boolean> =>
  client.get('any').then(
    () => true,
    () => false,
  );

const tenants = (count: number) => Array.from({ length: count }, (_, n) => `tenant ${n}`);

describe('shardFor, as it is documented,', () => {
  let shardFor: Recipe['shardFor'];

  beforeAll(async () => {
    ({ shardFor } = await loadRecipe());
  });

  it('spreads keys evenly', () => {
    const keys = tenants(9_000);
    for (const name of NAMES) {
      const share = keys.filter((key) => shardFor(key) === name).length;
      expect(Math.abs(share - 3_000)).toBeLessThan(5 * Math.sqrt((9_000 * 2) / 9)); // five standard deviations
    }
  });

  it('moves keys only to a shard that is added, as many from each of the others', () => {
    const keys = tenants(8_000);
    const moved = keys.filter((key) => shardFor(key, [...NAMES, 'east']) !== shardFor(key));
    expect(moved.every((key) => shardFor(key, [...NAMES, 'east']) === 'east')).toBe(true);
    expect(Math.abs(moved.length - 2_000)).toBeLessThan(5 * Math.sqrt((8_000 * 3) / 16));
    for (const name of NAMES) {
      const left = moved.filter((key) => shardFor(key) === name).length;
      expect(Math.abs(left - moved.length / 3)).toBeLessThan(5 * Math.sqrt((moved.length * 2) / 9));
    }
  });

  it('does not depend on the order of the shards', () => {
    for (const key of tenants(100)) expect(shardFor(key, NAMES.toReversed())).toBe(shardFor(key));
  });
});

const OnEach =
  (names: readonly string[]) =>
  (target: object, key: string, method: PropertyDescriptor): void => {
    for (const queue of names) JobHandler('work', { queue })(target, key, method);
  };

/** A handler of all shards that tells where it ran what. */
function recorder(names: readonly string[]) {
  const runs: { readonly id: string; readonly payload: unknown }[] = [];
  @Injectable()
  class Recorder {
    @OnEach(names)
    work({ id, payload }: Job): void {
      runs.push({ id, payload });
    }
  }
  const hasRun = (id: string) => until(() => runs.some((run) => run.id === id), { what: `"${id} has run"` });
  return { runs, hasRun, providers: [Recorder] };
}

describeOn(
  ofType('postgres', oneOfEach),
  'The documented application on three databases of $name',
  (server) => {
    const shards = Shards.on({ north: server, south: server, west: server });
    let recipe: Recipe;

    const start = async () => {
      for (const { name, url } of shards.all) process.env[`DATABASE_URL_${name.toUpperCase()}`] = url;
      recipe = await loadRecipe();
      return shards.start({ imports: [recipe.AppModule] });
    };

    afterEach(() => {
      for (const name of NAMES) Reflect.deleteProperty(process.env, `DATABASE_URL_${name.toUpperCase()}`);
    });

    it('runs the jobs of each key on its shard, and on no other', async () => {
      const app = await start();
      const invoices = app.get(recipe.Invoices);
      for (const tenant of tenants(60)) await invoices.send(tenant, tenant);
      for (const tenant of tenants(60)) {
        const home = recipe.shardFor(tenant);
        const job = await ended(clientOf(app, home), `invoice-${tenant}`);
        expect(job).toMatchObject({ status: 'DONE', result: `invoice-${tenant} was mailed for ${tenant}` });
        for (const other of NAMES.filter((name) => name !== home))
          expect(await clientOf(app, other).get(job.id)).toBeNull();
      }
      const counts = NAMES.map(
        (name) => tenants(60).filter((tenant) => recipe.shardFor(tenant) === name).length,
      );
      expect(Math.min(...counts)).toBeGreaterThan(0);
    });

    it('starts without a shard, serves the others, and refuses the keys of that one', async () => {
      await shards.get('west').proxy!.cut();
      const app = await start();
      const invoices = app.get(recipe.Invoices);
      const here = tenants(30).filter((tenant) => recipe.shardFor(tenant) !== 'west');
      const gone = tenants(30).filter((tenant) => recipe.shardFor(tenant) === 'west');
      for (const tenant of here) await invoices.send(tenant, tenant);
      for (const tenant of here)
        expect(await ended(clientOf(app, recipe.shardFor(tenant)), `invoice-${tenant}`)).toMatchObject({
          status: 'DONE',
        });
      for (const tenant of gone)
        await expect(invoices.send(tenant, tenant)).rejects.toBeInstanceOf(DatabaseNotReadyError);
      await shards.get('west').proxy!.restore();
      await until(() => dataSourceOf(app, 'west').isInitialized);
      const [tenant] = gone;
      const sent = () =>
        invoices.send(tenant!, 'late').then(
          () => true,
          () => false,
        );
      await until(sent, { what: 'an enqueue' });
      expect(await ended(clientOf(app, 'west'), 'invoice-late')).toMatchObject({ status: 'DONE' });
    });
  },
);

/** One shard on each of the databases that are there: servers behind proxies, and SQLite. */
const mixed: readonly TestServer[] = [...oneOfEach, ...sqlite];
const missing = mixed.find((server) => server.missing !== undefined)?.missing;
const all: TestServer = { name: 'PostgreSQL, MariaDB and SQLite', type: 'postgres', url: '', missing };

describeOn([all], 'Shards on $name', () => {
  const names = mixed.map(({ type }) => type.replaceAll('-', '_'));
  const shards = Shards.on(Object.fromEntries(mixed.map((server, place) => [names[place]!, server])));

  it('each run their own jobs, also if one of the databases comes up late', async () => {
    const { runs, hasRun, providers } = recorder(names);
    await shards.get('mysql').proxy!.cut();
    const app = await shards.start({ imports: shards.modules(), providers });
    for (const name of names.filter((one) => one !== 'mysql')) {
      await clientOf(app, name).enqueue('work', name, { id: name });
      await hasRun(name);
    }
    await expect(clientOf(app, 'mysql').enqueue('work')).rejects.toBeInstanceOf(DatabaseNotReadyError);
    await shards.get('mysql').proxy!.restore();
    await until(() => shards.get('mysql').told('log').length > 0);
    await clientOf(app, 'mysql').enqueue('work', 'mysql', { id: 'mysql' });
    await hasRun('mysql');
    expect(runs).toHaveLength(3);
  });
});

describeOn(oneOfEach, 'Shards on $name', (server) => {
  const shards = Shards.on({ north: server, south: server, west: server });
  const start = (modules: DynamicModule[], { providers }: Pick<ReturnType<typeof recorder>, 'providers'>) =>
    shards.start({ imports: modules, providers });

  it('that are down at the start are told of once, and refuse each call', async () => {
    const west = shards.get('west');
    await west.proxy!.cut();
    const app = await start(shards.modules(), recorder(NAMES));
    const jobs = clientOf(app, 'west');
    const calls = [
      () => jobs.enqueue('work'),
      () => jobs.enqueueMany([{ kind: 'work' }]),
      () => jobs.get('one'),
      () => jobs.transaction(() => Promise.resolve()),
    ];
    for (const call of calls) {
      const refused = call();
      await expect(refused).rejects.toBeInstanceOf(DatabaseNotReadyError);
      await expect(refused).rejects.toMatchObject({ module: 'west', cause: { code: 'ECONNREFUSED' } });
      await expect(refused).rejects.toThrow(/JobsModule "west" has not been opened yet \(.*ECONNREFUSED/);
    }
    expect(dataSourceOf(app, 'west').isInitialized).toBe(false);
    await west.proxy!.restore();
    await until(() => west.told('log').length > 0);
    expect(west.told('warn')).toHaveLength(1);
    expect(west.told('error')).toEqual([]);
    expect(west.told('log')).toEqual([expect.stringMatching(/The database is open, after \d+ failures in/)]);
    expect(shards.get('north').told('log')).toEqual([]);
  });

  it('that come up late run what was enqueued there before', async () => {
    const before = await start(shards.modules({ worker: false }), recorder(NAMES));
    await clientOf(before, 'west').enqueue('work', null, { id: 'waiting' });
    await before.close();
    const west = shards.get('west');
    await west.proxy!.cut();
    const records = recorder(NAMES);
    await start(shards.modules(), records);
    expect(west.logger.lines.some((line) => /Worker .* started/.test(line))).toBe(false);
    await west.proxy!.restore();
    await records.hasRun('waiting');
    expect(west.logger.lines.some((line) => /Worker .* started/.test(line))).toBe(true);
  });

  it('that say nothing hold the start up for as long as the database may take, and not longer', async () => {
    const west = shards.get('west');
    west.proxy!.hold();
    const records = recorder(NAMES);
    const app = await start(shards.modules({ databaseTimeoutMs: 1_000 }), records);
    expect(west.told('warn')).not.toEqual([]);
    await expect(clientOf(app, 'west').get('one')).rejects.toBeInstanceOf(DatabaseNotReadyError);
    await until(() => isOpen(clientOf(app, 'north')));
    await clientOf(app, 'north').enqueue('work', null, { id: 'north' });
    await records.hasRun('north');
    west.proxy!.release();
    await until(() => west.told('log').length > 0);
    await clientOf(app, 'west').enqueue('work', null, { id: 'west' });
    await records.hasRun('west');
  });

  it('that die later leave the others alone, and come back', async () => {
    const records = recorder(NAMES);
    const app = await start(shards.modules(), records);
    await clientOf(app, 'west').enqueue('work', null, { id: 'west' });
    await records.hasRun('west');
    await shards.get('west').proxy!.cut();
    await expect(clientOf(app, 'west').enqueue('work')).rejects.toThrow();
    for (const name of ['north', 'south']) {
      await clientOf(app, name).enqueue('work', null, { id: `${name} alone` });
      await records.hasRun(`${name} alone`);
    }
    await shards.get('west').proxy!.restore();
    const again = () =>
      clientOf(app, 'west')
        .enqueue('work', null, { id: 'west again' })
        .then(
          () => true,
          (error: unknown) => error instanceof DuplicateJobError,
        );
    await until(again, { what: 'an enqueue' });
    await records.hasRun('west again');
    for (const name of ['north', 'south'])
      expect(shards.get(name).logger.lines.filter((line) => /^(warn|error)/.test(line))).toEqual([]);
  });

  it('are closed with the application: those that are up, those that are down, and those that say nothing', async () => {
    await shards.get('south').proxy!.cut();
    shards.get('west').proxy!.hold();
    const app = await start(shards.modules({ databaseTimeoutMs: 1_000 }), recorder(NAMES));
    await until(() => dataSourceOf(app, 'north').isInitialized);
    const dataSources = NAMES.map((name) => dataSourceOf(app, name));
    expect(dataSources.map(({ isInitialized }) => isInitialized)).toEqual([true, false, false]);
    await app.close();
    await shards.get('south').proxy!.restore();
    shards.get('west').proxy!.release();
    await until(() => shards.all.every(({ proxy }) => proxy!.size === 0), { what: 'no connection' });
    expect(dataSources.map(({ isInitialized }) => isInitialized)).toEqual([false, false, false]);
  });
});
