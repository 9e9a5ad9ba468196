import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import { Inject, Injectable, Module, type ModuleMetadata } from '@nestjs/common';
import { getDataSourceToken } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import {
  getJobClientToken,
  getWorkerToken,
  InjectJobClient,
  InvalidOptionError,
  JobClient,
  JobHandler,
  JobsError,
  JobsModule,
  SchemaVersionError,
  UnknownKindError,
  Worker,
  type AsyncJobsModuleOptions,
  type Job,
  type JobsOptionsFactory,
} from '../../lib/index.js';
import { ended, TestApplications } from '../support/applications.js';
import { anyServer, TestDatabase } from '../support/databases.js';

@Injectable()
class Greetings {
  ran = 0;

  @JobHandler('greet')
  greet({ payload }: Job<string>): string {
    this.ran += 1;
    return `Hello, ${payload}`;
  }

  @JobHandler('part')
  part(): string {
    return 'Bye';
  }
}

@Injectable()
class Desk {
  constructor(readonly jobs: JobClient) {}
}

@Module({ providers: [Desk], exports: [Desk] })
class DeskModule {}

describe('JobsModule', () => {
  const apps = TestApplications.on(anyServer());
  const worker = { pollIntervalMs: 100 };

  /** Tables of jobs, without those beside each that are named after it. */
  async function tables(): Promise<string[]> {
    const dataSource = await apps.database.connect();
    try {
      const rows = await dataSource.query<{ name: string }[]>(
        `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1`,
      );
      const names = rows.map(({ name }) => name);
      return names.filter((name) => !names.some((other) => name.startsWith(`${other}_`)));
    } finally {
      await dataSource.destroy();
    }
  }

  const root = (jobs: ModuleMetadata['imports'], more: ModuleMetadata = {}): ModuleMetadata => ({
    ...more,
    imports: [apps.typeOrm(), ...jobs!, ...(more.imports ?? [])],
  });

  describe('forRoot', () => {
    it('needs no options: decorated methods run jobs, and every module can inject the client', async () => {
      const app = await apps.start(
        root([JobsModule.forRoot()], { imports: [DeskModule], providers: [Greetings] }),
      );
      const { jobs } = app.get(Desk);
      const { id } = await jobs.enqueue('greet', 'Ada');
      expect(await ended(jobs, id)).toMatchObject({ status: 'DONE', result: 'Hello, Ada', attemptsDone: 1 });
      expect(await tables()).toEqual(['nest_jobs']);
      expect(app.get(Worker).kinds).toEqual(['greet', 'part']);
    });

    it('is limited to the modules that import it if isGlobal is false', async () => {
      const jobs = JobsModule.forRoot({ isGlobal: false });
      await expect(apps.start(root([jobs], { imports: [DeskModule] }))).rejects.toThrow(/JobClient/);

      @Module({ imports: [jobs], providers: [Desk] })
      class ImportingModule {}
      const app = await apps.start(root([jobs], { imports: [ImportingModule], providers: [Greetings] }));
      const client = app.get(Desk, { strict: false }).jobs;
      const { id } = await client.enqueue('greet', 'Bob');
      expect(await ended(client, id)).toMatchObject({ result: 'Hello, Bob' });
    });

    it('does not start if migrations should have created the table but did not', async () => {
      const starting = apps.start(root([JobsModule.forRoot({ migrate: 'manual' })]));
      await expect(starting).rejects.toBeInstanceOf(SchemaVersionError);
      expect(await tables()).toEqual([]);
    });
  });

  describe('forRootAsync', () => {
    const PREFIX = Symbol('prefix');

    @Injectable()
    class PrefixedOptions implements JobsOptionsFactory {
      constructor(@Inject(PREFIX) private readonly tablePrefix: string) {}

      async createJobsOptions(): Promise<AsyncJobsModuleOptions> {
        await Promise.resolve();
        return { tablePrefix: this.tablePrefix, worker };
      }
    }

    @Module({
      providers: [PrefixedOptions, { provide: PREFIX, useValue: 'my_' }],
      exports: [PrefixedOptions, PREFIX],
    })
    class SettingsModule {}

    it.each([
      [
        'useFactory',
        { inject: [PREFIX], useFactory: async (tablePrefix: string) => ({ tablePrefix, worker }) },
      ],
      ['useClass', { useClass: PrefixedOptions }],
      ['useExisting', { useExisting: PrefixedOptions }],
    ])('takes its options from %s', async (_name, options) => {
      const jobs = JobsModule.forRootAsync({ imports: [SettingsModule], ...options });
      const app = await apps.start(root([jobs], { imports: [DeskModule], providers: [Greetings] }));
      const client = app.get(Desk).jobs;
      const { id } = await client.enqueue('greet', 'Eve');
      expect(await ended(client, id)).toMatchObject({ result: 'Hello, Eve' });
      expect(await tables()).toEqual(['my_jobs']);
    });

    it.each([
      ['maxCrashes', 0],
      ['tablePrefix', 'a-b'],
      ['maxCrash', 3],
      ['name', 'other'],
      ['dataSource', 'other'],
      ['isGlobal', false],
    ])('refuses a factory’s %s of %p at startup', async (option, value) => {
      const jobs = JobsModule.forRootAsync({ useFactory: () => ({ [option]: value }) });
      const starting = apps.start(root([jobs]));
      await expect(starting).rejects.toBeInstanceOf(InvalidOptionError);
      await expect(starting).rejects.toMatchObject({ option, value });
    });

    it.each([undefined, null, 7, []])('refuses a factory that returns %p at startup', async (made) => {
      const jobs = JobsModule.forRootAsync({ useFactory: () => made as never });
      const starting = apps.start(root([jobs]));
      await expect(starting).rejects.toBeInstanceOf(InvalidOptionError);
      await expect(starting).rejects.toThrow(/what the factory of options returns.* must be an object/);
    });
  });

  it('keeps its jobs in the configured DataSource', async () => {
    const second = await TestDatabase.create(anyServer());
    try {
      const jobs = JobsModule.forRoot({ dataSource: 'second', worker });
      const imports = [apps.typeOrm('second', second)];
      const app = await apps.start(root([jobs], { imports, providers: [Greetings] }));
      const client = app.get(JobClient);
      const { id } = await client.enqueue('greet', 'Ida');
      expect(await ended(client, id)).toMatchObject({ result: 'Hello, Ida' });
      expect(await tables()).toEqual([]);
      const dataSource = app.get<DataSource>(getDataSourceToken('second'));
      expect(await dataSource.query('SELECT kind FROM nest_jobs')).toEqual([{ kind: 'greet' }]);
      await app.close();
    } finally {
      await second.drop();
    }
  });

  describe('twice in one application', () => {
    @Injectable()
    class BothDesk {
      constructor(
        readonly jobs: JobClient,
        @InjectJobClient('mail') readonly mail: JobClient,
      ) {}
    }

    @Injectable()
    class BothHandlers {
      @JobHandler('greet')
      greet(): string {
        return 'of the default';
      }

      @JobHandler('greet', { queue: 'mail' })
      mail(): string {
        return 'of mail';
      }

      @JobHandler('letter', { queue: 'mail' })
      letter(): string {
        return 'a letter';
      }
    }

    it('has two queues, each with its own table, kinds and worker', async () => {
      const both = [JobsModule.forRoot({ worker }), JobsModule.forRoot({ name: 'mail', worker })];
      const app = await apps.start(root(both, { providers: [BothDesk, BothHandlers] }));
      const { jobs, mail } = app.get(BothDesk);
      expect(app.get(getJobClientToken('mail'))).toBe(mail);
      await jobs.enqueue('greet', null, { id: 'same' });
      await mail.enqueue('greet', null, { id: 'same' });
      expect(await ended(jobs, 'same')).toMatchObject({ result: 'of the default' });
      expect(await ended(mail, 'same')).toMatchObject({ result: 'of mail' });
      expect(await tables()).toEqual(['nest_jobs', 'nest_mail_jobs']);
      expect(app.get(getWorkerToken()).kinds).toEqual(['greet']);
      expect(app.get(getWorkerToken('mail')).kinds).toEqual(['greet', 'letter']);
      await expect(jobs.enqueue('letter')).rejects.toBeInstanceOf(UnknownKindError);
    });

    it('refuses a handler of a module that the application does not have, and suggests one', async () => {
      @Injectable()
      class Typo {
        @JobHandler('typo', { queue: 'mails' })
        typo(): void {}
      }
      const both = [JobsModule.forRoot({ worker }), JobsModule.forRoot({ name: 'mail', worker })];
      const starting = apps.start(root(both, { providers: [Typo] }));
      await expect(starting).rejects.toBeInstanceOf(InvalidOptionError);
      await expect(starting).rejects.toThrow(
        /^Option "Typo\.typo in .*: queue" is "mails".*Did you mean "mail"\?/,
      );
    });

    it('is refused if both have the same name, or none', async () => {
      for (const options of [{}, { name: 'mail' }]) {
        const starting = apps.start(root([JobsModule.forRoot(options), JobsModule.forRoot(options)]));
        await expect(starting).rejects.toBeInstanceOf(JobsError);
        await expect(starting).rejects.toThrow(
          /2 JobsModules with the name "(default|mail)".*Import .* once/,
        );
      }
    });
  });

  describe('with its kinds', () => {
    it('worker: false runs nothing, even if there are handlers', async () => {
      const producer = await apps.start(
        root([JobsModule.forRoot({ worker: false })], { providers: [Greetings] }),
      );
      const consumer = await apps.start(root([JobsModule.forRoot({ worker })], { providers: [Greetings] }));
      const client = producer.get(JobClient);
      const jobs = await client.enqueueMany(
        Array.from({ length: 20 }, () => ({ kind: 'greet', payload: 'all' })),
      );
      for (const { id } of jobs) expect(await ended(client, id)).toMatchObject({ status: 'DONE' });
      expect(producer.get(Greetings).ran).toBe(0);
      expect(consumer.get(Greetings).ran).toBe(20);
      await expect(client.enqueue('unknown')).rejects.toBeInstanceOf(UnknownKindError);
    });

    it('worker: false without handlers may enqueue anything', async () => {
      const app = await apps.start(root([JobsModule.forRoot({ worker: false })]));
      expect(await app.get(JobClient).enqueue('anything')).toMatchObject({ kind: 'anything' });
    });

    it('unknownKinds: refuses kinds that no handler here serves, unless it is set to allow them', async () => {
      const strict = await apps.start(root([JobsModule.forRoot({ worker })], { providers: [Greetings] }));
      const refused = strict.get(JobClient).enqueue('new', null, { id: 'one' });
      await expect(refused).rejects.toMatchObject({ kind: 'new', knownKinds: ['greet', 'part'] });
      expect(await strict.get(JobClient).get('one')).toBeNull();

      const jobs = JobsModule.forRoot({ worker, unknownKinds: 'allow' });
      const lenient = await apps.start(root([jobs], { providers: [Greetings] }));
      await lenient.get(JobClient).enqueue('new', null, { id: 'one' });
      const { id } = await lenient.get(JobClient).enqueue('greet', 'you');
      await ended(lenient.get(JobClient), id);
      expect(await lenient.get(JobClient).get('one')).toMatchObject({ status: 'PENDING', attemptsDone: 0 });
    });

    it('worker.kinds: serves only these, and leaves the others to other processes', async () => {
      const kinds = JobsModule.forRoot({ worker: { ...worker, kinds: [' part '] } });
      const app = await apps.start(root([kinds], { providers: [Greetings] }));
      const client = app.get(JobClient);
      expect(app.get(Worker).kinds).toEqual(['part']);
      const { id: greet } = await client.enqueue('greet', 'later');
      const { id: part } = await client.enqueue('part');
      expect(await ended(client, part)).toMatchObject({ result: 'Bye' });
      expect(await client.get(greet)).toMatchObject({ status: 'PENDING', attemptsDone: 0 });
      await apps.start(root([JobsModule.forRoot({ worker })], { providers: [Greetings] }));
      expect(await ended(client, greet)).toMatchObject({ result: 'Hello, later' });
    });

    it('worker.kinds: refuses a kind that no handler serves at startup', async () => {
      const kinds = JobsModule.forRoot({ worker: { kinds: ['part', 'part two'] } });
      const starting = apps.start(root([kinds], { providers: [Greetings] }));
      await expect(starting).rejects.toMatchObject({ option: 'worker.kinds', value: 'part two' });
      await expect(starting).rejects.toThrow(/kinds that have a handler; there are greet, part\./);
    });
  });
});
