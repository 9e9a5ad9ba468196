import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import { Test } from '@nestjs/testing';
import { Injectable, Scope, type ModuleMetadata, type Type } from '@nestjs/common';
import {
  getJobSchedulesToken,
  InjectJobSchedules,
  InvalidHandlerError,
  InvalidOptionError,
  InvalidScheduleError,
  JobClient,
  JobHandler,
  JobParam,
  JobQueue,
  JobSchedule,
  JobSchedules,
  JobsModule,
  KindExistsError,
  MemoryJobQueue,
  ScheduleDeclaredError,
  ScheduleExistsError,
  Worker,
  type Job,
  type JobContext,
  type JobsModuleOptions,
} from '../../lib/index.js';
import { drain } from '../../lib/testing/index.js';
import { TestApplications } from '../support/applications.js';
import { anyServer } from '../support/databases.js';
import { MemoryLogger } from '../support/memory-logger.js';
import { until } from '../support/until.js';

describe('@JobSchedule', () => {
  const apps = TestApplications.on(anyServer());

  const start = (providers: Type[], options: JobsModuleOptions = {}, root: ModuleMetadata = {}) =>
    apps.start({ ...root, imports: [apps.typeOrm(), JobsModule.forRoot(options)], providers });

  const refused = async (providers: Type[], options: JobsModuleOptions = {}): Promise<Error> => {
    const error: unknown = await start(providers, options).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(Error);
    return error as Error;
  };

  const listed = async (schedules: JobSchedules, count: number) => {
    await until(async () => (await schedules.list()).length >= count, {
      what: `"${count} schedules are there"`,
    });
    return (await schedules.list()).map(({ name, kind }) => [name, kind]);
  };

  it('beside @JobHandler makes jobs of its kind, alone it is the handler as well, and there may be several', async () => {
    @Injectable()
    class Reports {
      @JobHandler('report.nightly')
      @JobSchedule('0 3 * * *', { timeZone: 'Europe/Berlin' })
      nightly() {}

      @JobSchedule({ everyMs: 3_600_000 }, { name: 'sync' })
      sync(): string {
        return 'synced';
      }

      @JobHandler('mail')
      @JobSchedule({ cron: '@daily' }, { name: 'mail.a', payload: 'a' })
      @JobSchedule({ cron: '@weekly' }, { name: 'mail.b', payload: 'b' })
      @JobSchedule({ everyMs: 86_400_000 }, { name: 'other', kind: 'report.nightly' })
      mail({ payload }: Job) {
        return payload;
      }
    }
    const app = await start([Reports]);
    const schedules = app.get(JobSchedules);
    expect(await listed(schedules, 5)).toEqual([
      ['mail.a', 'mail'],
      ['mail.b', 'mail'],
      ['other', 'report.nightly'],
      ['report.nightly', 'report.nightly'],
      ['sync', 'sync'],
    ]);
    expect(app.get(Worker).kinds).toEqual(['report.nightly', 'sync', 'mail']);
    expect(await schedules.get('report.nightly')).toMatchObject({
      ...{ cron: '0 3 * * *', timeZone: 'Europe/Berlin', declared: true, overlap: 'skip', missed: 'last' },
    });
    const { id } = await schedules.trigger('sync');
    const client = app.get(JobClient);
    await until(async () => (await client.get(id))?.result === 'synced');
    await expect(schedules.upsert('sync', { kind: 'sync', everyMs: 1_000 })).rejects.toThrow(
      ScheduleDeclaredError,
    );
  });

  it('runs the handler at its ticks, and tells it which', async () => {
    const ticks: Date[] = [];
    @Injectable({ scope: Scope.REQUEST })
    class Minutes {
      @JobHandler('beat')
      @JobSchedule({ everyMs: 1_000 }, { overlap: 'allow', payload: (tick: Date) => tick.getTime() })
      beat(@JobParam() job: Job<number>) {
        expect(job.payload).toBe(job.tick!.getTime());
        ticks.push(job.tick!);
      }
    }
    const app = await start([Minutes]);
    await until(() => ticks.length >= 3);
    const distances = ticks.slice(1, 3).map((tick, n) => tick.getTime() - ticks[n]!.getTime());
    expect(distances).toEqual([1_000, 1_000]);
    await app.close();
    const { length } = ticks;
    const since = performance.now();
    await until(() => performance.now() - since > 1_500);
    expect(ticks).toHaveLength(length);
  });

  it('gives the tick in the context, and nothing to a job of another origin', async () => {
    const seen: (Date | undefined)[] = [];
    @Injectable()
    class Beats {
      @JobSchedule({ everyMs: 1_000 }, { name: 'beat' })
      beat(_job: Job, { tick }: JobContext) {
        seen.push(tick);
      }
    }
    const app = await start([Beats]);
    await until(() => seen.length > 0);
    expect(seen[0]).toBeInstanceOf(Date);
    await app.get(JobClient).enqueue('beat');
    await until(() => seen.includes(undefined));
  });

  it('on a process that only enqueues writes nothing, and JobSchedules work there', async () => {
    @Injectable()
    class Reports {
      @JobSchedule('0 3 * * *', { name: 'nightly', payload: () => 'made here' })
      nightly() {}
    }
    const app = await start([Reports], { worker: false });
    const schedules = app.get(JobSchedules);
    expect(await schedules.list()).toEqual([]);
    expect(await schedules.trigger('nightly')).toMatchObject({ payload: 'made here', schedule: 'nightly' });
    await schedules.upsert('other', { cron: '0 3 * * *', kind: 'nightly' });
    expect(await schedules.list()).toHaveLength(1);
  });

  it('belongs to the module of its handler, whose JobSchedules are injected by its name', async () => {
    @Injectable()
    class Mails {
      constructor(
        @InjectJobSchedules('mails') readonly mine: JobSchedules,
        readonly others: JobSchedules,
      ) {}

      @JobHandler('mail', { queue: 'mails' })
      @JobSchedule('0 3 * * *')
      mail() {}

      @JobSchedule('0 4 * * *', { name: 'digest', queue: 'mails' })
      digest() {}

      @JobSchedule('0 5 * * *', { name: 'clean' })
      clean() {}
    }
    const app = await apps.start({
      imports: [apps.typeOrm(), JobsModule.forRoot(), JobsModule.forRoot({ name: 'mails' })],
      providers: [Mails],
    });
    const { mine, others } = app.get(Mails);
    expect(mine).toBe(app.get(getJobSchedulesToken('mails')));
    expect(await listed(mine, 2)).toEqual([
      ['digest', 'digest'],
      ['mail', 'mail'],
    ]);
    expect(await listed(others, 1)).toEqual([['clean', 'clean']]);
  });

  it('works on a queue in memory', async () => {
    @Injectable()
    class Beats {
      @JobSchedule({ everyMs: 1_000 }, { name: 'beat' })
      beat(): string {
        return 'done';
      }
    }
    const app = await Test.createTestingModule({
      imports: [apps.typeOrm(), JobsModule.forRoot()],
      providers: [Beats],
    })
      .setLogger(false as never)
      .overrideProvider(JobQueue)
      .useValue(new MemoryJobQueue())
      .compile();
    await app.init();
    const lastJobId = async () => (await app.get(JobSchedules).get('beat'))?.lastJobId;
    await until(async () => (await lastJobId()) !== undefined);
    const id = (await lastJobId())!;
    await until(async () => (await app.get(JobClient).get(id))?.result === 'done');
    await app.close();
  });

  it('stops while a test drains', async () => {
    @Injectable()
    class Beats {
      @JobSchedule({ everyMs: 1_000 }, { name: 'beat', overlap: 'allow' })
      beat() {}
    }
    const running = await start([Beats]);
    await until(async () => (await running.get(JobSchedules).get('beat'))?.lastTick !== undefined);
    await running.get(Worker).stop();
    const { lastTick } = (await running.get(JobSchedules).get('beat'))!;
    await drain(running);
    const since = performance.now();
    await until(() => performance.now() - since > 1_500);
    expect(await running.get(JobSchedules).get('beat')).toMatchObject({ lastTick });
  });

  describe('is refused at the start', () => {
    it('without a name, where it stands alone', async () => {
      @Injectable()
      class Reports {
        @JobSchedule('0 3 * * *')
        nightly() {}
      }
      const error = await refused([Reports]);
      expect(error).toBeInstanceOf(InvalidScheduleError);
      expect(error.message).toContain('Reports.nightly in RootTestModule: name is left out');
    });

    it('twice under one name, with both places', async () => {
      @Injectable()
      class One {
        @JobHandler('one')
        @JobSchedule('0 3 * * *', { name: 'same' })
        first() {}
      }
      @Injectable()
      class Two {
        @JobHandler('two')
        @JobSchedule('0 4 * * *', { name: 'same' })
        second() {}
      }
      const error = await refused([One, Two]);
      expect(error).toBeInstanceOf(ScheduleExistsError);
      expect(error).toMatchObject({
        schedule: 'same',
        places: ['One.first in RootTestModule', 'Two.second in RootTestModule'],
      });
    });

    it.each([
      [
        'an expression that is none',
        ['nonsense', { name: 'a' }],
        /Bad\.method in RootTestModule: cron is "nonsense"/,
      ],
      ['one without an occurrence', ['0 0 30 2 *', { name: 'a' }], /Bad\.method in RootTestModule: cron/],
      ['an unknown zone', ['0 3 * * *', { name: 'a', timeZone: 'Mars/Olympus' }], /timeZone/],
      [
        'an option that there is not',
        ['0 3 * * *', { name: 'a', tz: 'UTC' }],
        /tz is not known\. Did you mean timeZone/,
      ],
      ['a kind that nobody serves', ['0 3 * * *', { name: 'a', kind: 'b' }], null],
    ] as const)('with %s', async (_what, [cron, options], message) => {
      @Injectable()
      class Bad {
        @JobHandler('served')
        @JobSchedule(cron, options)
        method() {}
      }
      const error = await refused([Bad]);
      expect(error).toBeInstanceOf(InvalidScheduleError);
      expect(error.message).toMatch(
        message ?? /Bad\.method in RootTestModule: kind is "b", which no handler/,
      );
      if (message === null) await start([Bad], { unknownKinds: 'allow' });
    });

    it('without a kind, where the method serves several', async () => {
      @Injectable()
      class Both {
        @JobHandler('one')
        @JobHandler('two')
        @JobSchedule('0 3 * * *', { name: 'a' })
        method() {}
      }
      expect((await refused([Both])).message).toMatch(/Both\.method .*: kind is left out, .* one and two/);
    });

    it('for a module that there is not, and for a kind that has another handler', async () => {
      @Injectable()
      class Lost {
        @JobSchedule('0 3 * * *', { name: 'a', queue: 'mials' })
        method() {}
      }
      expect(await refused([Lost])).toBeInstanceOf(InvalidOptionError);
      @Injectable()
      class Second {
        @JobHandler('a')
        first() {}

        @JobSchedule('0 3 * * *', { name: 'a' })
        second() {}
      }
      expect(await refused([Second])).toBeInstanceOf(KindExistsError);
    });
  });

  it('is refused when the class is loaded, where Nest can never call the method or nothing can be read', () => {
    const decorate = (...args: unknown[]) => {
      class Target {
        method() {}
      }
      (JobSchedule as (...given: unknown[]) => (...target: unknown[]) => void)(...args)(
        Target.prototype,
        'method',
        Object.getOwnPropertyDescriptor(Target.prototype, 'method'),
      );
    };
    expect(() => decorate(5)).toThrow(/Target\.method: cron is of type number/);
    expect(() => decorate('* * * * *', 5)).toThrow(/Target\.method: options is of type number/);
    expect(() => {
      class Target {
        @JobSchedule('* * * * *')
        static method() {}
      }
      return Target;
    }).toThrow(InvalidHandlerError);
  });

  it('of a class that no provider brings is told of once', async () => {
    @Injectable()
    class Forgotten {
      @JobHandler('forgotten')
      @JobSchedule('0 3 * * *')
      method() {}

      @JobSchedule('0 3 * * *', { name: 'alone' })
      other() {}
    }
    expect(Forgotten.name).toBe('Forgotten');
    const logger = new MemoryLogger();
    @Injectable()
    class Served {
      @JobHandler('served')
      served() {}
    }
    await apps.start({ imports: [apps.typeOrm(), JobsModule.forRoot()], providers: [Served] }, logger);
    const warnings = logger.lines.filter((line) => line.includes('never called'));
    expect(warnings).toHaveLength(1);
    expect(warnings[0]!.match(/Forgotten\.method/g)).toHaveLength(1);
    expect(warnings[0]).toContain('Forgotten.other');
  });
});
