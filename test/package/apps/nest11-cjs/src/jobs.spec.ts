import {
  Catch,
  Inject,
  Injectable,
  ParseIntPipe,
  Scope,
  UseFilters,
  UseGuards,
  UseInterceptors,
  type CallHandler,
  type CanActivate,
  type ExceptionFilter,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { APP_GUARD, REQUEST } from '@nestjs/core';
import { Test, type TestingModule } from '@nestjs/testing';
import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm';
import {
  JobClient,
  JobCtx,
  JobExecutionContext,
  JobHandler,
  JobPayload,
  JobsModule,
  type Job,
  type JobContext,
} from 'nestjs-typeorm-jobs';
import { map } from 'rxjs';
import type { DataSource } from 'typeorm';

/** Several applications run this on one database. */
const APP = process.env.npm_package_name;

@Injectable()
class DenyAll implements CanActivate {
  canActivate(): boolean {
    return false;
  }
}

class TeapotError extends Error {}

@Injectable()
class Greetings {
  @JobHandler('greet')
  greet(job: Job<{ name: string }>): string {
    return `Hello ${job.payload.name}`;
  }
}

@Injectable()
class NoStrangers implements CanActivate {
  canActivate(ctx: ExecutionContext): boolean {
    return JobExecutionContext.from(ctx).job.id !== `stranger-${APP}`;
  }
}

@Injectable()
class Exclaiming implements NestInterceptor {
  intercept(_ctx: ExecutionContext, next: CallHandler) {
    return next.handle().pipe(map((result: unknown) => `${String(result)}!`));
  }
}

@Catch(TeapotError)
class TeapotFilter implements ExceptionFilter {
  catch(): Promise<void> {
    return Promise.resolve();
  }
}

@Injectable()
@UseGuards(NoStrangers)
class Enhanced {
  @UseInterceptors(Exclaiming)
  @JobHandler('welcome', { transactional: true })
  async welcome(
    @JobPayload(ParseIntPipe) guests: number,
    @JobCtx() { manager }: JobContext,
  ): Promise<number> {
    await manager.query('SELECT 1');
    return guests + 1;
  }

  @UseFilters(TeapotFilter)
  @JobHandler('brew')
  brew(): never {
    throw new TeapotError('a teapot');
  }
}

@Injectable({ scope: Scope.REQUEST })
class PerJob {
  constructor(@Inject(REQUEST) private readonly context: JobContext) {}

  @JobHandler('whoami')
  whoami(): string {
    return this.context.job.id;
  }
}

describe('jobs in a Nest application', () => {
  let app: TestingModule;
  let jobs: JobClient;

  beforeAll(async () => {
    app = await Test.createTestingModule({
      imports: [
        TypeOrmModule.forRoot({ type: 'postgres', url: process.env.POSTGRES_URL }),
        JobsModule.forRoot(),
      ],
      providers: [
        Greetings,
        PerJob,
        // Nest 10 makes enhancers for a class that is provided as it is, and not for one behind another token.
        APP === 'nest10-cjs' ? Enhanced : { provide: 'ENHANCED', useClass: Enhanced },
        { provide: APP_GUARD, useClass: DenyAll },
      ],
    }).compile();
    await app.init();
    jobs = app.get(JobClient);
  });

  afterAll(() => app.close());

  async function resultOf(id: string): Promise<unknown> {
    const end = Date.now() + 10_000;
    while ((await jobs.get(id))?.status === 'PENDING' && Date.now() < end) await new Promise(setImmediate);
    return (await jobs.get(id))?.result;
  }

  it('runs a handler', async () => {
    const { id } = await jobs.enqueue('greet', { name: 'Ada' });
    expect(await resultOf(id)).toBe('Hello Ada');
  });

  it('applies guards, interceptors, pipes and filters to a handler, but not those of the whole application', async () => {
    const { id } = await jobs.enqueue('welcome', '41');
    expect(await resultOf(id)).toBe('42!');
    await jobs.enqueue('welcome', '41', { id: `stranger-${APP}` });
    expect(await resultOf(`stranger-${APP}`)).toBeUndefined();
    expect((await jobs.get(`stranger-${APP}`))?.lastError).toContain('ForbiddenException');
    const brew = await jobs.enqueue('brew');
    await resultOf(brew.id);
    expect(await jobs.get(brew.id)).toMatchObject({ status: 'FAILED' });
  });

  it('runs a request-scoped handler with its job', async () => {
    const { id } = await jobs.enqueue('whoami');
    expect(await resultOf(id)).toBe(id);
  });

  it('commits and rolls back with the transaction', async () => {
    const dataSource = app.get<DataSource>(getDataSourceToken());
    const undone = dataSource.transaction(async (manager) => {
      await jobs.enqueue('greet', { name: 'nobody' }, { id: `undone-${APP}`, manager });
      throw new Error('undo');
    });
    await expect(undone).rejects.toThrow('undo');
    expect(await jobs.get(`undone-${APP}`)).toBeNull();
    const { id } = await dataSource.transaction((manager) =>
      jobs.enqueue('greet', { name: 'Bo' }, { manager }),
    );
    expect(await resultOf(id)).toBe('Hello Bo');
  });
});
