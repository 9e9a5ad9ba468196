import 'reflect-metadata';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Injectable, Scope, type Type } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import {
  InjectJobEvents,
  InvalidHandlerError,
  InvalidJobError,
  JobClient,
  JobEvents,
  JobHandler,
  OnJobEvent,
  type JobEvent,
  type JobEventOf,
} from '../../lib/index.js';
import { JobsTestingModule, jobsTester } from '../../lib/testing/index.js';
import { until } from '../support/until.js';

@Injectable()
class Mails {
  @JobHandler('mail')
  send({ payload }: { payload: unknown }): void {
    if (payload === 'bad') throw new Error('no such user');
  }
}

@Injectable()
class Support {
  readonly heard: JobEvent[] = [];
  readonly heardOfAll: JobEvent[] = [];

  constructor(@InjectJobEvents() readonly events: JobEvents) {}

  @OnJobEvent('failed', { kinds: ['mail'] })
  failed(event: JobEventOf<'failed'>): void {
    this.heard.push(event);
  }

  @OnJobEvent(['done', 'failed'])
  throws(): void {
    throw new Error('a listener that fails');
  }

  @OnJobEvent(['done', 'failed'])
  rejects(): Promise<void> {
    return Promise.reject(new Error('a listener that rejects'));
  }

  @OnJobEvent(['done'], { scope: 'all' })
  done(event: JobEvent): void {
    this.heardOfAll.push(event);
  }
}

describe('Listeners of events', () => {
  let app: TestingModule | undefined;
  const logs: string[] = [];
  const logger = {
    debug: () => undefined,
    log: () => undefined,
    warn: () => undefined,
    error: (message: string) => void logs.push(message),
  };

  const start = async (...providers: Type[]) => {
    logs.length = 0;
    const imports = [JobsTestingModule.forRoot({ logger })];
    app = await Test.createTestingModule({ imports, providers: [Mails, ...providers] }).compile();
    await app.init();
    return app;
  };

  afterEach(async () => {
    await app?.close();
    app = undefined;
  });

  it('hear of jobs, and change nothing for them by what they throw', async () => {
    const { heard } = (await start(Support)).get(Support);
    const { id } = await app!.get(JobClient).enqueue('mail', 'bad');
    await app!.get(JobClient).enqueue('mail', 'good');
    const ran = await jobsTester(app!).drain();
    expect(ran.map(({ job }) => job.status)).toEqual(['FAILED', 'DONE']);
    expect(heard).toMatchObject([{ type: 'failed', kind: 'mail', jobId: id, attempt: 1 }]);
    await until(() => logs.length >= 4);
    expect(logs.filter((line) => line.includes('Support.throws in'))).toHaveLength(2);
    expect(logs.filter((line) => line.includes('Support.rejects in'))).toHaveLength(2);
  });

  it('hear of all processes by the storage', async () => {
    const { heardOfAll } = (await start(Support)).get(Support);
    await until(async () => {
      await app!.get(JobClient).enqueue('mail', 'good');
      await jobsTester(app!).drain();
      return heardOfAll.length > 0;
    });
    expect(heardOfAll[0]).toMatchObject({ type: 'done', kind: 'mail', attempt: 1 });
  });

  it('are subscribed to by JobEvents, until the application closes', async () => {
    const { events } = (await start(Support)).get(Support);
    const told: string[] = [];
    events.of({ types: ['enqueued'], kinds: ['mail'] }).subscribe({
      next: ({ type }) => told.push(type),
      complete: () => told.push('complete'),
    });
    await app!.get(JobClient).enqueue('mail');
    await app!.close();
    app = undefined;
    expect(told).toEqual(['enqueued', 'complete']);
    events.of().subscribe({ complete: () => told.push('complete at once') });
    expect(told.at(-1)).toBe('complete at once');
  });

  it.each([
    [{ types: ['broken'] }, 'types[0]'],
    [{ kinds: [''] }, 'kinds[0]'],
    [{ kinds: 'mail' }, 'kinds'],
    [{ scope: 'cluster' }, 'scope'],
    [{ kind: 'mail' }, 'kind'],
    [null, 'filter'],
  ])('are refused with a wrong filter: %j', async (filter, path) => {
    await start();
    const events = app!.get(JobEvents);
    const problem = () => {
      try {
        return events.of(filter as never);
      } catch (error) {
        return error;
      }
    };
    expect(problem()).toBeInstanceOf(InvalidJobError);
    expect(problem()).toMatchObject({ path });
  });

  it('are refused at the start where they can never hear', async () => {
    @Injectable()
    class Wrong {
      @OnJobEvent('broken' as never)
      hear(): void {}
    }
    await expect(start(Wrong)).rejects.toThrow(InvalidJobError);
    await expect(start(Wrong)).rejects.toThrow('Wrong.hear in');

    @Injectable({ scope: Scope.REQUEST })
    class OfRequest {
      @OnJobEvent('done')
      hear(): void {}
    }
    await expect(start(OfRequest)).rejects.toThrow(InvalidHandlerError);
    const onStatic = () => {
      class Static {
        @OnJobEvent('done')
        static hear(): void {}
      }
      return Static;
    };
    expect(onStatic).toThrow(InvalidHandlerError);
  });
});
