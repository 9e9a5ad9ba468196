import {
  Scope,
  type CanActivate,
  type ExceptionFilter,
  type NestInterceptor,
  type PipeTransform,
  type Type,
} from '@nestjs/common';
import type { DiscoveryService, ModuleRef } from '@nestjs/core';
import { InvalidOptionError } from '../job/errors.js';
import { allow, type OptionCheck } from '../job/option-checks.js';
import { scopeOf } from './nest-internals.js';

/** Nest makes an instance of a class; an instance is taken as it is. */
type Enhancer<T> = Type<T> | T;

/** What is bound to all handlers of a module. */
export interface ModuleEnhancerOptions {
  /**
   * Guards of every handler of this module, before those of its class and method. A class that is a provider of the
   * application is that provider; of any other class this module makes one instance. Default: none.
   */
  readonly guards?: readonly Enhancer<CanActivate>[];
  /** Interceptors of every handler of this module, around those of its class and method. Default: none. */
  readonly interceptors?: readonly Enhancer<NestInterceptor>[];
  /** Pipes of every decorated parameter of this module's handlers, before its own. Default: none. */
  readonly pipes?: readonly Enhancer<PipeTransform>[];
  /** Filters of every handler of this module, asked after those of its method and class. Default: none. */
  readonly filters?: readonly Enhancer<ExceptionFilter>[];
}

/** Each kind of enhancer by its option, with its method. */
const METHODS = {
  guards: 'canActivate',
  interceptors: 'intercept',
  pipes: 'transform',
  filters: 'catch',
} satisfies Record<keyof ModuleEnhancerOptions, string>;

export type EnhancerOption = keyof typeof METHODS;

export const ENHANCER_OPTIONS = Object.keys(METHODS) as readonly EnhancerOption[];

/** Allows a list of classes and instances that have the method of this kind of enhancer. */
export function enhancers(option: EnhancerOption): OptionCheck {
  const method = METHODS[option];
  const has = (value: unknown) => typeof (value as Record<string, unknown> | null)?.[method] === 'function';
  const isOne = (value: unknown) =>
    typeof value === 'function' ? has(value.prototype) : typeof value === 'object' && has(value);
  return allow(
    `a list of ${option}: classes, or instances, with the method ${method}`,
    (value) => Array.isArray(value) && value.every(isOne),
  );
}

/** The enhancers of all handlers of a module. Their instances are there once `ready` has resolved. */
export class ModuleEnhancers {
  private readonly instances: Record<EnhancerOption, object[]> = {
    guards: [],
    interceptors: [],
    pipes: [],
    filters: [],
  };
  private made: Promise<void> | undefined;

  constructor(
    private readonly given: ModuleEnhancerOptions,
    private readonly discovery: Pick<DiscoveryService, 'getProviders'>,
    private readonly moduleRef: Pick<ModuleRef, 'create'> | undefined,
  ) {}

  has(option: EnhancerOption): boolean {
    return (this.given[option]?.length ?? 0) > 0;
  }

  /** Whether something stands around every handler. Pipes only concern those with decorated parameters. */
  get areAround(): boolean {
    return this.has('guards') || this.has('interceptors') || this.has('filters');
  }

  get areAny(): boolean {
    return ENHANCER_OPTIONS.some((option) => this.has(option));
  }

  of(option: EnhancerOption): readonly object[] {
    return this.instances[option];
  }

  /**
   * Makes the instances, once. All providers must exist.
   * @throws InvalidOptionError for a class of which there is one for each request; what Nest throws where it cannot make one
   */
  ready(): Promise<void> {
    return (this.made ??= this.make());
  }

  private async make(): Promise<void> {
    for (const option of ENHANCER_OPTIONS)
      for (const one of this.given[option] ?? []) {
        const instance = await this.instanceOf(one, option);
        this.instances[option].push(instance);
      }
  }

  private instanceOf(one: Enhancer<object>, option: EnhancerOption): object | Promise<object> {
    if (typeof one !== 'function') return one;
    const type = one as Type<object>;
    const provider = this.discovery.getProviders().find(({ token }) => token === type);
    const isScoped =
      provider === undefined
        ? scopeOf(type) === Scope.REQUEST
        : !provider.isDependencyTreeStatic() || provider.isTransient;
    if (isScoped)
      throw new InvalidOptionError(
        option,
        type,
        `a list of singletons, and ${type.name} is request-scoped or transient. Bind it to the classes of handlers instead, ` +
          `with a decorator`,
      );
    return provider === undefined ? this.moduleRef!.create(type) : (provider.instance as object);
  }
}
