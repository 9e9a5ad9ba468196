import type { DynamicModule, FactoryProvider, InjectionToken } from '@nestjs/common';
import { InvalidOptionError } from '../job/errors.js';
import { aFunction, aList, anObject, moduleName } from '../job/option-checks.js';
import { resolveByRules, type OptionRules } from '../job/option-rules.js';
import { DEFAULT_NAME } from './jobs.tokens.js';

/** What `forRootAsync` of a module beside `JobsModule` takes: a factory of its options, and what Nest calls that with. */
export interface AsyncSettings<Settings> {
  /** What `useFactory` is called with, in this order. Default: nothing. */
  readonly inject?: FactoryProvider['inject'];
  /** Makes the other options when the application starts. It must return an object; `{}` leaves all defaults. */
  // Nest hands over whatever `inject` lists; only the user knows the types.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly useFactory: (...injected: any[]) => Settings | Promise<Settings>;
}

/** The same for a module that needs to know nothing else before the factory runs. */
export interface NamedAsyncSettings<Settings> extends AsyncSettings<Settings> {
  /** The name of the `JobsModule`. Default: that of the one without a name. */
  readonly name?: string;
  /** Modules whose providers `inject` needs. Default: none. */
  readonly imports?: DynamicModule['imports'];
}

const NAMED_RULES = {
  name: { default: DEFAULT_NAME, check: moduleName },
  imports: { default: [], check: aList },
} satisfies OptionRules<Pick<NamedAsyncSettings<unknown>, 'name' | 'imports'>>;

/**
 * What a module is assembled from whose options a factory makes.
 *
 * @param tokenOf the token of the options, by the name of the `JobsModule`
 * @param resolve checks all options, and fills in defaults
 * @throws InvalidOptionError; for what the factory returns, when the application starts
 */
export function namedSettings<Settings, Resolved>(
  { inject, useFactory, ...options }: NamedAsyncSettings<Settings>,
  tokenOf: (name: string) => InjectionToken<Resolved>,
  resolve: (made: Settings & { readonly name: string }) => Resolved,
) {
  const { name, imports } = resolveByRules(options, NAMED_RULES);
  const early = Object.keys(NAMED_RULES);
  const resolveNamed = (made: Settings) => resolve({ ...made, name });
  return {
    name,
    imports,
    settings: settingsProvider(tokenOf(name), { inject, useFactory }, early, resolveNamed),
  };
}

/**
 * Provides the options that a factory makes.
 *
 * @param early the options that Nest must know before a factory runs
 * @param resolve checks what the factory returns, and fills in defaults
 * @throws InvalidOptionError; for what the factory returns, when the application starts
 */
export function settingsProvider<Settings, Resolved>(
  provide: InjectionToken,
  { inject = [], useFactory }: AsyncSettings<Settings>,
  early: readonly string[],
  resolve: (made: Settings) => Resolved,
): FactoryProvider<Resolved> {
  aList(inject, 'inject', undefined);
  aFunction(useFactory, 'useFactory', undefined);
  return {
    provide,
    inject,
    useFactory: async (...injected: unknown[]) => {
      const made = await useFactory(...injected);
      requireSettings(made, early);
      return resolve(made);
    },
  };
}

/** @throws InvalidOptionError for what is no object, and for an option that comes too late */
export function requireSettings(made: unknown, early: readonly string[]): void {
  anObject(made, 'what the factory of options returns', undefined);
  for (const [option, value] of Object.entries(made as object)) {
    if (!early.includes(option)) continue;
    throw new InvalidOptionError(
      option,
      value,
      'given to forRootAsync() itself: its factory runs too late for it',
    );
  }
}
