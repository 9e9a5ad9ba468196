import type { DynamicModule, FactoryProvider, Provider, Type } from '@nestjs/common';
import { InvalidOptionError } from '../job/errors.js';
import { aFunction, aList } from '../job/option-checks.js';
import { resolveByRules, type OptionRules } from '../job/option-rules.js';
import { requireSettings } from './async-settings.js';
import { resolveOptions, type ResolvedIdentity, type ResolvedOptions } from './jobs.options.js';
import { internalToken } from './jobs.tokens.js';
import { IDENTITY_RULES, type JobsModuleIdentity, type JobsModuleOptions } from './module-options.js';

/** What a factory of options may return: all but what Nest must know before it runs. */
export type AsyncJobsModuleOptions<Carried = unknown> = Omit<
  JobsModuleOptions<Carried>,
  keyof JobsModuleIdentity
>;

type Awaitable<T> = T | Promise<T>;

/** A class that makes the options. */
export interface JobsOptionsFactory {
  createJobsOptions(): Awaitable<AsyncJobsModuleOptions>;
}

/** One of `useFactory`, `useClass` and `useExisting`. */
export interface JobsModuleAsyncOptions<Carried = unknown> extends JobsModuleIdentity {
  /** Modules whose providers `inject`, `useClass` or `useExisting` need. Default: none. */
  readonly imports?: DynamicModule['imports'];
  /** What `useFactory` is called with, in this order. Default: nothing. */
  readonly inject?: FactoryProvider['inject'];
  /** Makes the options when the application starts. It must return an object; `{}` leaves all defaults. */
  // Nest hands over whatever `inject` lists; only the user knows the types.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly useFactory?: (...injected: any[]) => Awaitable<AsyncJobsModuleOptions<Carried>>;
  /** A class that makes the options. Nest makes an instance of it for this module. */
  readonly useClass?: Type<JobsOptionsFactory>;
  /** The same, an instance of which there is already. */
  readonly useExisting?: Type<JobsOptionsFactory>;
}

const ASYNC_RULES = {
  ...IDENTITY_RULES,
  imports: { default: [], check: aList },
  inject: { default: [], check: aList },
  useFactory: { check: aFunction },
  useClass: { check: aFunction },
  useExisting: { check: () => undefined },
} satisfies OptionRules<JobsModuleAsyncOptions>;

/**
 * What `forRootAsync` makes of its options: which module it is, and the providers of the options of that module.
 * @throws InvalidOptionError
 */
export function resolveAsyncOptions(options: JobsModuleAsyncOptions) {
  const resolved = resolveByRules(options, ASYNC_RULES);
  const { name, dataSource, isGlobal, imports, useClass, useExisting } = resolved;
  const identity: ResolvedIdentity = { name, dataSource, isGlobal };
  requireOneWay(resolved);
  const factory = useClass ?? useExisting;
  const provider: FactoryProvider = {
    provide: internalToken('options', name),
    inject: factory === undefined ? resolved.inject : [factory],
    useFactory: async (...injected: unknown[]) => {
      const made =
        factory === undefined
          ? resolved.useFactory!(...injected)
          : (injected[0] as JobsOptionsFactory).createJobsOptions();
      return resolveMade(await made, identity);
    },
  };
  const providers: Provider[] = useClass === undefined ? [provider] : [provider, useClass];
  return { identity, imports, providers };
}

function requireOneWay({ useFactory, useClass, useExisting }: JobsModuleAsyncOptions): void {
  const ways = [useFactory, useClass, useExisting].filter((way) => way !== undefined);
  if (ways.length === 1) return;
  throw new InvalidOptionError('useFactory', useFactory, 'given, or else one of useClass and useExisting');
}

function resolveMade(made: AsyncJobsModuleOptions, identity: ResolvedIdentity): ResolvedOptions {
  requireSettings(made, Object.keys(IDENTITY_RULES));
  return resolveOptions({ ...made, ...identity });
}
