import type { ContextId, ExternalContextCreator } from '@nestjs/core';
import type { HandlerFn } from '../execution/attempt.js';
import { JobsError } from '../job/errors.js';
import type { JobContext } from '../job/job.js';
import { JOB_CONTEXT_TYPE } from './job-execution-context.js';
import type { ModuleEnhancers } from './module-enhancers.js';
import {
  enhancersOf,
  hasFilters,
  hasParams,
  PARAM_VALUES,
  ROUTE_ARGS_METADATA,
  withinModule,
  withGlobals,
  type HandlerHost,
  type HostModule,
} from './nest-internals.js';

/** Calls handlers through the guards, interceptors, pipes and filters that are bound to them. */
export class Enhancers {
  private readonly creator: ExternalContextCreator;

  /**
   * @param isGlobal whether those of the whole application, which are mostly made for HTTP, apply to handlers as well
   * @param ofModule those that are bound to all handlers
   */
  constructor(
    creator: ExternalContextCreator,
    private readonly isGlobal: boolean,
    private readonly ofModule: ModuleEnhancers,
  ) {
    this.creator = withGlobals(
      creator,
      isGlobal,
      ofModule.areAny ? (option) => ofModule.of(option) : undefined,
    );
  }

  /** Resolves when handlers may be called through them. Undefined where that is at any time. */
  ready(): Promise<void> | undefined {
    return this.ofModule.areAny ? this.ofModule.ready() : undefined;
  }

  /**
   * Whether a method has any. One without is called directly.
   * @throws JobsError where Nest would pass over one of them, which might be a guard
   */
  areOn(prototype: HandlerHost, method: string, module: HostModule): boolean {
    const enhancers = enhancersOf(prototype, method);
    for (const enhancer of enhancers) {
      if (typeof enhancer !== 'function' || module.injectables.has(enhancer as never)) continue;
      const { name } = prototype.constructor;
      throw new JobsError(
        `${enhancer.name} on ${name}.${method} would not be called: Nest makes enhancers only for providers that it ` +
          `makes itself. Provide ${name} by its class, or give an instance of ${enhancer.name}.`,
      );
    }
    const areBoundToAll = this.isGlobal || this.ofModule.areAround;
    return areBoundToAll || hasParams(prototype, method) || enhancers.length > 0;
  }

  /**
   * The method with all of them around it.
   *
   * @param contextId of a request-scoped instance
   * @param inquirerId of its provider
   */
  around(
    host: HandlerHost,
    method: string,
    module: HostModule,
    contextId?: ContextId,
    inquirerId?: string,
  ): HandlerFn {
    const creator = withinModule(this.creator, module);
    const enhance = (callback: HandlerFn, params: string | undefined, isFilter: boolean) =>
      creator.create(
        host,
        callback as never,
        method,
        params,
        PARAM_VALUES,
        contextId,
        inquirerId,
        { guards: !isFilter, interceptors: !isFilter, filters: isFilter },
        JOB_CONTEXT_TYPE,
      );
    const handler = enhance(host[method]!, ROUTE_ARGS_METADATA, false);
    const mayHaveFilters = this.isGlobal || this.ofModule.has('filters') || hasFilters(host, method);
    if (!mayHaveFilters) return handler;
    return withFilters(handler, host[method]!, (callback) => enhance(callback, undefined, true));
  }
}

/**
 * What a filter throws replaces the error, and what it returns is the result. A filter that returns nothing, directly or
 * as a promise, has only looked at the error: the attempt fails with it.
 */
function withFilters(
  handler: HandlerFn,
  method: HandlerFn,
  filter: (callback: HandlerFn) => HandlerFn,
): HandlerFn {
  const errors = new WeakMap<JobContext<never>, { readonly error: unknown }>();
  const failing: HandlerFn = async (job, context) => {
    try {
      return await handler(job, context);
    } catch (error) {
      errors.set(context, { error });
      throw error;
    }
  };
  // Nest reads the filters from the metadata of the callback, which inherits that of the method.
  const filtered = filter(Object.setPrototypeOf(failing, method) as HandlerFn);
  return async (job, context) => {
    const result = await filtered(job, context);
    const failure = errors.get(context);
    if (failure !== undefined && result === undefined) throw failure.error;
    return result;
  };
}
