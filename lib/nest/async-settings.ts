import type { FactoryProvider, InjectionToken } from '@nestjs/common';
import { InvalidOptionError } from '../job/errors.js';
import { aFunction, aList, anObject } from '../job/option-checks.js';

/** What `forRootAsync` of a module beside `JobsModule` takes: a factory of its options, and what Nest calls that with. */
export interface AsyncSettings<Settings> {
  /** What `useFactory` is called with, in this order. Default: nothing. */
  readonly inject?: FactoryProvider['inject'];
  /** Makes the other options when the application starts. It must return an object; `{}` leaves all defaults. */
  // Nest hands over whatever `inject` lists; only the user knows the types.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly useFactory: (...injected: any[]) => Settings | Promise<Settings>;
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
