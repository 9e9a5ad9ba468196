import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import {
  Controller,
  Inject,
  Injectable,
  Module,
  Scope,
  type ModuleMetadata,
  type Provider,
} from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import {
  InvalidJobError,
  InvalidOptionError,
  JobClient,
  JobHandler,
  JobsModule,
  KindExistsError,
  Worker,
  type Job,
  type JobContext,
} from '../../lib/index.js';
import { ended, TestApplications } from '../support/applications.js';
import { anyServer } from '../support/databases.js';

describe('@JobHandler is found', () => {
  const apps = TestApplications.on(anyServer());

  const start = ({ imports = [], ...root }: ModuleMetadata) =>
    apps.start({ ...root, imports: [apps.typeOrm(), JobsModule.forRoot(), ...imports] });

  /** Runs a job of each kind in an application. @returns the results of the handlers, by kind */
  async function resultsOf(root: ModuleMetadata): Promise<Record<string, unknown>> {
    const app = await start(root);
    const client = app.get(JobClient);
    const results: Record<string, unknown> = {};
    for (const kind of app.get(Worker).kinds) {
      const { id } = await client.enqueue(kind);
      const { result, lastError } = await ended(client, id);
      results[kind] = lastError ?? result;
    }
    return results;
  }

  /** @returns the results of `count` jobs of the kind */
  async function runMany(root: ModuleMetadata, kind: string, count: number): Promise<Job[]> {
    const client = (await start(root)).get(JobClient);
    const jobs = await client.enqueueMany(Array.from({ length: count }, () => ({ kind })));
    return Promise.all(jobs.map(({ id }) => ended(client, id)));
  }

  it('on providers and controllers, with their dependencies, even in imported modules', async () => {
    @Injectable()
    class Clock {
      readonly zone = 'UTC';
    }
    @Injectable()
    class Reports {
      constructor(private readonly clock: Clock) {}

      @JobHandler('report')
      report(): string {
        return `report in ${this.clock.zone}`;
      }
    }
    @Controller()
    class Orders {
      @JobHandler('order')
      order(): string {
        return 'ordered';
      }
    }
    @Module({ providers: [Clock, Reports], controllers: [Orders] })
    class FeatureModule {}

    expect(await resultsOf({ imports: [FeatureModule] })).toEqual({
      report: 'report in UTC',
      order: 'ordered',
    });
  });

  it('on several methods of a class, and several times on one method', async () => {
    @Injectable()
    class Mails {
      @JobHandler('mail.welcome')
      @JobHandler(' mail.invoice ', { maxAttempts: 2 })
      send({ kind }: Job): string {
        return `sent ${kind}`;
      }

      @JobHandler('mail.delete')
      delete(): string {
        return 'deleted';
      }
    }
    expect(await resultsOf({ providers: [Mails] })).toEqual({
      'mail.welcome': 'sent mail.welcome',
      'mail.invoice': 'sent mail.invoice',
      'mail.delete': 'deleted',
    });
  });

  it('on inherited methods that the class does not override', async () => {
    abstract class Importer {
      protected abstract readonly from: string;

      @JobHandler('import')
      run(): string {
        return `imported from ${this.from}`;
      }

      @JobHandler('import.check')
      check(): string {
        return 'checked';
      }
    }
    @Injectable()
    class CsvImporter extends Importer {
      protected readonly from = 'CSV';

      override check(): string {
        return 'no handler any more';
      }
    }
    expect(await resultsOf({ providers: [CsvImporter] })).toEqual({ import: 'imported from CSV' });
  });

  it('on instances from factories and values, and only once if there is an alias', async () => {
    class Made {
      constructor(private readonly by: string) {}

      @JobHandler('made')
      run(): string {
        return `made by ${this.by}`;
      }
    }
    class Given {
      @JobHandler('given')
      run(): string {
        return 'given';
      }
    }
    class BySymbol {
      @JobHandler('by symbol')
      run(): string {
        return 'found';
      }
    }
    const providers: Provider[] = [
      { provide: 'MADE', useFactory: async () => new Made('a factory') },
      { provide: Given, useValue: new Given() },
      { provide: Symbol('BY_SYMBOL'), useValue: new BySymbol() },
      { provide: 'ALIAS', useExisting: 'MADE' },
      { provide: 'OTHER', useExisting: Given },
      { provide: 'NOTHING', useValue: null },
      { provide: 'NUMBER', useFactory: () => 7 },
    ];
    expect(await resultsOf({ providers })).toEqual({
      made: 'made by a factory',
      given: 'given',
      'by symbol': 'found',
    });
  });

  it('without calling getters', async () => {
    @Injectable()
    class Lazy {
      get connection(): string {
        throw new Error('not connected yet');
      }

      @JobHandler('lazy')
      run(): string {
        return 'fine';
      }
    }
    expect(await resultsOf({ providers: [Lazy] })).toEqual({ lazy: 'fine' });
  });

  describe('on a request-scoped class: each job has its own instance', () => {
    let instances: number;

    @Injectable({ scope: Scope.REQUEST })
    class Tenant {
      readonly number = (instances += 1);

      constructor(@Inject(REQUEST) readonly context: JobContext<string>) {}
    }

    @Injectable()
    class ByDependency {
      constructor(private readonly tenant: Tenant) {}

      @JobHandler('scoped')
      run({ id }: Job, context: JobContext): object {
        const { number, context: request } = this.tenant;
        return { id, number, sameContext: request === context, job: request.job.id };
      }
    }

    @Controller({ scope: Scope.REQUEST })
    class ScopedController {
      constructor(
        private readonly tenant: Tenant,
        @Inject(REQUEST) private readonly context: JobContext,
      ) {}

      @JobHandler('scoped')
      run({ id }: Job, context: JobContext): object {
        const sameContext = this.context === context && this.tenant.context === context;
        return { id, number: this.tenant.number, sameContext, job: this.context.job.id };
      }
    }

    it.each([
      ['provider', { providers: [Tenant, ByDependency] }],
      ['controller', { providers: [Tenant], controllers: [ScopedController] }],
    ])('a %s, with its JobContext as the request', async (_name, root) => {
      instances = 0;
      const jobs = await runMany(root, 'scoped', 5);
      for (const { id, result } of jobs) expect(result).toMatchObject({ id, job: id, sameContext: true });
      const numbers = jobs.map(({ result }) => (result as { number: number }).number);
      expect(numbers.toSorted()).toEqual([1, 2, 3, 4, 5]);
    });

    it('even if two modules provide different classes under one token', async () => {
      @Injectable({ scope: Scope.REQUEST })
      class FirstJobs {
        @JobHandler('first')
        first(): string {
          return 'of the first';
        }
      }
      @Injectable({ scope: Scope.REQUEST })
      class SecondJobs {
        @JobHandler('second')
        second(): string {
          return 'of the second';
        }
      }
      @Module({ providers: [{ provide: 'JOBS', useClass: FirstJobs }] })
      class FirstModule {}
      @Module({ providers: [{ provide: 'JOBS', useClass: SecondJobs }] })
      class SecondModule {}

      const imports = [FirstModule, SecondModule];
      expect(await resultsOf({ imports })).toEqual({ first: 'of the first', second: 'of the second' });
    });
  });

  it('on a transient class: each job has its own instance', async () => {
    let instances = 0;
    @Injectable({ scope: Scope.TRANSIENT })
    class Scratch {
      private readonly jobs: string[] = [];

      constructor() {
        instances += 1;
      }

      @JobHandler('transient')
      run({ id }: Job): string[] {
        this.jobs.push(id);
        return this.jobs;
      }
    }
    const jobs = await runMany({ providers: [Scratch] }, 'transient', 5);
    expect(jobs.map(({ result }) => result)).toEqual(jobs.map(({ id }) => [id]));
    expect(instances).toBeGreaterThanOrEqual(5);
  });

  describe('and refused at startup', () => {
    @Injectable()
    class First {
      @JobHandler('same')
      run(): void {}
    }
    @Injectable()
    class Second {
      @JobHandler('same ')
      go(): void {}
    }
    @Module({ providers: [Second] })
    class OtherModule {}
    @Module({ providers: [First], imports: [OtherModule] })
    class FirstModule {}

    it('if two handlers serve one kind, with both named', async () => {
      const starting = start({ imports: [FirstModule] });
      await expect(starting).rejects.toBeInstanceOf(KindExistsError);
      await expect(starting).rejects.toMatchObject({
        kind: 'same',
        handlers: expect.arrayContaining(['First.run in FirstModule', 'Second.go in OtherModule']),
      });
      await expect(starting).rejects.toThrow(/(First\.run.* and .*Second\.go|Second\.go.* and .*First\.run)/);
    });

    it('if one class is a provider of two modules', async () => {
      @Module({ providers: [First] })
      class AgainModule {}
      await expect(start({ imports: [FirstModule, AgainModule] })).rejects.toBeInstanceOf(KindExistsError);
    });

    it('if its options or its kind are invalid, with the method named', async () => {
      class Wrong {
        @JobHandler('k', { timeoutMs: 0 })
        run(): void {}
      }
      class Nameless {
        @JobHandler(' ')
        run(): void {}
      }
      const wrong = start({ providers: [Wrong] });
      await expect(wrong).rejects.toBeInstanceOf(InvalidOptionError);
      await expect(wrong).rejects.toThrow(/Wrong\.run in \w+: timeoutMs/);
      const nameless = start({ providers: [Nameless] });
      await expect(nameless).rejects.toBeInstanceOf(InvalidJobError);
      await expect(nameless).rejects.toThrow(/The kind of Nameless\.run/);
    });

    it('if its definition is undefined, with the usual cause named', async () => {
      class Circular {
        @JobHandler(undefined as never)
        run(): void {}
      }
      const starting = start({ providers: [Circular] });
      await expect(starting).rejects.toBeInstanceOf(InvalidJobError);
      await expect(starting).rejects.toThrow(/The kind of Circular\.run .* two files import each other/);
    });
  });
});
