import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import {
  Global,
  Injectable,
  Module,
  type BeforeApplicationShutdown,
  type LoggerService,
  type ModuleMetadata,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common';
import type { TestingModule } from '@nestjs/testing';
import {
  JobClient,
  JobHandler,
  JobQueue,
  JobsModule,
  UnknownKindError,
  Worker,
  type Job,
  type JobsLogger,
} from '../../lib/index.js';
import { deferred } from '../../lib/async/deferred.js';
import { ended, TestApplications } from '../support/applications.js';
import { anyServer } from '../support/databases.js';
import { until } from '../support/until.js';
import { MemoryLogger } from '../support/memory-logger.js';

@Injectable()
class Echo {
  @JobHandler('echo')
  echo({ payload }: Job): unknown {
    return payload;
  }
}

describe('The life of an application with jobs', () => {
  const apps = TestApplications.on(anyServer());

  const root = (more: ModuleMetadata, logger?: JobsLogger): ModuleMetadata => ({
    ...more,
    imports: [
      ...(more.imports ?? []),
      apps.typeOrm(),
      JobsModule.forRoot({ logger, worker: { pollIntervalMs: 100 } }),
    ],
  });

  it('begins to claim once all providers are initialized', async () => {
    const events: string[] = [];
    @Injectable()
    class Cache implements OnModuleInit {
      constructor(private readonly jobs: JobClient) {}

      async onModuleInit(): Promise<void> {
        for (let times = 0; times < 20; times++) await this.jobs.get('waiting');
        events.push('Cache is filled');
      }
    }
    const producer = await apps.start({
      imports: [apps.typeOrm(), JobsModule.forRoot({ worker: false })],
    });
    await producer.get(JobClient).enqueue('echo', 'early', { id: 'waiting' });

    const app = await apps.compile(root({ providers: [Echo, Cache] }));
    const queue = app.get(JobQueue);
    const claim = queue.claim.bind(queue);
    queue.claim = (...terms) => {
      events.push('claim');
      return claim(...terms);
    };
    await app.init();
    await ended(app.get(JobClient), 'waiting');
    expect(events[0]).toBe('Cache is filled');
    expect(events).toContain('claim');
  });

  it('has a working client that knows all kinds, from the first onModuleInit on', async () => {
    @Injectable()
    class Seeds implements OnModuleInit {
      refusal: unknown;

      constructor(private readonly jobs: JobClient) {}

      async onModuleInit(): Promise<void> {
        await this.jobs.enqueue('echo', 'seed', { id: 'seed' });
        this.refusal = await this.jobs.enqueue('ecco').catch((error: unknown) => error);
      }
    }
    // A global module that is imported first is initialized before JobsModule.
    @Global()
    @Module({ providers: [Seeds] })
    class SeedsModule {}

    const app = await apps.start(root({ imports: [SeedsModule], providers: [Echo] }));
    expect(await ended(app.get(JobClient), 'seed')).toMatchObject({ status: 'DONE', result: 'seed' });
    expect(app.get(Seeds).refusal).toBeInstanceOf(UnknownKindError);
  });

  it('lets running jobs finish and writes their outcomes before beforeApplicationShutdown', async () => {
    const events: string[] = [];
    let closing!: () => void;
    const isClosing = new Promise<void>((resolve) => {
      closing = resolve;
    });
    @Injectable()
    class Slow {
      @JobHandler('slow')
      async run(): Promise<string> {
        events.push('the handler begins');
        await isClosing;
        events.push('the handler ends');
        return 'in spite of the shutdown';
      }
    }
    @Injectable()
    class Neighbour implements OnModuleDestroy, BeforeApplicationShutdown {
      constructor(private readonly jobs: JobClient) {}

      onModuleDestroy(): void {
        events.push('onModuleDestroy');
        closing();
      }

      async beforeApplicationShutdown(): Promise<void> {
        const job = await this.jobs.get('slow');
        events.push(`beforeApplicationShutdown sees ${job!.status} ${String(job!.result)}`);
        await this.jobs.enqueue('slow', null, { id: 'for next time' });
      }
    }
    const app = await apps.start(root({ providers: [Slow, Neighbour] }));
    await app.get(JobClient).enqueue('slow', null, { id: 'slow' });
    await until(() => events.length > 0, { what: 'a running handler' });
    await app.close();
    expect(events).toEqual([
      'the handler begins',
      'onModuleDestroy',
      'the handler ends',
      'beforeApplicationShutdown sees DONE in spite of the shutdown',
    ]);

    const next = await apps.start({ imports: [apps.typeOrm(), JobsModule.forRoot({ worker: false })] });
    expect(await next.get(JobClient).get('for next time')).toMatchObject({
      status: 'PENDING',
      attemptsDone: 0,
    });
  });

  it('starts no worker where it is closed while it is being initialized', async () => {
    const initializing = deferred();
    @Injectable()
    class Slow implements OnModuleInit {
      async onModuleInit(): Promise<void> {
        await initializing.promise;
      }
    }
    const logger = new MemoryLogger();
    const module = await apps.compile(root({ providers: [Echo, Slow] }, logger));
    const app = (module as TestingModule).createNestApplication(); // unlike a context, it can be closed before it is initialized
    const worker = app.get(Worker);
    const starts = app.init();
    await app.close();
    initializing.resolve();
    await starts.catch(() => undefined);
    expect(worker.isRunning).toBe(false);
    expect(logger.lines.filter((line) => line.includes('started'))).toEqual([]);
  });

  it('logs start and stop at level log, and each job at level debug', async () => {
    const logger = new MemoryLogger();
    const app = await apps.start(root({ providers: [Echo] }, logger));
    const client = app.get(JobClient);
    const jobs = await client.enqueueMany(Array.from({ length: 10 }, () => ({ kind: 'echo' })));
    for (const { id } of jobs) await ended(client, id);
    await app.close();
    expect(logger.lines.filter((line) => !line.startsWith('debug '))).toEqual([
      'log Brought the table nest_jobs to version 1.',
      'log Brought the table nest_jobs to version 2.',
      expect.stringMatching(/^log Worker \S+ started: concurrency 10, kinds echo\.$/),
      'log Settled jobs are deleted: done after 7d, cancelled after 7d, failed after 90d, panic after 90d. ' +
        'The option "retention" says for how long they are kept.',
      expect.stringMatching(/^log Worker \S+ stopped\.$/),
    ]);
    for (const { id } of jobs)
      expect(logger.lines).toContain(`debug Job ${id} (kind echo, attempt 1): done, written.`);
  });

  it('logs through Nest as JobsModule, or only through the logger of the options', async () => {
    const heard: string[] = [];
    const hear = (message: string, context?: string) => {
      if (context === 'JobsModule') heard.push(message);
    };
    const nest: LoggerService = { log: hear, warn: hear, error: hear, debug: hear };
    const own = new MemoryLogger();
    const first = await apps.start(root({ providers: [Echo] }, own), nest);
    await first.close();
    expect(heard).toEqual([]);
    expect(own.lines).toHaveLength(5);

    const second = await apps.start(root({ providers: [Echo] }), nest);
    const { id } = await second.get(JobClient).enqueue('echo');
    await ended(second.get(JobClient), id);
    await second.close();
    expect(own.lines).toHaveLength(5);
    expect(heard).toEqual([
      expect.stringMatching(/started/),
      expect.stringMatching(/^Settled jobs are deleted: /),
      expect.stringMatching(new RegExp(`^Job ${id} `)),
      expect.stringMatching(/stopped/),
    ]);
  });

  it('says that it only enqueues, and which of several modules says so', async () => {
    const heard: string[] = [];
    const hear = (message: string, context?: string) => {
      if (context?.startsWith('JobsModule')) heard.push(`${context}: ${message}`);
    };
    const nest: LoggerService = { log: hear, warn: hear, error: hear };
    const modules = [undefined, 'bulk'].map((name) => JobsModule.forRoot({ name, worker: false }));
    await apps.start({ imports: [apps.typeOrm(), ...modules] }, nest);
    expect(heard.filter((line) => !line.includes('Brought')).toSorted()).toEqual([
      'JobsModule: worker: false, so this process only enqueues.',
      'JobsModule:bulk: worker: false, so this process only enqueues.',
    ]);
  });
});
