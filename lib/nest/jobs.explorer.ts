import {
  ContextIdFactory,
  ModuleRef,
  type DiscoveryService,
  type ExternalContextCreator,
  type MetadataScanner,
} from '@nestjs/core';
import type { HandlerFn } from '../execution/attempt.js';
import { withCarrier, withDefinition } from '../execution/handler-middleware.js';
import type { HandlerRegistry } from '../execution/handler-registry.js';
import { CIRCULAR_IMPORT, type JobDefinition } from '../job/definition.js';
import { InvalidJobError, InvalidOptionError, InvalidScheduleError } from '../job/errors.js';
import { HANDLER_RULES, type JobHandlerOptions } from '../job/handler-options.js';
import { anObject, isObject } from '../job/option-checks.js';
import type { JobEvent } from '../job/job-event.js';
import type { ScheduleRegistry } from '../schedules/schedule-registry.js';
import type { DeclaredSchedule } from '../schedules/schedule-terms.js';
import { DECORATED_HANDLERS, type DecoratedHandler } from './decorated-handlers.js';
import { nameOfDecorated } from './decorated-methods.js';
import { DeclaredSchedules } from './declared-schedules.js';
import { Enhancers } from './enhancers.js';
import type { EventListeners } from './event-listeners.js';
import { marksOf } from './jobs.metadata.js';
import type { ResolvedOptions } from './jobs.options.js';
import { DEFAULT_NAME } from './jobs.tokens.js';
import { requireModule, requireOwnName, requireOwnTable } from './module-checks.js';
import { ModuleEnhancers } from './module-enhancers.js';
import { undecoratedParams, type HandlerHost } from './nest-internals.js';

type Wrapper = ReturnType<DiscoveryService['getProviders']>[number];

/** Finds the methods with `@JobHandler` and `@JobSchedule` on providers and controllers, and registers those of one module. */
export class JobsExplorer {
  private explored = false;
  /** Parameters that will be undefined, by their handler. */
  private readonly undecorated = new Map<string, readonly number[]>();
  private readonly enhancers: Enhancers;
  private readonly schedules: DeclaredSchedules;

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    creator: ExternalContextCreator,
    private readonly handlers: HandlerRegistry,
    private readonly options: ResolvedOptions,
    private readonly declared: ScheduleRegistry,
    private readonly listeners: EventListeners,
    moduleRef?: ModuleRef,
  ) {
    const ofModule = new ModuleEnhancers(options.enhancers, discovery, moduleRef);
    this.schedules = new DeclaredSchedules(discovery, declared, options.name);
    this.enhancers = new Enhancers(creator, options.globalEnhancers, ofModule);
  }

  /** Resolves when what stands around all handlers is there. @throws InvalidOptionError */
  async ready(): Promise<void> {
    await this.enhancers.ready();
  }

  /**
   * Registers the handlers and the schedules. Later calls do nothing.
   * @throws KindExistsError, ScheduleExistsError, InvalidScheduleError, InvalidOptionError, InvalidJobError, JobsError where two modules have the same name or table
   */
  explore(): void {
    if (this.explored) return;
    this.explored = true;
    requireOwnName(this.discovery, this.options.name);
    requireOwnTable(this.discovery, this.options);
    for (const wrapper of this.wrappers()) this.exploreWrapper(wrapper);
    for (const kind of this.options.worker.kinds ?? []) this.requireHandler(kind);
    for (const declared of this.declared.all) this.requireKind(declared);
  }

  /** Tells of methods with `@JobHandler` and `@OnJobEvent` that are not called as they seem to be. For a process that runs a worker. */
  warn(): void {
    const { events, name, worker } = this.options;
    const provided = this.wrappers().flatMap((wrapper) => providedBy(wrapper));
    // Wrong options and kinds are refused where a provider brings them. Here they only must do no harm.
    const isServed = ({ kind, options }: DecoratedHandler) =>
      (isObject(options) ? (options.queue ?? DEFAULT_NAME) : DEFAULT_NAME) === name &&
      (worker.kinds === undefined || (typeof kind === 'string' && worker.kinds.includes(kind.trim())));
    const isProvided = (prototype: object) =>
      provided.some((one) => one === prototype || Object.prototype.isPrototypeOf.call(prototype, one));
    const { notProvided, replaced } = DECORATED_HANDLERS.unfound(isServed, isProvided);
    if (notProvided.length > 0)
      events.emit('handlersNotProvided', { handlers: notProvided.map(nameOfDecorated) });
    if (replaced.length > 0) events.emit('handlersReplaced', { handlers: replaced.map(nameOfDecorated) });
    this.listeners.warn(isProvided);
    for (const [handler, undecorated] of this.undecorated)
      events.emit('parametersUndecorated', { handler, undecorated });
  }

  private wrappers(): Wrapper[] {
    const all = [...this.discovery.getProviders(), ...this.discovery.getControllers()];
    return all.filter((wrapper) => !wrapper.isAlias);
  }

  private exploreWrapper(wrapper: Wrapper): void {
    const prototype = prototypeOf(wrapper);
    if (prototype === null) return;
    for (const method of this.scanner.getAllMethodNames(prototype)) {
      const declaredAt = declarationOf(wrapper, method);
      this.schedules.add(prototype[method]!, declaredAt);
      this.listeners.add({
        method: prototype[method]!,
        declaredAt,
        isShared: isShared(wrapper),
        call: (event) => (wrapper.instance as ListenerHost)[method]!(event),
      });
      for (const { kind, options, definition } of marksOf(prototype[method]!)) {
        const queue = queueOf(options, declaredAt);
        if (queue !== this.options.name) {
          requireModule(this.discovery, queue, declaredAt);
          continue;
        }
        requireKind(kind, declaredAt);
        const isEnhanced = this.enhancers.areOn(prototype, method, wrapper.host!);
        const run = this.withMiddleware(this.callable(wrapper, method, isEnhanced), definition);
        this.handlers.add({ kind, options, definition, declaredAt, run });
        const undecorated = undecoratedParams(prototype, method);
        if (undecorated.length > 0) this.undecorated.set(declaredAt, undecorated);
      }
    }
  }

  /** A handler that needs none of this is called directly. */
  private withMiddleware(handler: HandlerFn, definition: JobDefinition | undefined): HandlerFn {
    const { contextCarrier } = this.options;
    const checked = definition === undefined ? handler : withDefinition(definition, handler);
    return contextCarrier === undefined ? checked : withCarrier(contextCarrier, checked);
  }

  private callable(wrapper: Wrapper, method: string, isEnhanced: boolean): HandlerFn {
    if (!isShared(wrapper)) return this.perJob(wrapper, method, isEnhanced);
    const instance = () => wrapper.instance as HandlerHost;
    if (!isEnhanced) return (job, context) => instance()[method]!(job, context);
    let enhanced: HandlerFn | undefined; // made by the first call: all instances are there by then
    const around = () => (enhanced ??= this.enhancers.around(instance(), method, wrapper.host!));
    return (job, context) => {
      const ready = enhanced === undefined ? this.enhancers.ready() : undefined;
      return ready === undefined ? around()(job, context) : ready.then(() => around()(job, context));
    };
  }

  /** Each job has an instance of its own. Durable providers have one for each tenant, or whatever they are durable for. */
  private perJob(wrapper: Wrapper, method: string, isEnhanced: boolean): HandlerFn {
    // Of the module that provides it: others may provide something else under the same token.
    const moduleRef = wrapper.host!.getProviderByKey<ModuleRef>(ModuleRef).instance;
    return async (job, context) => {
      const contextId = ContextIdFactory.getByRequest(context);
      const request: unknown = wrapper.isDependencyTreeDurable() ? contextId.payload : context;
      moduleRef.registerRequestByContextId(request, contextId);
      const instance = await moduleRef.resolve<HandlerHost>(wrapper.token as never, contextId, {
        strict: true,
      });
      if (!isEnhanced) return instance[method]!(job, context);
      await this.enhancers.ready();
      return this.enhancers.around(instance, method, wrapper.host!, contextId, wrapper.id)(job, context);
    };
  }

  /** A schedule may make jobs of another kind than its method serves. @throws InvalidScheduleError */
  private requireKind({ schedule: { kind }, declaredAt }: DeclaredSchedule): void {
    if (this.options.unknownKinds === 'allow' || this.handlers.get(kind) !== undefined) return;
    throw new InvalidScheduleError(
      `${declaredAt}: kind`,
      `is "${kind}", which no handler of this process serves. There are ${this.handlers.kinds.join(', ')}. ` +
        `Set unknownKinds: 'allow' where another process serves it.`,
    );
  }

  private requireHandler(kind: string): void {
    if (this.handlers.get(kind.trim()) !== undefined) return;
    const known = this.handlers.kinds.join(', ') || 'none';
    throw new InvalidOptionError('worker.kinds', kind, `kinds that have a handler; there are ${known}`);
  }
}

/** A provider as those call it that tell of events. */
type ListenerHost = Readonly<Record<string, (event: JobEvent) => unknown>>;

/** Whether there is one instance for the life of the application. */
function isShared(wrapper: Wrapper): boolean {
  return wrapper.isDependencyTreeStatic() && !wrapper.isTransient;
}

/** `Mails.send in MailModule`. The name of a provider is its token, which may be a symbol. */
function declarationOf({ name, host }: Wrapper, method: string): string {
  return `${String(name)}.${method} in ${host?.name ?? 'an unknown module'}`;
}

/** The registry checks a kind, but does not know of definitions. @throws InvalidJobError */
function requireKind(kind: unknown, declaredAt: string): void {
  if (kind !== undefined) return;
  const problem = `is of type undefined; it must be a string or what defineJob() returns. ${CIRCULAR_IMPORT}`;
  throw new InvalidJobError(`The kind of ${declaredAt}`, problem);
}

/** The name of the module that serves a handler. @throws InvalidOptionError */
function queueOf(options: JobHandlerOptions, declaredAt: string): string {
  anObject(options, `${declaredAt}: options`, undefined);
  const { queue = DEFAULT_NAME } = options;
  HANDLER_RULES.queue.check(queue, `${declaredAt}: queue`, undefined);
  return queue;
}

/** The prototype of a provider, also where its class has no instance yet, or one for each request. */
function prototypeOf({ instance, metatype, inject }: Wrapper): HandlerHost | null {
  if (typeof instance === 'object' && instance !== null)
    return Object.getPrototypeOf(instance) as HandlerHost | null;
  const isClass = typeof metatype === 'function' && inject === null;
  return isClass ? (metatype.prototype as HandlerHost) : null;
}

/**
 * The prototypes that a provider stands for: that of its instance, and that of the class which is its token, whose place
 * something else may have taken on purpose. A factory per request has shown nothing yet.
 */
function providedBy(wrapper: Wrapper): object[] {
  const own = prototypeOf(wrapper);
  const { token } = wrapper;
  const instance: unknown = wrapper.instance;
  const isReplaced = typeof token === 'function' && instance !== undefined && instance !== null;
  return [...(own === null ? [] : [own]), ...(isReplaced ? [token.prototype as object] : [])];
}
