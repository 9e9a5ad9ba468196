import 'reflect-metadata';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Inject, Injectable, Scope, type Provider } from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import { Test, type TestingModule } from '@nestjs/testing';
import {
  InvalidHandlerError,
  JobClient,
  JobCtx,
  JobHandler,
  JobPayload,
  JobQueue,
  JobsModule,
  MemoryJobQueue,
  OnJobEvent,
  UnknownKindError,
  type Job,
  type JobContext,
  type JobsModuleOptions,
} from '../../lib/index.js';
import { JobsTestingModule } from '../../lib/testing/index.js';
import { MemoryLogger } from '../support/memory-logger.js';
import { thrownBy } from '../unit/fakes.js';

const apps: TestingModule[] = [];

afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

/** An application that is up, on a queue in memory, and the warnings that it has logged. */
async function start(providers: Provider[], options: JobsModuleOptions = {}) {
  const logger = new MemoryLogger();
  const app = await Test.createTestingModule({
    imports: [JobsModule.forRoot({ logger, ...options })],
    providers,
  })
    .overrideProvider(JobQueue)
    .useValue(new MemoryJobQueue())
    .compile();
  apps.push(app);
  await app.init();
  const warnings = logger.lines.filter((line) => line.startsWith('warn '));
  return { client: app.get(JobClient), warnings };
}

describe('@JobHandler refuses what can never be called, when the class is loaded:', () => {
  const decorate = JobHandler('k') as (...given: unknown[]) => void;
  class Jobs {
    static run(): void {}
    get made(): () => void {
      return () => undefined;
    }
  }
  const symbol = Symbol('run');
  const cases: [what: string, given: unknown[], message: RegExp][] = [
    [
      'a static method',
      [Jobs, 'run', Object.getOwnPropertyDescriptor(Jobs, 'run')],
      /Jobs\.run is static.*Remove "static"/,
    ],
    [
      'a method that is named by a symbol',
      [Jobs.prototype, symbol, { value: () => undefined }],
      /Jobs\.Symbol\(run\) is named by a symbol/,
    ],
    ['an arrow property, as TypeScript has it', [Jobs.prototype, 'go'], /Jobs\.go is a property/],
    [
      'an arrow property, as SWC has it',
      [Jobs.prototype, 'go', { initializer: () => () => undefined }],
      /Jobs\.go is a property.*go\(job, context\)/,
    ],
    [
      'a getter',
      [Jobs.prototype, 'made', Object.getOwnPropertyDescriptor(Jobs.prototype, 'made')],
      /Jobs\.made is a getter/,
    ],
    ['a class', [Jobs], /Jobs is no method/],
    [
      'a method under the decorators of ECMAScript',
      [() => undefined, { kind: 'method', name: 'run', static: false }],
      /run .*"experimentalDecorators": true/,
    ],
  ];

  it.each(cases)('%s', (_what, given, message) => {
    const error = thrownBy(() => decorate(...given));
    expect(error).toBeInstanceOf(InvalidHandlerError);
    expect((error as Error).message).toMatch(message);
  });
});

describe('A worker that starts warns of methods with @OnJobEvent', () => {
  it('whose class no provider brings, once in a process', async () => {
    class Forgotten {
      @OnJobEvent('done')
      @OnJobEvent('failed', { kinds: ['mail'] })
      one(): void {}

      @OnJobEvent('done', { scope: 'all' })
      two(): void {}

      @OnJobEvent('done', { queue: 'of another module' })
      elsewhere(): void {}
    }
    expect((await start([], { worker: false })).warnings).toEqual([]);
    const { warnings } = await start([]);
    expect(warnings).toEqual([
      expect.stringMatching(/@OnJobEvent, so they hear of nothing: Forgotten\.one, Forgotten\.two\. Add/),
    ]);
    expect((await start([])).warnings).toEqual([]);
    expect(Forgotten.name).toBe('Forgotten');
  });

  it('that another decorator has replaced', async () => {
    const Wrap = (): MethodDecorator => (_target, _key, descriptor) => {
      descriptor.value = (() => undefined) as never;
    };
    @Injectable()
    class WrappedListener {
      @Wrap()
      @OnJobEvent('done')
      hear(): void {}
    }
    expect((await start([WrappedListener])).warnings).toEqual([
      expect.stringMatching(/replaced these methods with @OnJobEvent.*: WrappedListener\.hear\./),
    ]);
  });

  it('and not where a class that extends it is a provider, or another application of the process has it', async () => {
    class Base {
      @OnJobEvent('done')
      hear(): void {}
    }
    @Injectable()
    class Derived extends Base {}
    @Injectable()
    class Elsewhere {
      @OnJobEvent('done')
      hear(): void {}
    }
    expect((await start([Derived, Elsewhere])).warnings).toEqual([]);
    expect((await start([])).warnings).toEqual([]);
  });
});

describe('A worker that starts warns of methods with @JobHandler', () => {
  it('whose class no provider brings, once in a process', async () => {
    class Forgotten {
      @JobHandler('forgotten.one')
      one(): void {}

      @JobHandler('forgotten.two')
      two(): void {}
    }
    const { warnings } = await start([]);
    expect(warnings).toEqual([
      expect.stringMatching(
        / Forgotten\.one, Forgotten\.two\. Add their classes to the providers of a module/,
      ),
    ]);
    expect((await start([])).warnings).toEqual([]);
    expect(Forgotten.name).toBe('Forgotten');
  });

  it('that a factory hides by making an instance for each request', async () => {
    @Injectable()
    class Hidden {
      constructor(@Inject(REQUEST) readonly context: JobContext) {}

      @JobHandler('hidden')
      run(): void {}
    }
    const provider: Provider = {
      provide: Hidden,
      scope: Scope.REQUEST,
      inject: [REQUEST],
      useFactory: (context: JobContext) => new Hidden(context),
    };
    expect((await start([provider])).warnings).toEqual([expect.stringContaining(' Hidden.run.')]);
  });

  it('that another decorator has replaced', async () => {
    const Wrap = (): MethodDecorator => (_target, _key, descriptor) => {
      descriptor.value = (() => undefined) as never;
    };
    @Injectable()
    class Wrapped {
      @Wrap()
      @JobHandler('wrapped')
      run(): void {}
    }
    expect((await start([Wrapped])).warnings).toEqual([
      expect.stringMatching(/replaced .* Wrapped\.run\. Write @JobHandler above/),
    ]);
  });

  it('some of whose parameters have decorators and some not', async () => {
    @Injectable()
    class Mixed {
      @JobHandler('mixed')
      run(@JobPayload() _payload: unknown, _context: JobContext): void {}

      @JobHandler('whole')
      whole(_job: Job, _context: JobContext): void {}

      @JobHandler('parts')
      parts(@JobPayload() _payload: unknown, @JobCtx() _context: JobContext, _more = 7): void {}
    }
    expect((await start([Mixed])).warnings).toEqual([
      expect.stringMatching(/Mixed\.run in .* parameter 2 will be undefined/),
    ]);
  });

  describe('and of none', () => {
    it('that is inherited, overridden, mocked, of another queue, or of another application', async () => {
      abstract class Importer {
        @JobHandler('import.read')
        read(): void {}

        @JobHandler('import.check')
        check(): void {}
      }
      @Injectable()
      class CsvImporter extends Importer {
        override check(): void {}
      }
      class Mocked {
        @JobHandler('mocked')
        run(): void {}
      }
      class Elsewhere {
        @JobHandler('elsewhere', { queue: 'bulk' })
        run(): void {}
      }
      class Made {
        @JobHandler('made')
        run(): void {}
      }
      const providers: Provider[] = [
        CsvImporter,
        { provide: Mocked, useValue: { run: () => undefined } },
        { provide: 'MADE', useFactory: () => Promise.resolve(new Made()) },
      ];
      expect((await start(providers)).warnings).toEqual([]);
      expect((await start([])).warnings).toEqual([]);
      expect(Elsewhere.name).toBe('Elsewhere');
    });

    it('that would be refused anyway, which does not keep the worker from starting', async () => {
      class Wrong {
        @JobHandler(undefined as never, null as never)
        run(): void {}
      }
      class Fine {
        @JobHandler('fine')
        run(): void {}
      }
      expect((await start([Fine], { worker: { kinds: ['fine'] } })).warnings).toEqual([]);
      expect((await start([Fine])).warnings).toEqual([expect.stringContaining(Wrong.name)]);
    });

    it('that serves other kinds than this process', async () => {
      class OfAnotherRole {
        @JobHandler('of another role')
        run(): void {}
      }
      class Served {
        @JobHandler('served')
        run(): void {}
      }
      expect((await start([Served], { worker: { kinds: ['served'] } })).warnings).toEqual([]);
      expect((await start([])).warnings).toEqual([expect.stringContaining(OfAnotherRole.name)]);
    });

    it('where the process runs no worker', async () => {
      class Unserved {
        @JobHandler('unserved')
        run(): void {}
      }
      expect((await start([], { worker: false })).warnings).toEqual([]);
      const logger = new MemoryLogger();
      const app = await Test.createTestingModule({
        imports: [JobsTestingModule.forRoot({ logger })],
      }).compile();
      apps.push(app);
      await app.init();
      expect(logger.lines.filter((line) => line.startsWith('warn '))).toEqual([]);
      expect((await start([])).warnings).toEqual([expect.stringContaining(Unserved.name)]);
    });
  });
});

describe('UnknownKindError', () => {
  it('says that there are no kinds, and what usually is the cause', async () => {
    const { client } = await start([]);
    const refused = client.enqueue('nothing');
    await expect(refused).rejects.toBeInstanceOf(UnknownKindError);
    await expect(refused).rejects.toThrow(
      /Known kinds: none\. Add a method with @JobHandler\('nothing'\) to a class among the providers of an imported module/,
    );
  });

  it('names the method that has the kind and is not served', async () => {
    class Reports {
      @JobHandler(' report.build ')
      build(): void {}
    }
    const { client } = await start([]);
    await expect(client.enqueue('report.build')).rejects.toThrow(
      /Reports\.build has it.*add the class to the providers of a module, import that module/,
    );
    expect(Reports.name).toBe('Reports');
  });
});
