/*
 * Everything here relies on parts of Nest that it does not document. They are the same in Nest 11 and 12;
 * test/module/enhancers.spec.ts and test/package would show a change.
 */
import type { PipeTransform, Scope, Type } from '@nestjs/common';
import { ApplicationConfig, ExternalContextCreator, type NestContainer } from '@nestjs/core';
import type { HandlerFn } from '../execution/attempt.js';
import type { ClaimedJob } from '../job/job.js';

/** An instance of a user's class. */
export type HandlerHost = Record<string, HandlerFn>;

/** The module of a handler, as Nest has it. */
export type HostModule =
  ReturnType<NestContainer['getModules']> extends ReadonlyMap<string, infer M> ? M : never;

/** The metadata key of what the decorators of a method's parameters say. */
export const ROUTE_ARGS_METADATA = '__routeArguments__';
/** The metadata keys of what is bound to a class or a method. */
const FILTERS = '__exceptionFilters__';
const ENHANCERS = ['__guards__', '__interceptors__', '__pipes__', FILTERS];

/** To Nest the payload is the body of a request, its `RouteParamtypes.BODY`: that is what pipes take for input. */
const PAYLOAD_PARAM = 3;

interface Param {
  readonly index: number;
  readonly pipes: readonly (Type<PipeTransform> | PipeTransform)[];
}

/** Declares that a parameter of a method takes the payload. */
export function setPayloadParam(type: object, method: string | symbol, { index, pipes }: Param): void {
  const others = Reflect.getMetadata(ROUTE_ARGS_METADATA, type, method) as object | undefined;
  const params = { ...others, [`${PAYLOAD_PARAM}:${index}`]: { index, data: undefined, pipes } };
  Reflect.defineMetadata(ROUTE_ARGS_METADATA, params, type, method);
}

/** What Nest asks for the values of parameters that are not made by `createParamDecorator`. */
export const PARAM_VALUES = {
  exchangeKeyForValue: (type: number, _data: unknown, [job]: readonly [ClaimedJob]) =>
    type === PAYLOAD_PARAM ? job.payload : undefined,
};

/** Whether a parameter of the method is decorated. */
export function hasParams(host: HandlerHost, method: string): boolean {
  return Reflect.hasMetadata(ROUTE_ARGS_METADATA, host.constructor, method);
}

/** The places, from 0, of the parameters without a decorator where another one has one: Nest gives them nothing. */
export function undecoratedParams(host: HandlerHost, method: string): number[] {
  const params = Reflect.getMetadata(ROUTE_ARGS_METADATA, host.constructor, method) as
    Readonly<Record<string, Pick<Param, 'index'>>> | undefined;
  if (params === undefined) return [];
  const decorated = new Set(Object.values(params).map(({ index }) => index));
  return Array.from({ length: host[method]!.length }, (_, index) => index).filter(
    (one) => !decorated.has(one),
  );
}

/** The guards, interceptors, pipes and filters that are bound to the method and its class. */
export function enhancersOf(host: HandlerHost, method: string): unknown[] {
  return ENHANCERS.flatMap((key) =>
    [host[method]!, host.constructor].flatMap(
      (bearer) => (Reflect.getMetadata(key, bearer) as unknown[] | undefined) ?? [],
    ),
  );
}

/** Whether filters are bound to the method or its class. */
export function hasFilters(host: HandlerHost, method: string): boolean {
  return Reflect.hasMetadata(FILTERS, host[method]!) || Reflect.hasMetadata(FILTERS, host.constructor);
}

/** How Nest asks for the enhancers of the whole application. */
const GETTERS = {
  guards: 'getGlobalGuards',
  interceptors: 'getGlobalInterceptors',
  pipes: 'getGlobalPipes',
  filters: 'getGlobalFilters',
} as const;

/** The instances that are bound to all handlers of a module. They are asked for when a handler is about to be called. */
export type BoundToAll = (option: keyof typeof GETTERS) => readonly object[];

/**
 * The same creator, with other enhancers of the whole application.
 *
 * @param isGlobal whether those that the application has stay
 * @param bound come after them
 */
export function withGlobals(
  creator: ExternalContextCreator,
  isGlobal: boolean,
  bound?: BoundToAll,
): ExternalContextCreator {
  if (isGlobal && bound === undefined) return creator;
  const container = containerOf(creator);
  const own = isGlobal ? container.applicationConfig : undefined;
  const base = own ?? new ApplicationConfig(container as never);
  const value = bound === undefined ? base : withBound(base, bound);
  return ExternalContextCreator.fromContainer(
    Object.create(container, { applicationConfig: { value } }) as NestContainer,
  );
}

function withBound(config: ApplicationConfig, bound: BoundToAll): ApplicationConfig {
  const getters = Object.entries(GETTERS) as [keyof typeof GETTERS, (typeof GETTERS)[keyof typeof GETTERS]][];
  const own = getters.map(([option, getter]) => [
    getter,
    { value: () => [...config[getter](), ...bound(option)] },
  ]);
  return Object.create(config, Object.fromEntries(own) as PropertyDescriptorMap) as ApplicationConfig;
}

/** The scope that `@Injectable()` gives to a class. Undefined: that of a singleton. */
export function scopeOf(type: object): Scope | undefined {
  return (Reflect.getMetadata('scope:options', type) as { readonly scope?: Scope } | undefined)?.scope;
}

/**
 * The same creator, for handlers of one module. Nest itself looks for the module by the class of the host, among
 * providers: it finds no controllers, and not every token.
 */
export function withinModule(creator: ExternalContextCreator, module: HostModule): ExternalContextCreator {
  const [key] = [...containerOf(creator).getModules()].find(([, one]) => one === module) ?? [''];
  return Object.create(creator, { getContextModuleKey: { value: () => key } }) as ExternalContextCreator;
}

function containerOf(creator: ExternalContextCreator): NestContainer {
  return (creator as unknown as { readonly container: NestContainer }).container;
}
