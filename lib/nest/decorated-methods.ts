import { sharedByCopies } from '../job/copies.js';

/** A method with a decorator of this package, whether or not an application provides its class. */
export interface DecoratedMethod {
  readonly prototype: object;
  readonly method: string;
}

/** Those that an application did not find. */
export interface Unfound<Method extends DecoratedMethod> {
  /** No provider brings their class. */
  readonly notProvided: readonly Method[];
  /** Another decorator has put another method in their place, which bears no mark. */
  readonly replaced: readonly Method[];
}

/**
 * Every method with one decorator that any copy of this package has seen. Nest tells only of what it provides, so what it
 * does not provide is known from here alone.
 */
export class DecoratedMethods<Method extends DecoratedMethod> {
  private readonly decorated: Method[];
  /** Those that an application of this process has found, or has been warned of. */
  private readonly settled: WeakSet<Method>;

  /**
   * @param name of the decorator, the same in all copies
   * @param isMarked whether a method bears the mark of the decorator
   */
  constructor(
    name: string,
    private readonly isMarked: (method: object) => boolean,
  ) {
    this.decorated = sharedByCopies(`decorated ${name}`, () => []);
    this.settled = sharedByCopies(`settled ${name}`, () => new WeakSet());
  }

  get all(): readonly Method[] {
    return this.decorated;
  }

  remember(method: Method): void {
    this.decorated.push(method);
  }

  /**
   * Those that an application should have and does not have, each told once in a process. What another application of the
   * process has found before does not count: it belongs there.
   *
   * @param isWanted whether the application should have it
   * @param isProvided whether a provider brings a class or one that extends it
   */
  unfound(
    isWanted: (method: Method) => boolean,
    isProvided: (prototype: object) => boolean,
  ): Unfound<Method> {
    const notProvided: Method[] = [];
    const replaced: Method[] = [];
    for (const method of this.decorated) {
      if (this.settled.has(method) || !isWanted(method)) continue;
      this.settled.add(method);
      if (isListed(method, [...notProvided, ...replaced])) continue; // it has several decorators
      if (!isProvided(method.prototype)) notProvided.push(method);
      else if (this.isReplaced(method)) replaced.push(method);
    }
    return { notProvided, replaced };
  }

  private isReplaced({ prototype, method }: Method): boolean {
    const own: unknown = Object.getOwnPropertyDescriptor(prototype, method)?.value;
    return typeof own !== 'function' || !this.isMarked(own);
  }
}

/** `Mails.send` */
export function nameOfDecorated({ prototype, method }: DecoratedMethod): string {
  return `${prototype.constructor.name}.${method}`;
}

function isListed({ prototype, method }: DecoratedMethod, list: readonly DecoratedMethod[]): boolean {
  return list.some((other) => other.prototype === prototype && other.method === method);
}
