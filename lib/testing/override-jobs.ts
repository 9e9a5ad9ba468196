import { JobsError } from '../job/errors.js';
import { DEFAULT_NAME, getWorkerToken } from '../nest/jobs.tokens.js';
import { JobsTester } from './jobs-tester.js';
import { testerProvider, testQueueProvider, type JobsApplication } from './testing.providers.js';

/** What `overrideJobs` needs of the builder that `Test.createTestingModule` returns. */
export interface OverridableBuilder {
  overrideProvider(token: unknown): { useFactory(options: OverridingFactory): unknown };
}

interface OverridingFactory {
  readonly factory: (...injected: never[]) => unknown;
  readonly inject?: never[];
}

export interface OverrideJobsOptions {
  /** The `name` of the `JobsModule`. Default: the one without a name. */
  readonly name?: string;
  /** The name of the DataSource on which transactions are opened, if the application has one. Default: the one without a name. */
  readonly dataSource?: string;
  /** Leave the queue in the database and replace only the worker. Default false. */
  readonly keepQueue?: boolean;
}

/**
 * Turns the `JobsModule` of an application into a `JobsTestingModule`, for a test that imports the application's own
 * modules. The options of the application hold, and its jobs need no database.
 *
 * ```ts
 * const app = await overrideJobs(Test.createTestingModule({ imports: [AppModule] })).compile();
 * ```
 *
 * @returns the builder
 */
export function overrideJobs<Builder extends OverridableBuilder>(
  builder: Builder,
  { name = DEFAULT_NAME, dataSource, keepQueue = false }: OverrideJobsOptions = {},
): Builder {
  const replacements = [...(keepQueue ? [] : [testQueueProvider(name, dataSource)]), testerProvider(name)];
  for (const { provide, inject, useFactory } of replacements)
    builder.overrideProvider(provide).useFactory({ factory: useFactory, inject: inject as never[] });
  return builder;
}

/**
 * The tester of an application, which runs its jobs.
 * @throws JobsError where neither `JobsTestingModule` nor `overrideJobs` is in use
 */
export function jobsTester(app: JobsApplication, name?: string): JobsTester {
  const worker: unknown = app.get(getWorkerToken(name));
  if (worker instanceof JobsTester) return worker;
  throw new JobsError(
    'This application has no JobsTester, but a worker. Import JobsTestingModule.forRoot() instead of ' +
      'JobsModule.forRoot(), or call overrideJobs() on the builder of the testing module.',
  );
}
