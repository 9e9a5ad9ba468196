import 'reflect-metadata';
import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, it } from '@jest/globals';
import { expectTypeOf } from 'expect-type';
import { withCarrier } from '../../../lib/execution/handler-middleware.js';
import type { ContextCarrier } from '../../../lib/job/context-carrier.js';
import { JobsModule } from '../../../lib/nest/jobs.module.js';
import { claimedJob } from '../fakes.js';

interface Request {
  readonly tenant: string;
}
const requests = new AsyncLocalStorage<Request>();
const capture = (): Request | undefined => requests.getStore();

/** As nestjs-i18n has it: asynchronous alone. */
function createAsync<T>(request: Request, next: () => Promise<T>): Promise<T> {
  return requests.run(request, next);
}

/** As nestjs-cls has it: whatever `work` returns. */
function runWith<T>(request: Request, work: () => T): T {
  return requests.run(request, work);
}

const carriers: Record<string, ContextCarrier<Request>> = {
  'AsyncLocalStorage.run': { capture, restore: (carried, next) => requests.run(carried, next) },
  'a run that takes promises alone': { capture, restore: (carried, next) => createAsync(carried, next) },
  'a run that gives back anything': { capture, restore: (carried, next) => runWith(carried, next) },
  'an async method': {
    capture,
    async restore(carried, next) {
      return await requests.run(carried, next);
    },
  },
};

describe.each(Object.entries(carriers))('A context carrier by %s', (_name, carrier) => {
  const job = claimedJob({ carried: { tenant: 'a' } });
  const run = (handler: () => unknown) => withCarrier(carrier, handler)(job as never, undefined as never);

  it('restores the context for a handler that is synchronous, and for one that is not', async () => {
    expect(await run(() => requests.getStore())).toEqual({ tenant: 'a' });
    const later = async () => {
      await Promise.resolve();
      return requests.getStore();
    };
    expect(await run(later)).toEqual({ tenant: 'a' });
  });

  it('gives the handler as a promise, also where it throws at once', async () => {
    const throwing = run(() => {
      throw new Error('no');
    });
    await expect(throwing).rejects.toThrow('no');
  });
});

it('a carrier that stands in the options is typed by what it captures', () => {
  JobsModule.forRoot({
    contextCarrier: {
      capture: () => requests.getStore(),
      restore: (carried, next) => {
        expectTypeOf(carried).toEqualTypeOf<Request>();
        return requests.run(carried, next);
      },
    },
  });
  JobsModule.forRootAsync({
    inject: ['CONFIG'],
    useFactory: (_config: object) => ({
      contextCarrier: {
        capture: () => requests.getStore(),
        restore: (carried, next) => {
          expectTypeOf(carried).toEqualTypeOf<Request>();
          return requests.run(carried, next);
        },
      },
    }),
  });
});
