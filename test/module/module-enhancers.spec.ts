import 'reflect-metadata';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  Catch,
  Inject,
  Injectable,
  Scope,
  UseFilters,
  UseInterceptors,
  type ArgumentsHost,
  type CallHandler,
  type CanActivate,
  type ExceptionFilter,
  type ExecutionContext,
  type NestInterceptor,
  type PipeTransform,
  type Provider,
} from '@nestjs/common';
import { APP_INTERCEPTOR, REQUEST } from '@nestjs/core';
import { Test, type TestingModule } from '@nestjs/testing';
import { tap } from 'rxjs';
import {
  defineJob,
  InvalidOptionError,
  JobClient,
  JobExecutionContext,
  JobHandler,
  JobPayload,
  JobQueue,
  JobsModule,
  MemoryJobQueue,
  type Job,
  type JobContext,
  type JobsModuleOptions,
} from '../../lib/index.js';
import { jobsTester, JobsTestingModule } from '../../lib/testing/index.js';
import { SILENT_LOGGER } from '../../lib/job/logger.js';
import { until } from '../support/until.js';
import { thrownBy } from '../unit/fakes.js';

const calls: string[] = [];
const apps: TestingModule[] = [];

afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

const SILENT = { log: () => undefined, warn: () => undefined, error: () => undefined };

/** Starts an application. Its jobs are in memory. */
async function start(options: JobsModuleOptions, providers: Provider[] = [Handlers]): Promise<JobClient> {
  calls.length = 0;
  const app = await Test.createTestingModule({
    imports: [JobsModule.forRoot({ logger: SILENT_LOGGER, minRetryDelayMs: 0, ...options })],
    providers,
  })
    .setLogger(SILENT)
    .overrideProvider(JobQueue)
    .useValue(new MemoryJobQueue())
    .compile();
  apps.push(app);
  await app.init();
  return app.get(JobClient);
}

async function ended(client: JobClient, kind: string, payload?: unknown): Promise<Job> {
  const job = await client.enqueue(kind, payload);
  await until(async () => (await client.get(job.id))?.status !== 'PENDING', { what: `the end of ${kind}` });
  return (await client.get(job.id))!;
}

/** An interceptor that notes the beginning and the end. */
function noting(name: string): NestInterceptor {
  return {
    intercept(ctx: ExecutionContext, next: CallHandler) {
      const { job } = JobExecutionContext.from(ctx);
      calls.push(`${name} begins ${job.kind}`);
      return next.handle().pipe(tap({ next: () => calls.push(`${name} ends`) }));
    },
  };
}

@Injectable()
class Handlers {
  @JobHandler('bare')
  bare({ payload }: Job): unknown {
    calls.push('handler');
    return payload;
  }

  @UseInterceptors(noting('own'))
  @JobHandler('enhanced', { transactional: true })
  enhanced(_job: Job, { manager }: JobContext): string {
    return typeof manager;
  }

  @JobHandler('piped')
  piped(@JobPayload() payload: unknown): unknown {
    return payload;
  }

  @JobHandler('failing')
  failing(): never {
    throw new Error('out of paper');
  }
}

@Injectable()
class Journal {
  readonly name = 'journal';
}

/** With a dependency, as Nest resolves it. */
@Injectable()
class Noting implements NestInterceptor {
  constructor(private readonly client: JobClient) {}

  intercept(ctx: ExecutionContext, next: CallHandler) {
    return noting(this.client.constructor.name).intercept(ctx, next);
  }
}

class DenyAll implements CanActivate {
  canActivate(): boolean {
    return false;
  }
}

class Doubling implements PipeTransform<number, number> {
  transform(value: number): number {
    return value * 2;
  }
}

@Catch()
class Rewording implements ExceptionFilter {
  catch(error: Error, host: ArgumentsHost): string {
    return `${JobExecutionContext.from(host).job.kind}: ${error.message}`;
  }
}

describe('Enhancers of a module', () => {
  it('stand around all of its handlers, outside of their own', async () => {
    const client = await start({ interceptors: [noting('first'), Noting] });
    expect(await ended(client, 'bare', 7)).toMatchObject({ status: 'DONE', result: 7 });
    expect(calls).toEqual([
      'first begins bare',
      'JobClient begins bare',
      'handler',
      'JobClient ends',
      'first ends',
    ]);
    calls.length = 0;
    expect(await ended(client, 'enhanced')).toMatchObject({ status: 'DONE', result: 'object' });
    expect(calls.slice(0, 3)).toEqual([
      'first begins enhanced',
      'JobClient begins enhanced',
      'own begins enhanced',
    ]);
  });

  it('deny, transform and catch', async () => {
    const denied = await ended(await start({ guards: [DenyAll] }), 'bare');
    expect(denied).toMatchObject({ status: 'FAILED' });
    expect(denied.lastError).toContain('ForbiddenException');

    const client = await start({ pipes: [Doubling], filters: [Rewording] });
    expect(await ended(client, 'piped', 21)).toMatchObject({ result: 42 });
    expect(await ended(client, 'bare', 21)).toMatchObject({ result: 21 });
    expect(await ended(client, 'failing')).toMatchObject({ status: 'DONE', result: 'failing: out of paper' });
  });

  it('leave an error to the filters of the method first', async () => {
    @Catch()
    class Own implements ExceptionFilter {
      catch(): string {
        return 'own';
      }
    }
    class Caught {
      @UseFilters(Own)
      @JobHandler('caught')
      run(): never {
        throw new Error('no');
      }
    }
    expect(await ended(await start({ filters: [Rewording] }, [Caught]), 'caught')).toMatchObject({
      result: 'own',
    });
  });

  it('are the providers of the application where it has them, with their dependencies', async () => {
    @Injectable()
    class Provided implements NestInterceptor {
      constructor(private readonly journal: Journal) {}

      intercept(ctx: ExecutionContext, next: CallHandler) {
        return noting(this.journal.name).intercept(ctx, next);
      }
    }
    const client = await start({ interceptors: [Provided] }, [Provided, Journal, Handlers]);
    await ended(client, 'bare');
    expect(calls[0]).toBe('journal begins bare');
  });

  it('stand inside of those of the application, if these apply', async () => {
    const providers = [Handlers, { provide: APP_INTERCEPTOR, useValue: noting('application') }];
    const client = await start({ interceptors: [noting('module')], globalEnhancers: true }, providers);
    await ended(client, 'bare');
    expect(calls.slice(0, 2)).toEqual(['application begins bare', 'module begins bare']);
    const without = await start({ interceptors: [noting('module')] }, providers);
    await ended(without, 'bare');
    expect(calls[0]).toBe('module begins bare');
  });

  it('apply to handlers that have an instance for each job', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class Scoped {
      constructor(@Inject(REQUEST) private readonly context: JobContext) {}

      @JobHandler('scoped')
      run({ id }: Job): boolean {
        return this.context.job.id === id;
      }
    }
    const client = await start({ interceptors: [noting('module')] }, [Scoped]);
    expect(await ended(client, 'scoped')).toMatchObject({ result: true });
    expect(calls).toEqual(['module begins scoped', 'module ends']);
  });

  it('see the payload that the schema has made, and nothing of other modules', async () => {
    const Bulk = defineJob<number>('bulk.read');
    class BulkHandlers {
      @JobHandler(Bulk, { queue: 'bulk' })
      read({ payload }: Job<number>): number {
        return payload;
      }
    }
    calls.length = 0;
    const app = await Test.createTestingModule({
      imports: [
        JobsTestingModule.forRoot({ logger: SILENT_LOGGER, interceptors: [noting('module')] }),
        JobsTestingModule.forRoot({ logger: SILENT_LOGGER, name: 'bulk' }),
      ],
      providers: [Handlers, BulkHandlers],
    }).compile();
    apps.push(app);
    await app.get<JobClient>('JobClient:bulk').enqueue(Bulk, 1);
    await app.get(JobClient).enqueue('bare', 2);
    expect(await jobsTester(app, 'bulk').drain()).toMatchObject([{ job: { result: 1 } }]);
    expect(calls).toEqual([]);
    expect(await jobsTester(app).drain()).toMatchObject([{ job: { result: 2 } }]); // not initialized, as in many tests
    expect(calls[0]).toBe('module begins bare');
  });

  it.each([
    ['no list', { guards: DenyAll }, /"guards" is a function; it must be a list of guards/],
    ['something that is none', { interceptors: [DenyAll] }, /"interceptors".* with the method intercept/],
    ['an instance that is none', { filters: [{}] }, /"filters".* with the method catch/],
    ['null', { pipes: [null] }, /"pipes".* with the method transform/],
  ])('are refused if they are %s', (_what, options, message) => {
    const error = thrownBy(() => JobsModule.forRoot(options as never));
    expect(error).toBeInstanceOf(InvalidOptionError);
    expect((error as Error).message).toMatch(message);
  });

  it('are refused at startup if there is one for each request', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class PerRequest extends DenyAll {}
    for (const providers of [[], [PerRequest]]) {
      const starting = start({ guards: [PerRequest] }, providers);
      await expect(starting).rejects.toBeInstanceOf(InvalidOptionError);
      await expect(starting).rejects.toThrow(/PerRequest is request-scoped or transient/);
    }
  });
});
