import { ApplicationConfig, ExternalContextCreator, type ContextId, type NestContainer } from '@nestjs/core';
import type { HandlerFn } from '../execution/attempt.js';
import { JobsError } from '../job/errors.js';
import type { ClaimedJob, JobContext } from '../job/job.js';
import { PAYLOAD_PARAM, ROUTE_ARGS_METADATA } from './jobs.tokens.js';
import { JOB_CONTEXT_TYPE } from './job-execution-context.js';

/** An instance of a user's class. */
export type HandlerHost = Record<string, HandlerFn>;

/** The module of a handler, as Nest has it. */
export type HostModule =
  ReturnType<NestContainer['getModules']> extends ReadonlyMap<string, infer M> ? M : never;

/** Where Nest keeps what is bound to a class or a method. */
const FILTERS = '__exceptionFilters__';
const ENHANCERS = ['__guards__', '__interceptors__', '__pipes__', FILTERS];

const PARAMS = {
  exchangeKeyForValue: (type: number, _data: unknown, [job]: readonly [ClaimedJob]) =>
    type === PAYLOAD_PARAM ? job.payload : undefined,
};

/** Calls handlers through the guards, interceptors, pipes and filters that are bound to them. */
export class Enhancers {
  private readonly container: NestContainer;
  private readonly creator: ExternalContextCreator;

  /** @param isGlobal whether those of the whole application apply to handlers as well, which most often are made for HTTP */
  constructor(
    creator: ExternalContextCreator,
    private readonly isGlobal: boolean,
  ) {
    this.container = (creator as unknown as { readonly container: NestContainer }).container;
    this.creator = isGlobal ? creator : withoutGlobals(this.container);
  }

  /**
   * Whether there are any for this method; one that has none is called directly.
   * @throws JobsError where Nest would pass over one of them, a guard perhaps
   */
  areOn(prototype: HandlerHost, method: string, module: HostModule): boolean {
    const enhancers = enhancersOf(prototype, method);
    for (const enhancer of enhancers) {
      if (typeof enhancer !== 'function' || module.injectables.has(enhancer as never)) continue;
      const place = `${prototype.constructor.name}.${method}`;
      throw new JobsError(
        `${enhancer.name} on ${place} would not be called: Nest makes enhancers only for providers that it makes itself. ` +
          `Provide ${prototype.constructor.name} by its class, or give an instance of ${enhancer.name}.`,
      );
    }
    const hasParams = Reflect.hasMetadata(ROUTE_ARGS_METADATA, prototype.constructor, method);
    return this.isGlobal || hasParams || enhancers.length > 0;
  }

  /** The method with all of them around it. @param contextId of a request-scoped instance @param inquirerId of its provider */
  around(
    host: HandlerHost,
    method: string,
    module: HostModule,
    contextId?: ContextId,
    inquirerId?: string,
  ): HandlerFn {
    const creator = this.creatorFor(module);
    const enhance = (callback: HandlerFn, params: string | undefined, isFilter: boolean) =>
      creator.create(
        host,
        callback as never,
        method,
        params,
        PARAMS,
        contextId,
        inquirerId,
        { guards: !isFilter, interceptors: !isFilter, filters: isFilter },
        JOB_CONTEXT_TYPE,
      );
    const run = enhance(host[method]!, ROUTE_ARGS_METADATA, false);
    if (!this.isGlobal && !isOn(FILTERS, host, method)) return run;
    return withFilters(run, host[method]!, (callback) => enhance(callback, undefined, true));
  }

  /** Nest looks for the module by the class of the host, among providers: it finds no controllers, and not every token. */
  private creatorFor(module: HostModule): ExternalContextCreator {
    const [key] = [...this.container.getModules()].find(([, one]) => one === module) ?? [''];
    return Object.create(this.creator, {
      getContextModuleKey: { value: () => key },
    }) as ExternalContextCreator;
  }
}

/**
 * A filter that throws replaces the error, and what one returns is the result. But one that returns nothing, be it as a
 * promise, has only looked at the error: the attempt has failed with it.
 */
function withFilters(
  run: HandlerFn,
  method: HandlerFn,
  filter: (callback: HandlerFn) => HandlerFn,
): HandlerFn {
  const errors = new WeakMap<JobContext<never>, { readonly error: unknown }>();
  const failing: HandlerFn = async (job, context) => {
    try {
      return await run(job, context);
    } catch (error) {
      errors.set(context, { error });
      throw error;
    }
  };
  const filtered = filter(Object.setPrototypeOf(failing, method) as HandlerFn); // the metadata of the method is its own
  return async (job, context) => {
    const result = await filtered(job, context);
    const failure = errors.get(context);
    if (failure !== undefined && result === undefined) throw failure.error;
    return result;
  };
}

function isOn(key: string, host: HandlerHost, method: string): boolean {
  return Reflect.hasMetadata(key, host[method]!) || Reflect.hasMetadata(key, host.constructor);
}

function enhancersOf(host: HandlerHost, method: string): unknown[] {
  return ENHANCERS.flatMap((key) =>
    [host[method]!, host.constructor].flatMap(
      (bearer) => (Reflect.getMetadata(key, bearer) as unknown[] | undefined) ?? [],
    ),
  );
}

/** On an application without global enhancers. */
function withoutGlobals(container: NestContainer): ExternalContextCreator {
  const applicationConfig = { value: new ApplicationConfig(container as never) };
  return ExternalContextCreator.fromContainer(
    Object.create(container, { applicationConfig }) as NestContainer,
  );
}
