import 'reflect-metadata';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  Catch,
  Controller,
  createParamDecorator,
  Inject,
  Injectable,
  ParseIntPipe,
  Scope,
  SetMetadata,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
  ValidationPipe,
  type ArgumentsHost,
  type CallHandler,
  type CanActivate,
  type ExceptionFilter,
  type ExecutionContext,
  type NestInterceptor,
  type Provider,
  type Type,
} from '@nestjs/common';
import {
  APP_FILTER,
  APP_GUARD,
  APP_INTERCEPTOR,
  ContextIdFactory,
  DiscoveryService,
  ExternalContextCreator,
  MetadataScanner,
  Reflector,
  REQUEST,
  type ContextId,
  type ContextIdStrategy,
  type HostComponentInfo,
} from '@nestjs/core';
import { Test, type TestingModule } from '@nestjs/testing';
import { IsInt, Min } from 'class-validator';
import { map, type Observable } from 'rxjs';
import {
  defineJob,
  JobClient,
  JobCtx,
  JobExecutionContext,
  JobHandler,
  JobParam,
  JobPayload,
  JobQueue,
  JobsModule,
  MemoryJobQueue,
  type Job,
  type JobContext,
  type JobsModuleOptions,
} from '../../lib/index.js';
import { ScheduleRegistry } from '../../lib/schedules/schedule-registry.js';
import { HandlerRegistry } from '../../lib/execution/handler-registry.js';
import { RetryableError } from '../../lib/job/errors.js';
import { SILENT_LOGGER } from '../../lib/job/logger.js';
import { JobsEvents } from '../../lib/events/jobs-events.js';
import { EventListeners } from '../../lib/nest/event-listeners.js';
import { JobsExplorer } from '../../lib/nest/jobs.explorer.js';
import { resolveOptions } from '../../lib/nest/jobs.options.js';
import { until } from '../support/until.js';
import { claimedJob } from '../unit/fakes.js';

/** The calls, in order. */
const calls: string[] = [];
let app: TestingModule | undefined;

/** Starts an application with these handlers. Its jobs are in memory. */
async function start(
  providers: Provider[],
  options: JobsModuleOptions = {},
  controllers: Type[] = [],
): Promise<JobClient> {
  calls.length = 0;
  app = await Test.createTestingModule({
    imports: [JobsModule.forRoot({ logger: SILENT_LOGGER, minRetryDelayMs: 0, ...options })],
    providers,
    controllers,
  })
    .setLogger({ log: () => undefined, warn: () => undefined, error: () => undefined })
    .overrideProvider(JobQueue)
    .useValue(new MemoryJobQueue())
    .compile();
  await app.init();
  return app.get(JobClient);
}

afterEach(async () => {
  await app?.close();
  app = undefined;
});

async function ended(client: JobClient, kind: string, payload?: unknown, id?: string): Promise<Job> {
  const job = await client.enqueue(kind, payload, { id });
  await until(async () => (await client.get(job.id))?.status !== 'PENDING', { what: `the end of ${kind}` });
  return (await client.get(job.id))!;
}

@Injectable()
class Journal {
  note(text: string): void {
    calls.push(text);
  }
}

const Roles = (...roles: string[]) => SetMetadata('roles', roles);

/** Admits jobs whose payload names one of the method's roles. It has dependencies, like real guards. */
@Injectable()
class RolesGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly journal: Journal,
  ) {}

  canActivate(host: ExecutionContext): boolean {
    const { job, context } = JobExecutionContext.from<{ role?: string }>(host);
    const roles = this.reflector.getAllAndOverride<string[] | undefined>('roles', [
      host.getHandler(),
      host.getClass(),
    ]);
    this.journal.note(`guard of ${host.getClass().name}, ${host.getType()}, attempt ${context.attempt}`);
    return roles === undefined || roles.includes(job.payload.role ?? '');
  }
}

@Injectable()
class Wrapping implements NestInterceptor {
  intercept(host: ExecutionContext, next: CallHandler): Observable<unknown> {
    calls.push(`before ${JobExecutionContext.from(host).job.kind}`);
    return next.handle().pipe(map((result: unknown) => ({ wrapped: result })));
  }
}

describe('Enhancers on a handler', () => {
  it('include guards: one that denies fails the attempt, and the handler is not called', async () => {
    @Injectable()
    class Handlers {
      @UseGuards(RolesGuard)
      @Roles('admin')
      @JobHandler('guarded')
      guarded() {
        calls.push('handler');
      }
    }
    const client = await start([Handlers, Journal]);
    expect(await ended(client, 'guarded', { role: 'admin' })).toMatchObject({ status: 'DONE' });
    expect(calls).toEqual(['guard of Handlers, job, attempt 1', 'handler']);
    const denied = await ended(client, 'guarded', { role: 'guest' });
    expect(denied).toMatchObject({
      status: 'FAILED',
      lastError: expect.stringContaining('ForbiddenException'),
    });
    expect(calls.filter((call) => call === 'handler')).toHaveLength(1);
  });

  it('include those of its class, and interceptors may change the result', async () => {
    @Injectable()
    @UseInterceptors(Wrapping)
    class Handlers {
      @JobHandler('wrapped')
      wrapped(job: Job<number>) {
        return job.payload + 1;
      }
    }
    const client = await start([Handlers]);
    expect((await ended(client, 'wrapped', 1)).result).toEqual({ wrapped: 2 });
    expect(calls).toEqual(['before wrapped']);
  });

  it('apply on controllers, and on providers with a custom token', async () => {
    @Controller()
    @UseGuards(RolesGuard)
    class Web {
      @Roles('admin')
      @JobHandler('web')
      web() {
        return 'web';
      }
    }
    @Injectable()
    @UseGuards(RolesGuard)
    class Named {
      @Roles('admin')
      @JobHandler('named')
      named() {
        return 'named';
      }
    }
    const client = await start([Journal, { provide: 'TOKEN', useClass: Named }], {}, [Web]);
    for (const kind of ['web', 'named']) {
      expect(await ended(client, kind, { role: 'guest' })).toMatchObject({ status: 'FAILED' });
      expect(await ended(client, kind, { role: 'admin' })).toMatchObject({ status: 'DONE', result: kind });
    }
  });

  it('are refused at startup if Nest would skip them', async () => {
    @Injectable()
    class Handlers {
      @UseGuards(RolesGuard)
      @JobHandler('guarded')
      guarded() {
        return 'not guarded';
      }
    }
    const starting = start([{ provide: Handlers, useFactory: () => new Handlers() }]);
    await expect(starting).rejects.toThrow('RolesGuard on Handlers.guarded would not be called');
  });

  it('leave its errors unchanged, and so the outcome of the job', async () => {
    @Injectable()
    @UseInterceptors(Wrapping)
    class Handlers {
      @JobHandler('again')
      again(_job: Job, { attempt }: JobContext) {
        if (attempt === 1) throw new RetryableError('later', { retryAfterMs: 0 });
      }

      @JobHandler('panic')
      panic() {
        (undefined as never as { no(): void }).no();
      }
    }
    const client = await start([Handlers]);
    expect(await ended(client, 'again')).toMatchObject({ status: 'DONE', attemptsDone: 2 });
    expect(await ended(client, 'panic')).toMatchObject({ status: 'PANIC' });
  });

  it('apply to a definition, too, after its schema is checked', async () => {
    const Count = defineJob<{ role: string }, { wrapped: unknown }>('count');
    @Injectable()
    class Handlers {
      @UseInterceptors(Wrapping)
      @JobHandler(Count)
      count(@JobPayload() payload: { role: string }) {
        return payload as never;
      }
    }
    const client = await start([Handlers]);
    expect((await ended(client, 'count', { role: 'x' })).result).toEqual({ wrapped: { role: 'x' } });
  });
});

class Amount {
  @IsInt()
  @Min(1)
  cents!: number;
}

const Tenant = createParamDecorator((field: string, host: ExecutionContext) => {
  return (JobExecutionContext.from(host).job.payload as Record<string, unknown>)[field];
});

describe('Parameters of a handler', () => {
  @Injectable()
  class Handlers {
    @JobHandler('all')
    all(
      @JobCtx() { attempt }: JobContext,
      @JobPayload() payload: unknown,
      @JobParam() job: Job,
      plain?: unknown,
    ) {
      return { attempt, payload, kind: job.kind, plain: plain === undefined };
    }

    @JobHandler('own')
    own(@Tenant('tenant') tenant: string) {
      return tenant;
    }

    @JobHandler('parsed')
    parsed(@JobPayload(ParseIntPipe) count: number) {
      return count + 1;
    }

    @JobHandler('validated')
    @UsePipes(new ValidationPipe({ transform: true }))
    validated(@JobPayload() amount: Amount) {
      return amount instanceof Amount;
    }
  }

  it('are the job, its payload and its context, as their decorators say', async () => {
    const client = await start([Handlers]);
    const { result } = await ended(client, 'all', { n: 1 });
    expect(result).toEqual({ attempt: 1, payload: { n: 1 }, kind: 'all', plain: true });
  });

  it('may have custom decorators', async () => {
    const client = await start([Handlers]);
    expect((await ended(client, 'own', { tenant: 'acme' })).result).toBe('acme');
  });

  it('go through the pipes that they name, and the attempt fails if a pipe refuses', async () => {
    const client = await start([Handlers]);
    expect((await ended(client, 'parsed', '41')).result).toBe(42);
    const refused = await ended(client, 'parsed', 'many');
    expect(refused).toMatchObject({ status: 'FAILED', lastError: expect.stringContaining('numeric string') });
  });

  it('go through the pipes of the method, including ValidationPipe', async () => {
    const client = await start([Handlers]);
    expect((await ended(client, 'validated', { cents: 5 })).result).toBe(true);
    expect(await ended(client, 'validated', { cents: 0 })).toMatchObject({ status: 'FAILED' });
  });
});

class Declined extends Error {}

describe('Exception filters on a handler', () => {
  const filterWith = (answer: (error: Error, host: ArgumentsHost) => unknown) => {
    @Catch(Declined)
    class Filter implements ExceptionFilter {
      catch = answer;
    }
    @Injectable()
    class Handlers {
      @UseFilters(Filter)
      @JobHandler('filtered', { maxAttempts: 1 })
      filtered(job: Job<string>): undefined {
        if (job.payload === 'ok') return undefined;
        throw job.payload === 'declined' ? new Declined('no') : new Error('other');
      }
    }
    return start([Handlers]);
  };

  it('turn their return value into the result', async () => {
    const client = await filterWith(
      (error, host) => `${JobExecutionContext.from(host).job.kind}: ${error.message}`,
    );
    expect(await ended(client, 'filtered', 'declined')).toMatchObject({
      status: 'DONE',
      result: 'filtered: no',
    });
  });

  it('only look at the error if they return nothing or a promise of nothing', async () => {
    const looks: ((error: Error) => unknown)[] = [() => undefined, () => Promise.resolve()];
    for (const look of looks) {
      const client = await filterWith(look);
      const job = await ended(client, 'filtered', 'declined');
      expect(job).toMatchObject({ status: 'FAILED', lastError: expect.stringContaining('no') });
      expect(await ended(client, 'filtered', 'ok')).toMatchObject({ status: 'DONE' });
      await app!.close();
    }
  });

  it('may throw another error in place of the first', async () => {
    const client = await filterWith((error) => {
      throw new RetryableError('instead', { cause: error });
    });
    expect((await ended(client, 'filtered', 'declined')).lastError).toContain('RetryableError: instead');
  });

  it('leave errors alone that they do not catch', async () => {
    const client = await filterWith(() => 'caught');
    const job = await ended(client, 'filtered', 'other');
    expect(job).toMatchObject({ status: 'FAILED', lastError: expect.stringContaining('other') });
  });
});

describe('Enhancers of the whole application', () => {
  @Injectable()
  class Deny implements CanActivate {
    canActivate(): boolean {
      calls.push('global guard');
      return false;
    }
  }
  @Catch()
  class Swallow implements ExceptionFilter {
    catch() {
      return 'swallowed';
    }
  }
  @Injectable()
  @UseInterceptors(Wrapping)
  class Handlers {
    @JobHandler('plain')
    plain() {
      return 'result';
    }
  }
  const global = [
    { provide: APP_GUARD, useClass: Deny },
    { provide: APP_FILTER, useClass: Swallow },
    { provide: APP_INTERCEPTOR, useClass: Wrapping },
  ];

  it('do not apply to handlers', async () => {
    const client = await start([Handlers, ...global]);
    expect(await ended(client, 'plain')).toMatchObject({ status: 'DONE', result: { wrapped: 'result' } });
    expect(calls).toEqual(['before plain']);
  });

  it('apply if globalEnhancers is set', async () => {
    const client = await start([Handlers, ...global], { globalEnhancers: true });
    expect(await ended(client, 'plain')).toMatchObject({ status: 'DONE', result: 'swallowed' });
    expect(calls).toEqual(['global guard']);
  });
});

describe('Handlers with a scope', () => {
  let instances = 0;

  it('have one instance for each job, and so do their enhancers', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class PerJobGuard implements CanActivate {
      constructor(@Inject(REQUEST) private readonly context: JobContext) {}

      canActivate(host: ExecutionContext): boolean {
        calls.push(`guard of ${this.context.job.id}`);
        return JobExecutionContext.from(host).job.id === this.context.job.id;
      }
    }
    @Injectable({ scope: Scope.REQUEST })
    class Handlers {
      private readonly instance = ++instances;

      constructor(@Inject(REQUEST) private readonly context: JobContext) {}

      @UseGuards(PerJobGuard)
      @JobHandler('scoped')
      scoped(@JobPayload() payload: string) {
        return { payload, id: this.context.job.id, instance: this.instance };
      }
    }
    instances = 0;
    const client = await start([Handlers]);
    expect((await ended(client, 'scoped', 'x', 'a')).result).toEqual({ payload: 'x', id: 'a', instance: 1 });
    expect((await ended(client, 'scoped', 'y', 'b')).result).toEqual({ payload: 'y', id: 'b', instance: 2 });
    expect(calls).toEqual(['guard of a', 'guard of b']);
  });

  it('have one instance for each tenant if they are durable', async () => {
    const tenants = new Map<string, ContextId>();
    class ByTenant implements ContextIdStrategy<JobContext<{ tenant: string }>> {
      attach(contextId: ContextId, { job }: JobContext<{ tenant: string }>) {
        const { tenant } = job.payload;
        const ofTenant = tenants.get(tenant) ?? ContextIdFactory.create();
        tenants.set(tenant, ofTenant);
        return {
          resolve: (info: HostComponentInfo) => (info.isTreeDurable ? ofTenant : contextId),
          payload: { tenant },
        };
      }
    }
    @Injectable({ scope: Scope.REQUEST, durable: true })
    class Handlers {
      private readonly instance = ++instances;

      constructor(@Inject(REQUEST) private readonly request: { tenant: string }) {}

      @JobHandler('durable')
      durable() {
        return { instance: this.instance, tenant: this.request.tenant };
      }
    }
    instances = 0;
    const factory = ContextIdFactory as unknown as { strategy: unknown };
    const before = factory.strategy;
    ContextIdFactory.apply(new ByTenant() as never);
    try {
      const client = await start([Handlers]);
      const results = [];
      for (const tenant of ['acme', 'umbrella', 'acme'])
        results.push((await ended(client, 'durable', { tenant })).result);
      expect(results).toEqual([
        { instance: 1, tenant: 'acme' },
        { instance: 2, tenant: 'umbrella' },
        { instance: 1, tenant: 'acme' },
      ]);
    } finally {
      factory.strategy = before;
    }
  });
});

describe('A handler without enhancers', () => {
  @Injectable()
  class Handlers {
    @JobHandler('bare')
    bare(...args: unknown[]) {
      return { args: args.length, stack: new Error().stack };
    }

    @UseInterceptors(Wrapping)
    @JobHandler('enhanced')
    enhanced() {
      return undefined;
    }
  }

  it('is called directly, without Nest in between', async () => {
    await start([Handlers]);
    const handlers = new HandlerRegistry();
    const explorer = new JobsExplorer(
      app!.get(DiscoveryService, { strict: false }),
      new MetadataScanner(),
      app!.get(ExternalContextCreator, { strict: false }),
      handlers,
      resolveOptions(),
      new ScheduleRegistry(),
      new EventListeners(app!.get(DiscoveryService, { strict: false }), new JobsEvents(), 'default'),
    );
    explorer.explore();
    const job = claimedJob({ kind: 'bare' }) as never;
    const { stack } = handlers.get('bare')!.run(job, {} as never) as { stack: string };
    const frames = stack.split('\n').slice(1, 4);
    expect(frames[0]).toContain('Handlers.bare');
    expect(frames[1]).toContain('jobs.explorer');
    expect(frames[2]).toContain('enhancers.spec');
    expect(handlers.get('enhanced')!.run(job, {} as never)).toBeInstanceOf(Promise);
  });
});

describe('JobExecutionContext', () => {
  it('refuses a context that is not of a job', () => {
    const host = { getType: () => 'http' } as unknown as ArgumentsHost;
    expect(JobExecutionContext.is(host)).toBe(false);
    expect(() => JobExecutionContext.from(host)).toThrow('This is a context of type "http"');
  });
});
