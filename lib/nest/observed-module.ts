import type { FactoryProvider, InjectionToken } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import type { JobKinds } from '../client/job-kinds.js';
import type { JobsEvents } from '../events/jobs-events.js';
import { InvalidOptionError } from '../job/errors.js';
import { getJobKindsToken, internalToken } from './jobs.tokens.js';

/** What has the providers of an application: the application itself, or the module of a test. */
export interface JobsApplication {
  // Nest's own signature has overloads; only this one fits them.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  get(token: any, options?: { strict: boolean }): any;
}

/** A `JobsModule` as those see it that look on. */
export interface ObservedModule {
  readonly events: JobsEvents;
  readonly kinds: JobKinds;
}

/** The `JobsModule` of an application that has this name. @throws InvalidOptionError where there is none */
export function observedModule(application: JobsApplication, name: string): ObservedModule {
  const provided = (token: InjectionToken): unknown => {
    try {
      return application.get(token, { strict: false }) as unknown;
    } catch {
      throw new InvalidOptionError('name', name, 'the name of a JobsModule of this application');
    }
  };
  return {
    events: provided(internalToken('events', name)) as JobsEvents,
    kinds: provided(getJobKindsToken(name)) as JobKinds,
  };
}

/**
 * A provider for a module that looks on at the `JobsModule` with this name. That one is made first where it is global, so that
 * nothing is missed of it.
 *
 * @param settings the token of the options of the module that looks on
 */
export function observerProvider<Settings, Observer>(
  provide: InjectionToken,
  name: string,
  settings: InjectionToken<Settings>,
  make: (settings: Settings, modules: ModuleRef, events: JobsEvents | undefined) => Observer,
): FactoryProvider<Observer> {
  const events = { token: internalToken('events', name), optional: true };
  return { provide, inject: [settings, ModuleRef, events], useFactory: make };
}
