import { sharedByCopies } from '../job/copies.js';
import { marksOf, type JobHandlerMark } from './jobs.metadata.js';

/** A method with `@JobHandler`, whether or not an application provides its class. */
export interface DecoratedHandler extends JobHandlerMark {
  readonly prototype: object;
  readonly method: string;
}

/**
 * Every decorated method that any copy of this package has seen. Nest tells only of what it provides, so what it does not
 * provide is known from here alone.
 */
const decorated = sharedByCopies('decorated', (): DecoratedHandler[] => []);

/** Those that an application of this process has found, or has been warned of. */
const settled = sharedByCopies('settled', () => new WeakSet<DecoratedHandler>());

export function rememberDecorated(handler: DecoratedHandler): void {
  decorated.push(handler);
}

/** All of one kind. */
export function decoratedFor(kind: string): readonly DecoratedHandler[] {
  return decorated.filter((handler) => typeof handler.kind === 'string' && handler.kind.trim() === kind);
}

/** Those that an application did not find. */
export interface UnfoundHandlers {
  /** No provider brings their class. */
  readonly notProvided: readonly DecoratedHandler[];
  /** Another decorator has put another method in their place, which bears no mark. */
  readonly replaced: readonly DecoratedHandler[];
}

/**
 * The handlers that an application should serve and does not have, each told once in a process. What another application of
 * the process has found before does not count: it belongs there.
 *
 * @param isWanted whether the worker of this process serves it
 * @param isProvided whether a provider brings a class or one that extends it
 */
export function unfoundHandlers(
  isWanted: (handler: DecoratedHandler) => boolean,
  isProvided: (prototype: object) => boolean,
): UnfoundHandlers {
  const notProvided: DecoratedHandler[] = [];
  const replaced: DecoratedHandler[] = [];
  for (const handler of decorated) {
    if (settled.has(handler) || !isWanted(handler)) continue;
    settled.add(handler);
    if (isListed(handler, [...notProvided, ...replaced])) continue; // it has several decorators
    if (!isProvided(handler.prototype)) notProvided.push(handler);
    else if (isReplaced(handler)) replaced.push(handler);
  }
  return { notProvided, replaced };
}

/** `Mails.send` */
export function nameOfDecorated({
  prototype,
  method,
}: Pick<DecoratedHandler, 'prototype' | 'method'>): string {
  return `${prototype.constructor.name}.${method}`;
}

function isListed({ prototype, method }: DecoratedHandler, list: readonly DecoratedHandler[]): boolean {
  return list.some((other) => other.prototype === prototype && other.method === method);
}

function isReplaced({ prototype, method }: DecoratedHandler): boolean {
  const own: unknown = Object.getOwnPropertyDescriptor(prototype, method)?.value;
  return typeof own !== 'function' || marksOf(own).length === 0;
}
